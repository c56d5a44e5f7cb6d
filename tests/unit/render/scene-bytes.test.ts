/** What a scene is said to take on a device, against what is uploaded for it. */
import { expect, test, vi } from 'vitest';
import { Triangle, TriangleCorners, Vertex, VertexExtra } from '#shaders/layout.ts';
import { roomWith, SceneBuffers } from '#workers/render/scene-buffers.ts';
import { bytesPerTriangle, sceneBytes } from '#workers/render/scene-bytes.ts';
import { compileKit, material, quad, sphere, type KitScene } from '../../gpu/kit.ts';

const TEXEL_BYTES = { rgba8uint: 4, rgba32float: 16, rg32uint: 8, rgba32uint: 16, r32float: 4, rgba16float: 8 } as const;

const scene = (rings: number, texels?: KitScene['texels']): KitScene => ({
  triangles: [...quad([-1, 0, -1], [-1, 0, 1], [1, 0, 1], [1, 0, -1], 0), ...sphere([0, 1, 0], 1, 0, rings)],
  materials: [material({})],
  ...(texels ? { texels } : {}),
});

test('every section counts, the largest alone as a binding', async () => {
  const compiled = await compileKit(scene(16));
  const { needs } = compiled.summary;
  const sections = [compiled.nodes, compiled.triangles, compiled.corners, compiled.vertices, compiled.materials];
  const mesh = sections.reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(needs.bytes).toBeGreaterThan(mesh);
  expect(needs.bytes).toBeLessThan(mesh + 4_096);
  expect(needs.bindingBytes).toBe(Math.max(...sections.map(({ byteLength }) => byteLength)));
});

test('texels count in full, and a finer mesh takes more', async () => {
  const { summary } = await compileKit(scene(16));
  const textured = await compileKit(scene(16, { side: 64, layers: 3, data: new Uint8Array(64 * 64 * 3 * 4) }));
  expect(textured.summary.needs.bytes - summary.needs.bytes).toBe(64 * 64 * 3 * 4 - 4);
  expect((await compileKit(scene(32))).summary.needs.bytes).toBeGreaterThan(2 * summary.needs.bytes);
});

test('what grows with the mesh counts per triangle, its tree as it is uploaded, and nothing else', async () => {
  const compiled = await compileKit(scene(16, { side: 64, layers: 3, data: new Uint8Array(64 * 64 * 3 * 4) }));
  const triangles = compiled.triangles.byteLength / Triangle.size;
  const flat = 3 * Vertex.size + Triangle.size + TriangleCorners.size;
  expect(bytesPerTriangle(compiled)).toBeCloseTo(flat + compiled.nodes.byteLength / triangles, 9);
  expect(bytesPerTriangle(compiled, { form: 'wide', byteLength: 800 })).toBeCloseTo(flat + 800 / triangles, 9);
  const extras = new Uint8Array(3 * triangles * VertexExtra.size);
  expect(bytesPerTriangle({ ...compiled, extras }, { form: 'wide', byteLength: 800 })).toBeCloseTo(flat + 48 + 800 / triangles, 9);
  expect(bytesPerTriangle(compiled, { form: 'wide-texels', byteLength: 800 })).toBeCloseTo(flat + Triangle.size + 800 / triangles, 9);
  expect(sceneBytes({ ...compiled, extras }).bytes - sceneBytes(compiled).bytes).toBe(extras.byteLength);
});

test.each(['binary', 'wide', 'wide-texels'] as const)('what is said of a device with the %s tree is what is made on it', async (tree) => {
  const compiled = await compileKit(scene(16, { side: 64, layers: 3, data: new Uint8Array(64 * 64 * 3 * 4) }));
  const made: { label: string; bytes: number; buffer: boolean }[] = [];
  // Stands for a driver: keeps what it is asked for.
  const device = {
    createBuffer: ({ label, size }: { label: string; size: number }) => {
      made.push({ label, bytes: size, buffer: true });
      return {};
    },
    createTexture: ({ label, size, format }: { label: string; size: readonly number[]; format: keyof typeof TEXEL_BYTES }) => {
      made.push({ label, bytes: size.reduce((product, n) => product * n, 1) * TEXEL_BYTES[format], buffer: false });
      return { createView: () => ({}), destroy: () => {} };
    },
    queue: { writeBuffer: () => {}, writeTexture: () => {} },
  } as unknown as GPUDevice;
  vi.stubGlobal('GPUBufferUsage', { STORAGE: 1, COPY_DST: 2 });
  vi.stubGlobal('GPUTextureUsage', { TEXTURE_BINDING: 1, COPY_DST: 2 });
  expect(new SceneBuffers(device, compiled, tree).tree).toBe(tree);
  vi.unstubAllGlobals();
  const own = made.filter(({ label }) => !label.startsWith('albedo'));
  const room = roomWith(compiled, tree);
  const unsaid = room.bytes - own.reduce((sum, { bytes }) => sum + bytes, 0);
  // One texel that stands for nothing counts 16 bytes, and the one of profiles takes 4.
  expect(unsaid).toBe(16 - 4);
  expect(Math.max(...own.filter(({ buffer }) => buffer).map(({ bytes }) => bytes))).toBe(room.bindingBytes);
  if (tree === 'wide-texels') expect(room.bytes).toBeGreaterThan(roomWith(compiled, 'wide').bytes + compiled.triangles.byteLength);
});

test('an empty scene still takes what must be bound', async () => {
  const empty = await compileKit({ triangles: [], materials: [material({})] });
  expect(sceneBytes(empty).bytes).toBeGreaterThan(0);
  expect(bytesPerTriangle(empty)).toBeGreaterThanOrEqual(0);
});
