/** Logs that their authors forged with valid signatures: each lie beside the honest log it was made from. */
import { describe, expect, test } from 'vitest';
import type { Leaf } from '#lib/ledger/leaf.ts';
import { checkers, creator, falls, Forge, sound, worker } from './forge.ts';

const [first, second, third] = checkers as [(typeof checkers)[0], (typeof checkers)[0], (typeof checkers)[0]];

describe('a job', () => {
  test('gives its escrow once', async () => {
    const forge = await Forge.opened();
    await sound(forge);
    forge.leaves.push(forge.escrow());
    await falls(forge, 'The escrow of a job is taken twice.');
  });

  test('gives its escrow for its own request', async () => {
    const forge = await Forge.opened();
    const { request } = forge.leaves.find((leaf) => leaf.type === 'entry' && leaf.kind === 'grant') as Leaf<'entry'>;
    (forge.leaves.at(-1) as Leaf<'entry'>).request = request;
    await falls(forge, 'An escrow that its job’s request did not cause.');
  });

  test('gives its escrow before any work', async () => {
    const forge = await Forge.opened();
    forge.leaves.pop();
    await forge.commit(0);
    await falls(forge, 'A commitment before the escrow of its job was taken.');
  });

  test('returns all that is left, once, after its last lease', async () => {
    const forge = await Forge.opened();
    await forge.lease(0);
    forge.close();
    const [whole, less] = [forge.refund(), forge.refund(1n)];
    forge.leaves.push(less);
    await falls(forge, 'A refund does not return all of the escrow to the creator.');
    forge.leaves.splice(-1, 1, whole);
    await sound(forge);
    forge.leaves.push({ ...whole, postings: [] });
    await falls(forge, 'A refund for a job that is open or refunded already.');
  });

  test('returns nothing while it is open or a lease is undecided, and settles nothing after', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    forge.leaves.push(forge.refund());
    await falls(forge, 'A refund for a job that is open or refunded already.');
    forge.leaves.pop();
    forge.close();
    await sound(forge);
    forge.leaves.push(forge.refund());
    await falls(forge, 'A refund while a lease of the job is undecided.');
    forge.leaves.pop();
    // What was committed before the end is still settled, and only then comes the rest back.
    await forge.check(commitment, first);
    forge.leaves.push({ type: 'waiver', lease: commitment.lease, atMs: 7 });
    forge.leaves.push(forge.settlement(commitment, [first]));
    forge.leaves.push(forge.refund());
    await sound(forge);
    await forge.commit(1);
    await falls(forge, 'A commitment after its job was closed.');
  });

  test('is done when all of it is settled', async () => {
    const forge = await Forge.opened();
    for (let slot = 0; slot < 3; slot++) await forge.lease(slot);
    forge.close('done');
    await falls(forge, 'A job is called done before all of it is settled.');
    forge.leaves.pop();
    await forge.lease(3);
    forge.close('done');
    await sound(forge);
  });

  test('has terms that can be met', async () => {
    await falls(await Forge.opened({ leaves: 0 }), 'The checks of a job draw no leaves.', 3);
    await falls(await Forge.opened({ checkerShare: 900, feeShare: 101 }), 'The shares of a job exceed the whole.', 3);
    await falls(await Forge.opened({ paths: 1 }), 'A job has not the paths that its order implies.', 3);
  });
});

describe('a check', () => {
  test('draws as many leaves as the job says', async () => {
    for (const [count, good] of [
      [4, true],
      [0, false],
      [3, false],
      [5, false],
    ] as const) {
      const forge = await Forge.opened();
      const commitment = await forge.commit(0);
      forge.draw(commitment, first, forge.commitNonce(first), { count });
      if (good) await sound(forge);
      else await falls(forge, 'A check draws more or fewer leaves than the checks of its job do.');
    }
  });

  test('spends its nonce for good', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    const nonce = forge.commitNonce(first);
    forge.leaves.push({ ...(forge.leaves.at(-1) as Leaf<'nonces'>) });
    await forge.verdict(commitment, first, nonce, forge.draw(commitment, first, nonce), 'fail');
    await sound(forge);
    const before = forge.leaves.length;
    forge.draw(commitment, first, nonce);
    await falls(forge, 'A check is drawn with a nonce that was drawn with before.');
    forge.leaves.length = before;
    forge.leaves.push({ ...(forge.leaves.find((leaf) => leaf.type === 'nonces') as Leaf<'nonces'>) });
    await falls(forge, 'A spent nonce is committed to again.');
  });

  test('uses one beacon chain after the other', async () => {
    const forge = await Forge.opened();
    forge.leaves.push({ type: 'beacon', chain: 1, end: '1'.repeat(64), length: 8 });
    await falls(forge, 'A beacon chain is published before the last one was used up.');
  });

  test('is made by neither the worker nor the creator', async () => {
    for (const [by, reason] of [
      [first, null],
      [worker, 'A worker is drawn to check its own lease.'],
      [creator, 'A creator is drawn to check its own job.'],
    ] as const) {
      const forge = await Forge.opened();
      const commitment = await forge.commit(0);
      forge.draw(commitment, by, forge.commitNonce(by));
      if (reason === null) await sound(forge);
      else await falls(forge, reason);
    }
  });

  test('is one word of one checker, and none after the lease has passed', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    await forge.check(commitment, first, 'fail');
    await forge.check(commitment, second);
    await sound(forge);
    const before = forge.leaves.length;
    await forge.check(commitment, second);
    await falls(forge, 'A checker judges one lease twice.');
    forge.leaves.length = before;
    await forge.check(commitment, third);
    await sound(forge);
    forge.commitNonce(first);
    forge.draw(commitment, first, forge.commitNonce(first));
    await falls(forge, 'A check is drawn of a lease that has passed already.');
  });
});

describe('a settlement', () => {
  test('needs a receipt of the creator, or a waiver', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    await forge.check(commitment, first);
    const before = forge.leaves.length;
    const settlement = forge.settlement(commitment, [first]);
    forge.leaves.push(settlement);
    await falls(forge, 'A lease is settled without a receipt or a waiver.');
    forge.leaves.length = before;
    forge.leaves.push({ type: 'waiver', lease: commitment.lease, atMs: 7 }, settlement);
    await sound(forge);
    forge.leaves.length = before;
    await forge.receipt(commitment);
    forge.leaves.push(settlement);
    await sound(forge);
    forge.leaves.length = before;
    await forge.receipt(commitment, worker);
    await falls(forge, 'A receipt that is not its creator’s.');
  });

  test('waits for the verdict, also when its receipt is waived', async () => {
    const forge = await Forge.opened();
    const { lease } = await forge.commit(0);
    forge.leaves.push({ type: 'waiver', lease, atMs: 7 });
    await falls(forge, 'A receipt is waived before a checker passed the lease.');
  });

  test('takes two against one', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0);
    await forge.receipt(commitment);
    await forge.check(commitment, first, 'fail');
    await forge.check(commitment, second);
    forge.leaves.push(forge.settlement(commitment, [second]));
    await falls(forge, 'A lease is settled though its checkers disagree.');
  });

  test('gives the odd micro-token to the lowest key', async () => {
    const forge = await Forge.opened();
    const commitment = await forge.commit(0, { segments: 113 });
    await forge.receipt(commitment);
    // Whoever was asked first is not who is paid first.
    await forge.check(commitment, second, 'fail');
    await forge.check(commitment, third);
    await forge.check(commitment, first);
    forge.leaves.push(forge.settlement(commitment, [first, third]));
    const odd = (forge.leaves.at(-1) as Leaf<'entry'>).postings.filter(([account]) => [first.key, third.key].includes(account));
    expect(BigInt(odd[0]![1]) - BigInt(odd[1]![1])).toBe(1n);
    await sound(forge);
    forge.leaves.splice(-1, 1, forge.settlement(commitment, [third, first]));
    await falls(forge, 'A lease is settled for another amount, or to others, than its work and terms imply.');
  });
});
