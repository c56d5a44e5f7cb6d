/**
 * The long proofs stand on an adapter: which one, or a failure. A machine without WebGPU must not
 * end `npm run test:deep` with a line that reads as proof.
 */
import { expect, it } from 'vitest';
import { RenderEngine } from '#workers/render/engine.ts';
import { testGpu } from '../gpu/device.ts';

it('runs on an adapter that builds the kernels', async () => {
  const engine = new RenderEngine(await testGpu());
  const report = await engine.probe();
  await engine.dispose();
  if (!report.ok) throw new Error(report.text);
  console.log(`deep tests run on ${report.adapter.class} (${report.adapter.name})`);
  expect(report.adapter.class).toMatch(/\/tint$/);
});

it('gets no report from an engine without one (control)', async () => {
  const engine = new RenderEngine(undefined);
  expect(await engine.probe()).toMatchObject({ ok: false, reason: 'no-webgpu' });
  await engine.dispose();
});
