/** What a scene is said to take on a device, against what is uploaded for it. */
import { expect, test } from 'vitest';
import { Triangle, TriangleCorners, Vertex, VertexExtra } from '#shaders/layout.ts';
import { bytesPerTriangle, sceneBytes } from '#workers/render/scene-bytes.ts';
import { compileKit, material, quad, sphere, type KitScene } from '../../gpu/kit.ts';

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
  expect(bytesPerTriangle(compiled, 800)).toBeCloseTo(flat + 800 / triangles, 9);
  const extras = new Uint8Array(3 * triangles * VertexExtra.size);
  expect(bytesPerTriangle({ ...compiled, extras }, 800)).toBeCloseTo(flat + 48 + 800 / triangles, 9);
  expect(sceneBytes({ ...compiled, extras }).bytes - sceneBytes(compiled).bytes).toBe(extras.byteLength);
});

test('an empty scene still takes what must be bound', async () => {
  const empty = await compileKit({ triangles: [], materials: [material({})] });
  expect(sceneBytes(empty).bytes).toBeGreaterThan(0);
  expect(bytesPerTriangle(empty)).toBeGreaterThanOrEqual(0);
});
