/** Opinions to outcomes: who decides, and what is never decided by one alone. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bringsNews, decide, escalatedPpm, lessonsOf, majorityOf, type Case, type Opinion } from '#lib/trust/escalation.ts';

const opinion = (verdict: Opinion['verdict'], i: number, adapterClass = 'a'): Opinion => ({
  checker: `k${i}`,
  adapterClass,
  verdict,
  whole: true,
});
const said = (...verdicts: Opinion['verdict'][]): Opinion[] => verdicts.map((verdict, i) => opinion(verdict, i));
const held = (over: Partial<Case>): Case => ({ opinions: [], workerClass: 'a', jury: 3, second: false, another: true, ...over });

const cases = fc.record({
  opinions: fc
    .array(fc.tuple(fc.constantFrom('pass' as const, 'fail' as const), fc.constantFrom('a', 'b', 'c')), { maxLength: 5 })
    .map((list) => list.map(([verdict, of], i) => opinion(verdict, i, of))),
  workerClass: fc.constantFrom('a', 'b', 'c'),
  jury: fc.constantFrom(3 as const, 5 as const),
  second: fc.boolean(),
  another: fc.boolean(),
});

describe('a case', () => {
  it('passes on one word while nobody disagrees, on two where a second audit was drawn', () => {
    expect(decide(held({}))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: said('pass') }))).toEqual({ state: 'pass', alone: false });
    expect(decide(held({ opinions: said('pass'), second: true }))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: said('pass'), second: true, another: false }))).toEqual({ state: 'pass', alone: true });
    expect(decide(held({ opinions: said('pass', 'pass'), second: true }))).toEqual({ state: 'pass', alone: false });
  });

  it('is decided by two of three, or three of five', () => {
    expect(decide(held({ opinions: said('fail') }))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: said('fail', 'fail') }))).toEqual({ state: 'fault' });
    expect(decide(held({ opinions: said('fail', 'pass') }))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: said('fail', 'pass', 'pass') }))).toEqual({ state: 'pass', alone: false });
    expect(decide(held({ opinions: said('fail', 'pass', 'fail') }))).toEqual({ state: 'fault' });
    expect(decide(held({ opinions: said('fail', 'fail'), jury: 5 }))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: said('fail', 'fail', 'fail'), jury: 5 }))).toEqual({ state: 'fault' });
  });

  it('punishes nobody when it can’t be carried on', () => {
    expect(decide(held({ opinions: said('fail'), another: false }))).toEqual({ state: 'doubt', tie: false });
    expect(decide(held({ opinions: said('fail', 'pass'), another: false }))).toEqual({ state: 'doubt', tie: true });
  });

  it('convicts nobody on the word of one foreign kind of device', () => {
    const foreign = [opinion('fail', 0, 'b'), opinion('fail', 1, 'b')];
    expect(decide(held({ opinions: foreign }))).toEqual({ state: 'wait' });
    expect(decide(held({ opinions: [...foreign, opinion('fail', 2, 'b')] }))).toEqual({ state: 'doubt', tie: false });
    expect(decide(held({ opinions: [...foreign, opinion('fail', 2, 'c')] }))).toEqual({ state: 'fault' });
    expect(decide(held({ opinions: foreign, workerClass: 'b' }))).toEqual({ state: 'fault' });
  });

  it('is a fault only by a majority of failing verdicts, and a pass only by one of passing ones', () => {
    fc.assert(
      fc.property(cases, (one) => {
        const outcome = decide(one);
        const fails = one.opinions.filter(({ verdict }) => verdict === 'fail').length;
        const passes = one.opinions.length - fails;
        if (outcome.state === 'fault') expect(fails).toBeGreaterThanOrEqual(majorityOf(one.jury));
        if (outcome.state === 'pass') expect(fails === 0 ? passes > 0 : passes >= majorityOf(one.jury)).toBe(true);
        if (outcome.state === 'doubt') expect(fails).toBeGreaterThan(0);
      }),
    );
  });

  it('does not depend on the order of opinions', () => {
    fc.assert(
      fc.property(cases, (one) => {
        expect(decide({ ...one, opinions: one.opinions.toReversed() })).toEqual(decide(one));
      }),
    );
  });

  it('waits only while somebody can be asked or nobody has spoken', () => {
    fc.assert(
      fc.property(cases, (one) => {
        if (decide({ ...one, another: false }).state === 'wait') expect(one.opinions).toHaveLength(0);
      }),
    );
  });
});

describe('a lesson', () => {
  it('is drawn from disputes that a majority decided, and from nothing else', () => {
    const outcome = decide(held({ opinions: said('fail', 'pass', 'pass') }));
    expect(lessonsOf(said('fail', 'pass', 'pass'), outcome)).toEqual([
      { checker: 'k0', truth: 'good', right: false },
      { checker: 'k1', truth: 'good', right: true },
      { checker: 'k2', truth: 'good', right: true },
    ]);
    expect(lessonsOf(said('pass', 'pass'), { state: 'pass', alone: false })).toEqual([]);
    expect(lessonsOf(said('fail'), { state: 'doubt', tie: false })).toEqual([]);
    expect(lessonsOf(said('fail', 'fail'), { state: 'fault' })).toEqual([
      { checker: 'k0', truth: 'bad', right: true },
      { checker: 'k1', truth: 'bad', right: true },
    ]);
  });

  it('is not held against whoever passed the good leaves of a bad film', () => {
    const partly = said('pass', 'fail', 'fail').map((one, i) => ({ ...one, whole: i > 0 }));
    expect(lessonsOf(partly, { state: 'fault' }).map(({ checker }) => checker)).toEqual(['k1', 'k2']);
    // Who failed leaves of a good film was wrong, however many it saw.
    const slander = said('fail', 'pass', 'pass').map((one, i) => ({ ...one, whole: i > 0 }));
    expect(lessonsOf(slander, { state: 'pass', alone: false })[0]).toEqual({ checker: 'k0', truth: 'good', right: false });
  });

  it('is drawn from all of a disputed film', () => {
    expect(escalatedPpm(5_000, said('pass'))).toBe(5_000);
    expect(escalatedPpm(5_000, said('pass', 'fail'))).toBe(1_000_000);
  });

  it('asks next a kind of device that has not spoken', () => {
    expect(bringsNews('b', said('fail'))).toBe(true);
    expect(bringsNews('a', said('fail'))).toBe(false);
    expect(bringsNews('a', [])).toBe(true);
  });
});
