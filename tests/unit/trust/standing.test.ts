/** Workers' records: challenges that thin out, hold-back that covers what a cheat saves, and money that is neither made nor lost. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import {
  blocked,
  challengeOf,
  cleared,
  doubted,
  faulted,
  forfeitParts,
  NEWCOMER,
  released,
  reputationOf,
  settled,
  withheld,
  type Standing,
} from '#lib/trust/standing.ts';

const rules = { ...DEFAULT_RULES, holdHundredths: 200 };
const after = (leases: number, price = 100n): Standing => {
  let standing = NEWCOMER;
  for (let i = 0; i < leases; i++) standing = settled(standing, price);
  return standing;
};

describe('a challenge', () => {
  it('draws as many leaves as the job says in probation, and two after it', () => {
    expect(challengeOf(NEWCOMER, 8, rules)).toEqual({ count: 8, auditPpm: 1_000_000 });
    expect(challengeOf(after(rules.probationLeases - 1), 16, rules).count).toBe(16);
    expect(challengeOf(after(rules.probationLeases), 16, rules).count).toBe(2);
    expect(challengeOf(after(rules.probationLeases), 1, rules).count).toBe(1);
  });

  it('is of the whole film with chance 1/n, never below the floor, and surely after a fault', () => {
    expect(challengeOf(after(4), 8, rules).auditPpm).toBe(250_000);
    expect(challengeOf(after(100_000 / 100), 8, rules).auditPpm).toBe(rules.auditFloorPpm);
    expect(challengeOf(faulted(after(500)), 8, rules)).toEqual({ count: 8, auditPpm: 1_000_000 });
    expect(challengeOf(doubted(after(500)), 8, rules)).toEqual({ count: 8, auditPpm: 1_000_000 });
  });
});

describe('hold-back', () => {
  it('takes the first earnings until two prices are held, then nothing', () => {
    let standing = NEWCOMER;
    let held = 0n;
    const paid: bigint[] = [];
    for (let i = 0; i < 5; i++) {
      const kept = withheld(standing, held, 100n, rules);
      held += kept;
      paid.push(100n - kept);
      standing = settled(standing, 100n);
    }
    expect(held).toBe(200n);
    expect(paid).toEqual([0n, 0n, 100n, 100n, 100n]);
    // After it was paid out, the next lease is measured anew.
    expect(withheld(released(standing), 0n, 10n, rules)).toBe(10n);
  });

  it('never takes more than was earned, nor more than the measure lacks', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        fc.bigInt({ min: 0n, max: 10n ** 12n }),
        (top, held, earned) => {
          const standing = { ...NEWCOMER, topMicro: top };
          const kept = withheld(standing, held, earned, rules);
          expect(kept >= 0n && kept <= earned).toBe(true);
          const target = ((top > earned ? top : earned) * BigInt(rules.holdHundredths)) / 100n;
          expect(kept === 0n || held + kept <= target).toBe(true);
        },
      ),
    );
  });

  it('is forfeited whole: what finders do not get is the creator’s', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.integer({ min: 0, max: 5 }), (held, finders) => {
        const { creatorMicro, finderMicro } = forfeitParts(held, finders, rules);
        expect(creatorMicro + finderMicro * BigInt(finders)).toBe(held);
        expect(creatorMicro >= finderMicro * BigInt(finders)).toBe(true);
      }),
    );
  });
});

describe('a standing', () => {
  it('falls to nothing by a fault, keeps its tokens by a doubt, and comes back by an appeal', () => {
    const good = after(40);
    expect(reputationOf(good, rules)).toBe(1000);
    expect(reputationOf(faulted(good), rules)).toBe(0);
    expect(doubted(good)).toMatchObject({ passes: 0, faults: 0, doubts: 1 });
    expect(blocked(faulted(good), rules)).toBe(false);
    expect(blocked(faulted(faulted(good)), rules)).toBe(true);
    expect(blocked(cleared(faulted(faulted(good))), rules)).toBe(false);
    expect(cleared(NEWCOMER).faults).toBe(0);
  });
});
