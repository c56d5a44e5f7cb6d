/** The bytes that peers run are what the sources say, and need nothing that engines may do differently. */
import { expect, test } from 'vitest';
import { carriedKernel, kernelSources } from '../../reference/kernels.ts';

const kernel = {
  folder: 'workers/scene/bvh/kernel',
  what: "the hierarchy's builder",
  test: 'tests/unit/scene/bvh-kernel.test.ts',
  pages: 3,
};

test('the compiled kernel is what its sources compile to', async () => {
  const { carried, compiled } = await carriedKernel(kernel);
  expect(carried).toBe(compiled);
});

test('no relaxed instruction, no min or max whose result may be any NaN', () => {
  for (const [name, text] of kernelSources(kernel)) {
    expect(text, name).not.toMatch(/relaxed_|f32x4\.(min|max)\b|\bfma\b/);
  }
});
