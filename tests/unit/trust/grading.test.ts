/** What a checker's word is worth: lazy, contrary and absent ones are paid nothing, honest ones nearly all. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accuracyOf, answered, graded, mayBeDrawn, missed, payFactor, presenceOf, UNGRADED, type Grades } from '#lib/trust/grading.ts';

type Truth = 'good' | 'bad';
const record = (lessons: readonly { truth: Truth; right: boolean }[]): Grades => lessons.reduce(graded, UNGRADED);
const says = (verdict: 'pass' | 'fail', truths: readonly Truth[]): Grades =>
  record(truths.map((truth) => ({ truth, right: (verdict === 'pass') === (truth === 'good') })));
const truths = (count: number): Truth[] => Array.from({ length: count }, (_, i) => (i % 2 === 0 ? 'good' : 'bad'));

describe('a checker', () => {
  it('begins where its pay begins', () => {
    expect(accuracyOf(UNGRADED)).toBe(900);
    expect(payFactor(UNGRADED)).toBe(900);
  });

  it('that always says yes, or always no, is paid nothing from its first known answer against it', () => {
    for (const verdict of ['pass', 'fail'] as const) {
      expect(payFactor(says(verdict, truths(2)))).toBe(0);
      expect(mayBeDrawn(says(verdict, truths(40)))).toBe(false);
    }
  });

  it('that is always right is paid nearly all', () => {
    const grades = record(truths(200).map((truth) => ({ truth, right: true })));
    expect(payFactor(grades)).toBeGreaterThan(985);
    expect(mayBeDrawn(grades)).toBe(true);
  });

  it('loses pay by being away, and is never paid for being there', () => {
    let away = UNGRADED;
    for (let i = 0; i < 10; i++) away = missed(away);
    expect(presenceOf(away)).toBe(450);
    expect(payFactor(away)).toBe(450);
    let there = UNGRADED;
    for (let i = 0; i < 1_000; i++) there = answered(there);
    expect(payFactor(there)).toBe(payFactor(UNGRADED));
  });

  it('is never paid below nine tenths of accuracy, nor more than its fee, and never better for a wrong word', () => {
    const lesson = fc.record({ truth: fc.constantFrom('good' as const, 'bad' as const), right: fc.boolean() });
    fc.assert(
      fc.property(fc.array(lesson, { maxLength: 60 }), fc.constantFrom('good' as const, 'bad' as const), (lessons, truth) => {
        const grades = record(lessons);
        const factor = payFactor(grades);
        expect(factor >= 0 && factor <= 1000).toBe(true);
        if (accuracyOf(grades) < 900) expect(factor).toBe(0);
        expect(payFactor(graded(grades, { truth, right: false }))).toBeLessThanOrEqual(payFactor(graded(grades, { truth, right: true })));
      }),
    );
  });
});
