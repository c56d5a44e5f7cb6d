/** What must follow at once, what a lease may be voided for, and whom an order bars: each lie beside the honest log it was made from. */
import { describe, test } from 'vitest';
import type { Leaf } from '#lib/ledger/leaf.ts';
import { checkers, falls, Forge, signed, sound, creator, worker } from './forge.ts';

const [first, second, third] = checkers as [(typeof checkers)[0], (typeof checkers)[0], (typeof checkers)[0]];

/** Something that is true by itself, in place of what was due. */
const somethingElse = (forge: Forge): unknown => forge.commitNonce(third);
const waive = (forge: Forge, { lease }: Leaf<'commitment'>): unknown => forge.leaves.push({ type: 'waiver', lease, atMs: 7 });

async function committed(): Promise<{ forge: Forge; commitment: Leaf<'commitment'> }> {
  const forge = await Forge.opened();
  return { forge, commitment: await forge.commit(0) };
}

describe('what must follow at once', () => {
  test('the pay of a lease that was passed and received, in either order', async () => {
    const reason = 'A lease that was passed and received is not settled at once.';
    for (const order of ['verdict first', 'receipt first'] as const) {
      const { forge, commitment } = await committed();
      if (order === 'receipt first') await forge.receipt(commitment);
      await forge.check(commitment, first);
      if (order === 'verdict first') await forge.receipt(commitment);
      await sound(forge);
      somethingElse(forge);
      await falls(forge, reason);
      forge.leaves.splice(-1, 1, forge.settlement(commitment, [first]));
      await sound(forge);
    }
  });

  test('the pay of a lease whose receipt is waived', async () => {
    const { forge, commitment } = await committed();
    await forge.check(commitment, first);
    waive(forge, commitment);
    forge.leaves.push({ type: 'void', lease: commitment.lease, reason: 'worker-gone', atMs: 8 });
    await falls(forge, 'A lease that was passed and received is not settled at once.');
  });

  test('the pay of a lease that passes after its job was closed', async () => {
    const { forge, commitment } = await committed();
    forge.close();
    await forge.check(commitment, first);
    await sound(forge);
    somethingElse(forge);
    await falls(forge, 'A lease of a closed job is not paid at once.');
  });

  test('before the end of a job, the pay of all that passed', async () => {
    const { forge, commitment } = await committed();
    await forge.check(commitment, first);
    forge.close();
    await falls(forge, 'A job is closed before all that checks passed is paid.');
    forge.leaves.pop();
    waive(forge, commitment);
    forge.leaves.push(forge.settlement(commitment, [first]));
    forge.close();
    await sound(forge);
  });

  test('the end of a job of which all is settled', async () => {
    const forge = await Forge.opened();
    for (let slot = 0; slot < 4; slot++) await forge.lease(slot);
    await sound(forge);
    somethingElse(forge);
    await falls(forge, 'A job of which all is settled is not closed at once.');
  });

  test('what is left of an escrow, after the end of the job or of its last lease', async () => {
    const reason = 'What is left of the escrow of a closed job is not given back at once.';
    const empty = await Forge.opened();
    empty.close();
    somethingElse(empty);
    await falls(empty, reason);
    const { forge, commitment } = await committed();
    forge.close();
    somethingElse(forge);
    await sound(forge);
    forge.leaves.push({ type: 'void', lease: commitment.lease, reason: 'worker-gone', atMs: 8 });
    await sound(forge);
    somethingElse(forge);
    await falls(forge, reason);
    forge.leaves.splice(-1, 1, forge.refund());
    await sound(forge);
  });
});

describe('a void lease', () => {
  const voids = (forge: Forge, { lease }: Leaf<'commitment'>, reason: string): void =>
    void forge.leaves.push({ type: 'void', lease, reason, atMs: 8 });

  test('was failed by a check, for that reason, or its worker left', async () => {
    const reason = 'A lease is voided for a reason that the log does not bear.';
    for (const said of ['check-light', 'check-undecided', 'check-aggregate', 'drill', 'film-missing', 'film-unavailable']) {
      const { forge, commitment } = await committed();
      voids(forge, commitment, said);
      await falls(forge, reason);
    }
    const { forge, commitment } = await committed();
    await forge.check(commitment, first, 'fail');
    for (const said of ['check-signatures', 'check-undecided', 'check-aggregate', 'drill', 'film-missing']) {
      voids(forge, commitment, said);
      await falls(forge, reason);
      forge.leaves.pop();
    }
    for (const said of ['check-light', 'worker-gone', 'yield-stopped']) {
      voids(forge, commitment, said);
      await sound(forge);
      forge.leaves.pop();
    }
    await forge.check(commitment, second);
    voids(forge, commitment, 'check-undecided');
    await sound(forge);
  });

  test('was called missing by its creator as often as it takes', async () => {
    const { forge, commitment } = await committed();
    const { lease, root } = commitment;
    const missing = async (): Promise<unknown> => {
      const body = { lease, root, verdict: 'missing' as const };
      return forge.add({ type: 'receipt', ...body, ...(await signed(creator, 'film.receipt', { ...body })), atMs: 6 });
    };
    await missing();
    voids(forge, commitment, 'film-missing');
    await falls(forge, 'A lease is voided for a reason that the log does not bear.');
    forge.leaves.pop();
    // A word is its envelope: the same a second time needs another nonce, which every sealing draws.
    await missing();
    voids(forge, commitment, 'film-missing');
    await sound(forge);
  });
});

describe('a check', () => {
  test('is not drawn while another of its lease is not answered', async () => {
    const { forge, commitment } = await committed();
    const drawn = forge.draw(commitment, first, forge.commitNonce(first));
    forge.leaves.push({ type: 'missed', lease: drawn.lease, checker: first.key, nonceCommitment: drawn.nonceCommitment, atMs: 5 });
    forge.draw(commitment, second, forge.commitNonce(second));
    await sound(forge);
    forge.draw(commitment, third, forge.commitNonce(third));
    await falls(forge, 'A check is drawn while another of the lease is not answered.');
  });

  test('is missed while its lease waits for it, not after', async () => {
    const { forge, commitment } = await committed();
    const { lease, nonceCommitment } = forge.draw(commitment, first, forge.commitNonce(first));
    forge.leaves.push({ type: 'void', lease, reason: 'worker-gone', atMs: 5 });
    forge.leaves.push({ type: 'missed', lease, checker: first.key, nonceCommitment, atMs: 6 });
    await falls(forge, 'A check is called missed of a lease that was voided.');
  });

  test('gives a reason that bears its verdict', async () => {
    const { forge, commitment } = await committed();
    const nonce = forge.commitNonce(first);
    const drawn = forge.draw(commitment, first, nonce);
    await forge.verdict(commitment, first, nonce, drawn, 'pass', 'light');
    await falls(forge, 'A verdict for a reason that does not bear it.');
  });
});

describe('who is barred by an order', () => {
  test('neither commits to its leases nor is drawn to check them', async () => {
    for (const [avoid, reason] of [
      [worker.key, 'A commitment of a worker that the creator of the job bars from it.'],
      [first.key, 'A checker is drawn that the creator of the job bars from it.'],
      [second.key, null],
    ] as const) {
      const forge = await Forge.opened({}, { avoid: [avoid] });
      const commitment = await forge.commit(0);
      if (avoid !== worker.key) forge.draw(commitment, first, forge.commitNonce(first));
      if (reason === null) await sound(forge);
      else await falls(forge, reason);
    }
  });
});
