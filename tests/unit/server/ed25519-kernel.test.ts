/** The bytes of the kernel that verifies signatures together are what its sources say. */
import { expect, test } from 'vitest';
import { carriedKernel } from '../../reference/kernels.ts';

test('the compiled kernel is what its sources compile to', async () => {
  const what = 'signatures that are verified together';
  const kernel = { folder: 'src/lib/server/ed25519/kernel', what, test: 'tests/unit/server/ed25519-kernel.test.ts' };
  const { carried, compiled } = await carriedKernel(kernel);
  expect(carried).toBe(compiled);
});
