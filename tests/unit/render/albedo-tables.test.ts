/**
 * The albedo tables that ship are what their generator computes. With PICTOR_WRITE_TABLES=1 the file
 * is written anew instead, and then compared.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { direction, glassAlbedo, mirrorAlbedo } from '../../reference/albedo.ts';
import { encode, TABLES, tablesFile } from '../../reference/albedo-tables.ts';

const FILE = new URL('../../../shaders/bsdf/tables.ts', import.meta.url);
let text = '';
beforeAll(async () => {
  if (process.env.PICTOR_WRITE_TABLES) writeFileSync(FILE, await tablesFile());
  text = readFileSync(FILE, 'utf8');
}, 1_800_000);

function words(name: string): Uint16Array {
  const base64 = new RegExp(`const ${name} =\\s+'([^']*)'`).exec(text)?.[1] ?? '';
  return new Uint16Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);
}

describe('albedo tables', () => {
  for (const { name, length, at } of TABLES) {
    it(`${name} holds what the quadrature gives, at 40 places spread over it`, () => {
      const stored = words(name);
      expect(stored.length).toBe(length);
      for (let i = 0; i < 40; i++) {
        const index = Math.floor(((i * 0.6180339887) % 1) * length);
        expect(Math.abs(stored[index]! - encode(at(index))), `index ${index}`).toBeLessThanOrEqual(1);
      }
    });
  }
});

describe('the quadrature', () => {
  it('gives all light back where the interface is smooth', () => {
    const [a, b] = mirrorAlbedo(direction(0.6), [1e-3, 1e-3], 64);
    expect(a + b).toBeCloseTo(1, 4);
    expect(b).toBeCloseTo(0.4 ** 5, 4);
    expect(glassAlbedo(direction(0.6), 1e-3, 1.5, 64)[0]).toBeCloseTo(1, 4);
  });

  it('agrees with what is known of white GGX at normal incidence: alpha 0.09, 0.25, 1', () => {
    for (const [alpha, known] of [
      [0.09, 0.99],
      [0.25, 0.913],
      [1, 0.307],
    ] as const) {
      const [a, b] = mirrorAlbedo(direction(1), [alpha, alpha], 128);
      expect(Math.abs(a + b - known)).toBeLessThan(0.003);
    }
  });
});
