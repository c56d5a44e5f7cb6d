/** PNGs through ffmpeg's decoder: every value of 8 and of 16 bits comes back, and the file says that it is sRGB. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodePng } from '#lib/image/png.ts';
import { toneMap } from '#lib/image/tonemap.ts';
import { decodeByFfmpeg } from '../reference/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pictor-png-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [WIDTH, HEIGHT] = [700, 500];
const TONE = { exposure: 0.5, operator: 'agx' } as const;
const light = Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => ((Math.imul(i, 2_654_435_761) >>> 8) % 10_000) / 4000);
const coverage = Float32Array.from({ length: WIDTH * HEIGHT }, (_, p) => (p % 11) / 10);

test.each([
  { bits: 8, alpha: null, format: 'rgb24' },
  { bits: 8, alpha: coverage, format: 'rgba' },
  { bits: 16, alpha: null, format: 'rgb48be' },
  { bits: 16, alpha: coverage, format: 'rgba64be' },
] as const)('$format', async ({ bits, alpha, format }) => {
  const path = join(folder, `${format}.png`);
  writeFileSync(path, await encodePng(light, alpha, { width: WIDTH, height: HEIGHT, bits }, TONE, { Software: 'Pictor' }));
  const wanted = bits === 16 ? new Uint16Array(WIDTH * HEIGHT * 4) : new Uint8ClampedArray(WIDTH * HEIGHT * 4);
  toneMap(light, wanted, TONE, alpha ?? undefined);
  const kept = alpha ? wanted : wanted.filter((_, i) => i % 4 !== 3);
  const bytes = decodeByFfmpeg(path, format);
  const view = new DataView(bytes.buffer);
  let wrong = 0;
  for (let i = 0; i < kept.length; i++) if ((bits === 16 ? view.getUint16(i * 2) : bytes[i]) !== kept[i]) wrong++;
  expect([bytes.length, wrong]).toEqual([(kept.length * bits) / 8, 0]);
  // Control: values that differ in a low byte are told apart.
  expect(new Set(kept).size).toBeGreaterThan(bits === 16 ? 5000 : 100);
});
