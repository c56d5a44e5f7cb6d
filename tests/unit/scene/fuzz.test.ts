/** Whatever is done to a file, compiling ends in a scene or in one sentence: never in another exception, a hang or a crash. */
import { expect, test } from 'vitest';
import { fuzz } from './fuzz-run.ts';

test('2400 damaged files of every codec, extension and container', async () => {
  const report = await fuzz(0, 2400);
  expect(report.faults).toEqual([]);
  expect(report.compiled).toBeGreaterThan(240);
  expect(report.refused).toBeGreaterThan(240);
  expect(report.slowestMs, report.slowest).toBeLessThan(2000);
}, 120_000);
