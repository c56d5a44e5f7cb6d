/**
 * A `GPU` for tests in Node (Dawn on whatever Vulkan driver there is) and in Chromium. Throws when
 * there is none: a GPU test fails without an adapter, it never skips.
 */

export async function testGpu(): Promise<GPU> {
  const inBrowser = typeof window !== 'undefined';
  const gpu = inBrowser ? navigator.gpu : await (await import('#cli/node-gpu.ts')).nodeGpu();
  if (!gpu) throw new Error('WebGPU is not there: install npm `webgpu`, or start Chromium with --enable-unsafe-webgpu');
  return gpu;
}
