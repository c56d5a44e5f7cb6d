/** The committed measurement of honest devices against the thresholds in force: whoever changes one measures again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contradictions, usedThresholds, type Calibration } from '../../calibrate/report.ts';

const record = JSON.parse(readFileSync(join(import.meta.dirname, '../../reference/adapter-pairs.json'), 'utf8')) as Calibration;

describe('tests/reference/adapter-pairs.json', () => {
  it('bears the thresholds in force', () => {
    expect(contradictions(record, usedThresholds())).toEqual([]);
  });

  it('would not bear stricter ones (control)', () => {
    expect(contradictions(record, { ...usedThresholds(), lightRelativeMax: 1e-5 }).join()).toMatch(
      /measure again.*lightRelativeMax refuses/,
    );
    expect(contradictions({ ...record, convicted: 1 }, usedThresholds())).toEqual([
      '1 honest leaves would be called false after escalation',
    ]);
  });
});
