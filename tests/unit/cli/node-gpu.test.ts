/** WebGPU in Node on a bare system: no Vulkan loader, no driver, no browser; only what npm brings. */
import { mkdtempSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { EAGER_TICKS, REST_MS, restDawn } from '#cli/dawn-ticks.ts';
import { chooseVulkan, findVulkan, prepareVulkan, SYSTEM_PLACES } from '#cli/gpu-environment.ts';
import { nodeGpu } from '#cli/node-gpu.ts';
import { cacheFolder } from '#cli/paths.ts';

const BARE = { driverFolders: [], chromiumFolders: [] };

test('hardware drivers come before software, and lavapipe only when Dawn accepts its age', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-icd-'));
  const manifest = (name: string, api: string) =>
    writeFileSync(join(folder, name), JSON.stringify({ ICD: { library_path: 'x.so', api_version: api } }));
  manifest('lvp_icd.x86_64.json', '1.3.230');
  manifest('nvidia_icd.json', '1.4.312');
  const names = () =>
    findVulkan(cacheFolder(), { driverFolders: [folder], chromiumFolders: [] }).drivers.map((path) => path.split('/').at(-1));
  expect(names()).toEqual(['nvidia_icd.json', 'vk_swiftshader_icd.json']);
  manifest('lvp_icd.x86_64.json', '1.4.305');
  expect(names()).toEqual(['nvidia_icd.json', 'lvp_icd.x86_64.json']);
});

test('which driver, and why, is one line; one can be named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-why-'));
  const places = { driverFolders: [folder], chromiumFolders: [] };
  const manifest = (name: string, api: string): string => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify({ ICD: { library_path: 'x.so', api_version: api } }));
    return path;
  };
  const why = (): string => findVulkan(cacheFolder(), places).why;
  const named = (name: string): readonly string[] | string => {
    const outcome = chooseVulkan(cacheFolder(), places, name);
    return outcome.ok ? outcome.setup.drivers.map((path) => path.split('/').at(-1)!) : outcome.text;
  };
  expect(why()).toMatch(/^SwiftShader: neither .* lavapipe/);
  const lavapipe = manifest('lvp_icd.x86_64.json', '1.3.230');
  expect(why()).toMatch(/^SwiftShader: the lavapipe here is older/);
  expect(named('lavapipe')).toMatch(/no driver 'lavapipe' here: name one of swiftshader/);
  manifest('lvp_icd.x86_64.json', '1.4.305');
  expect(why()).toMatch(/^lavapipe: no hardware driver .* faster than SwiftShader/);
  expect(named('hardware')).toMatch(/no driver 'hardware' here: name one of lavapipe, swiftshader/);
  manifest('nvidia_icd.json', '1.4.312');
  expect(why()).toBe('nvidia_icd.json; lavapipe if no GPU answers');
  expect(named('hardware')).toEqual(['nvidia_icd.json']);
  expect(named('lavapipe')).toEqual(['lvp_icd.x86_64.json']);
  expect(named('swiftshader')).toEqual(['vk_swiftshader_icd.json']);
  expect(named(lavapipe)).toEqual(['lvp_icd.x86_64.json']);
  expect(named(join(folder, 'absent.json'))).toMatch(/no driver/);
});

test('the environment is obeyed, and a driver that is named comes before it', () => {
  const before = process.env.VK_ICD_FILENAMES;
  process.env.VK_ICD_FILENAMES = '/somewhere/icd.json';
  const obeyed = prepareVulkan(cacheFolder(), BARE);
  expect(process.env.VK_ICD_FILENAMES).toBe('/somewhere/icd.json');
  expect(obeyed.ok && obeyed.setup.why).toBe('/somewhere/icd.json, as VK_ICD_FILENAMES says');
  expect(prepareVulkan(cacheFolder(), BARE, 'abacus')).toMatchObject({ ok: false });
  expect(process.env.VK_ICD_FILENAMES).toBe('/somewhere/icd.json');
  expect(prepareVulkan(cacheFolder(), BARE, 'swiftshader')).toMatchObject({ ok: true });
  expect(process.env.VK_ICD_FILENAMES).toMatch(/vk_swiftshader_icd\.json$/);
  if (before === undefined) delete process.env.VK_ICD_FILENAMES;
  else process.env.VK_ICD_FILENAMES = before;
});

test("a browser's SwiftShader is used in place, without unpacking ours", () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-chromium-'));
  mkdirSync(folder, { recursive: true });
  for (const name of ['vk_swiftshader_icd.json', 'libvulkan.so.1']) writeFileSync(join(folder, name), '{}');
  const setup = findVulkan('/nonexistent', { driverFolders: [], chromiumFolders: [folder] });
  expect(setup.drivers).toEqual([join(folder, 'vk_swiftshader_icd.json')]);
  expect(setup.loaders).toEqual(['libvulkan.so.1', join(folder, 'libvulkan.so.1')]);
  expect(SYSTEM_PLACES.driverFolders.length).toBeGreaterThan(0);
});

/** How often Dawn looked for what it waits for, and for how long. */
async function looksDuring(wait: () => Promise<unknown>): Promise<{ count: number; ms: number }> {
  const inner = globalThis.setImmediate;
  let count = 0;
  globalThis.setImmediate = ((callback: () => void) => (count++, inner(callback))) as typeof setImmediate;
  const from = performance.now();
  await wait();
  globalThis.setImmediate = inner;
  return { count, ms: performance.now() - from };
}

test("what is not Dawn's stays immediate, with its values", async () => {
  restDawn();
  const order: string[] = [];
  const bound = order.push.bind(order);
  await new Promise<void>((resolve) => {
    setImmediate(bound, 'native, with a value');
    setImmediate(() => order.push('of a module'));
    setImmediate((a: string, b: string) => (order.push(a + b), resolve()), 'with ', 'values');
  });
  expect(order).toEqual(['native, with a value', 'of a module', 'with values']);
  const never = setImmediate(() => order.push('cleared'));
  clearImmediate(never);
  await promisify(setImmediate)();
  expect(order).toHaveLength(3);
});

test('a compute shader runs on the bundled SwiftShader, and Dawn rests while it waits', async () => {
  delete process.env.VK_ICD_FILENAMES;
  delete process.env.VK_DRIVER_FILES;
  prepareVulkan(cacheFolder(), BARE);
  const gpu = await nodeGpu();
  const adapter = await gpu?.requestAdapter();
  expect(adapter?.info.architecture).toBe('swiftshader');
  const device = await adapter!.requestDevice();
  const code = `
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      var x = id.x;
      for (var i = 0u; i < 1000000u; i++) { x = x * 747796405u + 1u; }
      data[id.x] = select(id.x * id.x + 7u, x, x == 0u && id.x == 0u);
    }`;
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module: device.createShaderModule({ code }) } });
  const data = device.createBuffer({ size: 1024, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const read = device.createBuffer({ size: 1024, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: data } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(4);
  pass.end();
  encoder.copyBufferToBuffer(data, 0, read, 0, 1024);
  device.queue.submit([encoder.finish()]);
  const looks = await looksDuring(() => read.mapAsync(GPUMapMode.READ));
  expect(looks.count).toBeGreaterThan(0);
  expect(looks.count).toBeLessThanOrEqual(EAGER_TICKS + 2 + looks.ms / REST_MS);
  expect([...new Uint32Array(read.getMappedRange())]).toEqual(Array.from({ length: 256 }, (_, i) => i * i + 7));
});
