/** A slot in a forged log: what may be committed to it, beside what, and that it is paid once. */
import { describe, test } from 'vitest';
import type { Leaf } from '#lib/ledger/leaf.ts';
import { checkers, creator, falls, Forge, sound, worker } from './forge.ts';

const [first, second, third] = checkers as [(typeof checkers)[0], (typeof checkers)[0], (typeof checkers)[0]];

describe('a slot', () => {
  test('is settled once, whatever the lease', async () => {
    const forge = await Forge.opened();
    await forge.lease(0);
    await forge.lease(1);
    await sound(forge);
    await forge.lease(0);
    const again = forge.leaves.findLastIndex((leaf) => leaf.type === 'commitment');
    await falls(forge, 'A slot is committed after another lease of it has passed.', again);
  });

  /** Two leases of one slot, of two workers, both undecided; a third person checks. */
  const twins = async () => {
    const forge = await Forge.opened();
    const one = await forge.commit(0);
    const two = await forge.commit(0, {}, third);
    return { forge, one, two };
  };
  const ended = ({ lease }: Leaf<'commitment'>): Leaf<'void'> => ({ type: 'void', lease, reason: 'twin-passed', atMs: 5 });

  test('may be committed to by two, of whom one is paid', async () => {
    const { forge, one, two } = await twins();
    await forge.check(one, first);
    forge.leaves.push(ended(two));
    await forge.receipt(one);
    forge.leaves.push(forge.settlement(one, [first]));
    for (let slot = 1; slot < 4; slot++) await forge.lease(slot);
    forge.close('done');
    forge.leaves.push(forge.refund());
    await sound(forge);
  });

  test('is the second one’s when the first is void, and then the first one’s place is free', async () => {
    const { forge, one, two } = await twins();
    forge.leaves.push({ ...ended(one), reason: 'worker-gone' });
    const again = await forge.commit(0);
    await forge.check(two, first);
    forge.leaves.push(ended(again));
    await forge.receipt(two);
    forge.leaves.push(forge.settlement(two, [first]));
    await sound(forge);
  });

  test('is not paid twice: when one has passed the other is void at once, and stays so', async () => {
    const { forge, one, two } = await twins();
    await forge.check(one, first);
    await forge.receipt(one);
    await falls(forge, 'A lease is not voided at once when another of its slot has passed.');
    forge.leaves.splice(-1, 1, ended(two));
    await forge.receipt(one);
    forge.leaves.push(forge.settlement(one, [first]));
    await sound(forge);
    forge.leaves.push(forge.settlement(two, [first]));
    await falls(forge, 'A lease is settled after it was voided.');
  });

  test('is checked in the order of commitments, so that nobody chooses who is paid', async () => {
    const { forge, two } = await twins();
    forge.draw(two, first, forge.commitNonce(first));
    await falls(forge, 'A check is drawn of a lease while one of its slot that was committed before it is undecided.');
  });

  test('is committed to by no third one, not twice by one worker, and not beside own work', async () => {
    const { forge } = await twins();
    await forge.commit(0, {}, second);
    await falls(forge, 'A slot is committed while two leases of it are undecided.');
    const twice = await Forge.opened();
    await twice.commit(0);
    await twice.commit(0);
    await falls(twice, 'A slot is committed twice by one worker.');
    for (const by of [
      [creator, worker],
      [worker, creator],
    ] as const) {
      const own = await Forge.opened();
      for (const one of by) await own.commit(0, {}, one);
      await falls(own, 'Own work is committed beside another lease of its slot.');
    }
  });

  test('keeps the escrow until both are decided', async () => {
    const { forge, one, two } = await twins();
    forge.close();
    forge.leaves.push({ ...ended(one), reason: 'worker-gone' }, forge.refund());
    await falls(forge, 'A refund while a lease of the job is undecided.');
    forge.leaves.splice(-1, 1, { ...ended(two), reason: 'worker-gone' });
    forge.leaves.push(forge.refund());
    await sound(forge);
  });

  test('is free again after a void lease', async () => {
    const forge = await Forge.opened();
    const { lease } = await forge.commit(0);
    forge.leaves.push({ type: 'void', lease, reason: 'worker-gone', atMs: 4 });
    await forge.lease(0);
    await sound(forge);
  });

  test('has the paths, leaves, scene and segments that the order gives it', async () => {
    const claims = async (over: Partial<Leaf<'commitment'>>, slot = 0): Promise<Forge> => {
      const forge = await Forge.opened();
      await forge.commit(slot, over);
      return forge;
    };
    await sound(await claims({}));
    await falls(await claims({ paths: 2048 }), 'A commitment has not the paths that its slot implies.');
    await falls(await claims({ leaves: 1 }), 'A commitment is over more or fewer leaves than its tile has.');
    await falls(await claims({ sceneRoot: '1'.repeat(64) }), 'A commitment to a film of another scene.');
    await falls(await claims({ segments: 1024 * 11 + 1 }), 'A commitment claims more segments than its paths can have.');
    await sound(await claims({ segments: 1024 * 11 }));
    await falls(await claims({ slot: 4 }), 'A commitment for a slot that its job does not have.');
  });
});
