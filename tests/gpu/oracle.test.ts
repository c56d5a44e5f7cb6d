/**
 * The engine against a path tracer that shares nothing with it: other language, other precision,
 * other sampling, no hierarchy, no tables. tests/deep/oracle.test.ts asks again with 30 times the samples.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from './device.ts';
import { agreement, engineRenders, oracleRenders, TABLEAUX, type Effort } from './oracle.ts';

const EFFORT: Effort = { side: 16, block: 8, renders: 12, samples: 32, oracleSamples: 48, bounces: 3 };
/** For each question; Bonferroni's share of each block is inside `agreement`. */
const ALPHA = 0.01 / Object.keys(TABLEAUX).length;

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

describe('engine and oracle', () => {
  it.each(Object.entries(TABLEAUX))('agree on %s', async (name, tableau) => {
    const found = agreement(await engineRenders(engine, tableau, EFFORT), oracleRenders(tableau, 'layered', EFFORT));
    console.info(
      `${name}: mean ${(100 * found.mean).toFixed(2)} ± ${(100 * found.standardError).toFixed(2)} %, least p × ${found.blocks} = ${found.corrected.toPrecision(2)}`,
    );
    expect(found.corrected).toBeGreaterThan(ALPHA);
  });

  it('part when one of them loses what GGX does not scatter once, or a bounce (controls)', async () => {
    const gold = TABLEAUX['rough gold under a sky']!;
    const rendered = await engineRenders(engine, gold, EFFORT);
    expect(agreement(rendered, oracleRenders(gold, 'literal', EFFORT)).corrected).toBeLessThan(ALPHA);
    const room = TABLEAUX['a lamp in a coloured room']!;
    const shallow = await engineRenders(engine, room, { ...EFFORT, bounces: 2 });
    expect(agreement(shallow, oracleRenders(room, 'layered', EFFORT)).corrected).toBeLessThan(ALPHA);
  });
});
