/** The bytes that peers run are what the sources say, and need nothing that engines may do differently. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileKernel, kernelModule, kernelSources } from '../../reference/bvh-kernel.ts';

const carrier = new URL('../../../workers/scene/bvh/kernel-wasm.ts', import.meta.url);

test('the compiled kernel is what its sources compile to', async () => {
  const text = kernelModule(await compileKernel());
  if (process.env['PICTOR_WRITE_KERNEL']) writeFileSync(carrier, text);
  expect(readFileSync(carrier, 'utf8')).toBe(text);
});

test('no relaxed instruction, no min or max whose result may be any NaN', () => {
  for (const [name, text] of kernelSources()) {
    expect(text, name).not.toMatch(/relaxed_|f32x4\.(min|max)\b|\bfma\b/);
  }
});
