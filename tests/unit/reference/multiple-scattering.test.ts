/**
 * Is Turquin's compensation near the truth? The albedo of rough metal by the oracle's layered model
 * against a random walk on the microsurface, over roughness, angle and colour.
 */
import { describe, expect, it } from 'vitest';
import { Bsdf, type Model, type V3 } from '../../reference/oracle/material.ts';
import { metalAlbedo } from '../../reference/oracle/random-walk.ts';
import { randomStream } from '../../reference/oracle/tracer.ts';

const WALKS = 10_000;

/** ∫ f cos over the hemisphere, of a metal of one grey. */
function modelAlbedo(base: number, roughness: number, cosine: number, model: Model): number {
  const bsdf = new Bsdf({ base: [base, base, base], metallic: 1, roughness, emissive: [0, 0, 0] }, model);
  const v: V3 = [Math.sqrt(1 - cosine * cosine), 0, cosine];
  const steps = 128;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const z = (i + 0.5) / steps;
    const r = Math.sqrt(1 - z * z);
    for (let j = 0; j < steps; j++) {
      const phi = (Math.PI * (j + 0.5)) / steps;
      sum += (bsdf.value(v, [r * Math.cos(phi), r * Math.sin(phi), z])[0] * 2 * Math.PI) / steps / steps;
    }
  }
  return sum;
}

const CASES = [0.5, 0.7, 1].flatMap((roughness) =>
  [0.3, 0.9].flatMap((cosine) => [0.5, 0.9].map((base) => [roughness, cosine, base] as const)),
);

describe('rough metal', () => {
  it('of the layered model reflects what a walk on its facets does, within 6 % of the light (4.0 %)', () => {
    let [layered, literal] = [0, 0];
    for (const [roughness, cosine, base] of CASES) {
      const truth = metalAlbedo(base, roughness ** 2, cosine, WALKS, randomStream(5));
      layered = Math.max(layered, Math.abs(modelAlbedo(base, roughness, cosine, 'layered') - truth.all));
      literal = Math.max(literal, Math.abs(modelAlbedo(base, roughness, cosine, 'literal') - truth.all));
      // One step alone is what the literal text integrates to: the walk is on the same surface.
      expect(Math.abs(modelAlbedo(base, roughness, cosine, 'literal') - truth.once), `${roughness} ${cosine} ${base}`).toBeLessThan(0.02);
    }
    console.info(`largest distance to the walk: layered ${layered.toFixed(4)}, literal ${literal.toFixed(4)} of the light`);
    expect(layered).toBeLessThan(0.06);
    expect(literal, 'single scattering is far off (control)').toBeGreaterThan(0.15);
  });

  it('that is white gives everything back in a walk', () => {
    expect(metalAlbedo(1, 1, 0.5, 2000, randomStream(3)).all).toBeCloseTo(1, 9);
  });
});
