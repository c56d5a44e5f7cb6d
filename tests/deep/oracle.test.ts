/** tests/gpu/oracle.test.ts on four times the blocks, with 21 times the paths through each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';
import { agreement, engineRenders, oracleRenders, TABLEAUX, type Effort } from '../gpu/oracle.ts';

const EFFORT: Effort = { side: 32, block: 8, renders: 24, samples: 128, oracleSamples: 128, bounces: 4 };
const ALPHA = 0.01 / Object.keys(TABLEAUX).length;

let engine: RenderEngine;
beforeAll(async () => {
  engine = new RenderEngine(await testGpu());
});
afterAll(() => engine.dispose());

describe('engine and oracle, at length', () => {
  it.each(Object.entries(TABLEAUX))('agree on %s', async (name, tableau) => {
    const found = agreement(await engineRenders(engine, tableau, EFFORT), oracleRenders(tableau, 'layered', EFFORT));
    console.info(
      `${name}: mean ${(100 * found.mean).toFixed(3)} ± ${(100 * found.standardError).toFixed(3)} %, least p × ${found.blocks} = ${found.corrected.toPrecision(2)}`,
    );
    expect(found.corrected).toBeGreaterThan(ALPHA);
    expect(Math.abs(found.mean)).toBeLessThan(0.005);
  });
});
