/** Leaves that others must have signed: each lie beside the honest leaf it was made from. */
import { describe, expect, test } from 'vitest';
import { MINT, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { checkers, creator, falls, Forge, NETWORK, signed, sound, worker } from './forge.ts';

const first = checkers[0]!;

describe('a grant', () => {
  test('comes from the mint, to the key that asked, once', async () => {
    const forge = new Forge();
    const grant = await forge.grant(worker);
    await sound(forge);
    const turned = (change: [string, string][]): void => void forge.leaves.splice(-1, 1, { ...grant, postings: change });
    const reason = 'A grant that does not come from the mint to the key that asked for it.';
    for (const postings of [
      [
        [MINT, '5'],
        [worker.key, '-5'],
      ],
      [
        [MINT, '-5'],
        [creator.key, '5'],
      ],
      [
        [creator.key, '-5'],
        [worker.key, '5'],
      ],
      [],
    ] as [string, string][][]) {
      turned(postings);
      await falls(forge, reason);
    }
    turned(grant.postings as [string, string][]);
    await forge.grant(worker);
    await falls(forge, 'A key is granted its first tokens twice.');
  });
});

describe('a signed request', () => {
  const cases: [string, (leaf: Leaf<'commitment'>) => Promise<Partial<Leaf<'commitment'>>>, string][] = [
    ['that says what the leaf says', async () => ({}), ''],
    [
      'for another network',
      async (leaf) => signed(worker, 'lease.commit', bodyOf(leaf), 'elsewhere'),
      'The request of the leaf was signed for another network.',
    ],
    [
      'for another purpose',
      async (leaf) => signed(worker, 'film.receipt', bodyOf(leaf)),
      'The request of the leaf was signed for another purpose.',
    ],
    [
      'of another key',
      async (leaf) => signed(first, 'lease.commit', bodyOf(leaf)),
      'The request of the leaf is signed by another key than the leaf names.',
    ],
    ['of another body', async () => ({ root: '1'.repeat(64) }), 'The leaf says something else than its signed request.'],
    ['under another hash', async () => ({ request: '1'.repeat(64) }), 'The leaf names another request than the one it holds.'],
    [
      'that nobody signed',
      async ({ signed: { payload, sig } }) => {
        const envelope = { payload, key: worker.key, sig: sig.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) };
        return { signed: envelope };
      },
      'The signature in the leaf does not match its request.',
    ],
  ];
  test.each(cases)('%s', async (_, change, reason) => {
    const forge = await Forge.opened();
    const leaf = await forge.commit(0);
    forge.leaves.splice(-1, 1, { ...leaf, ...(await change(leaf)) });
    if (reason === '') await sound(forge);
    else await falls(forge, reason);
  });

  test('is applied once', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    const receipt: LogLeaf = await forge.receipt(commitment);
    await sound(forge);
    forge.leaves.push(receipt);
    await falls(forge, 'A signed request is applied twice.');
  });

  test('stands behind every grant', async () => {
    const forge = new Forge();
    const grant = await forge.grant(worker);
    forge.leaves.splice(-1, 1, { ...grant, signed: null });
    await falls(forge, 'A grant that its key did not ask for.');
  });

  test('is of the network of the checkpoint', async () => {
    const forge = await Forge.opened();
    expect(await forge.judge(`${NETWORK}-2`)).toMatchObject({ ok: false, line: 0 });
  });
});

const bodyOf = ({ lease, root, segments, sceneRoot, shader, adapterClass }: Leaf<'commitment'>): unknown => {
  return { lease, root, segments, sceneRoot, shader, adapterClass, traceMs: 1 };
};
