/**
 * What a ray costs over our trees and over three-mesh-bvh's by its surface area heuristic: the same rays,
 * the same traversal for both binary trees, counted exactly. Prints a table. Costs are lane instructions
 * as the bench counts them (tests/bench/bound.ts): the boxes of a node's children, and a triangle.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BufferAttribute, BufferGeometry } from 'three';
import { MeshBVH, SAH } from 'three-mesh-bvh';
import { beforeAll, expect, it } from 'vitest';
import { BvhNode, NODE_INSTANCE, NONE, Triangle, TriangleCorners } from '#shaders/layout.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { instructionsPerRay } from '../bench/bound.ts';
import { testGpu } from '../gpu/device.ts';
import { RayCaster } from '../gpu/rays.ts';
import { randomNumbers } from '../unit/scene/oracle.ts';

const SHARED = join(import.meta.dirname, '../../../shared/reference/scenes');
const SHIPPED = join(import.meta.dirname, '../../static/samples');
const FOLDER = existsSync(SHARED) ? SHARED : SHIPPED;
const RAYS = 20_000;
/**
 * The binary tree is built to be folded into the wide one, for which leaves of three are best; theirs have
 * ten. Over flight-helmet's layers of cloth that costs the binary one 2.4 % more, elsewhere it is cheaper.
 */
const BINARY_EXCESS_MAX = 0.03;
const NODE = BvhNode.size / 4;

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const floats = (bytes: Uint8Array): Float32Array => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

/** Three corners of three numbers for each triangle. */
function corners({ triangles }: CompiledScene): Float32Array<ArrayBuffer> {
  const from = floats(triangles);
  const out = new Float32Array((triangles.byteLength / Triangle.size) * 9);
  for (let i = 0; i < out.length; i++) out[i] = from[Math.floor(i / 9) * 12 + Math.floor((i % 9) / 3) * 4 + (i % 3)]!;
  return out;
}

/** The scene over three-mesh-bvh's tree, its rows in our layout: 32-byte nodes in depth-first order, right children by offset. */
function overTheirs(scene: CompiledScene): CompiledScene {
  const positions = corners(scene);
  const count = positions.length / 9;
  const geometry = new BufferGeometry().setAttribute('position', new BufferAttribute(positions, 3));
  geometry.setIndex(
    new BufferAttribute(
      Uint32Array.from({ length: count * 3 }, (_, i) => i),
      1,
    ),
  );
  const [root] = MeshBVH.serialize(new MeshBVH(geometry, { strategy: SAH }), { cloneBuffers: false }).roots as unknown as [ArrayBuffer];
  const [f, u, h] = [new Float32Array(root), new Uint32Array(root), new Uint16Array(root)];
  const nodes = new Uint8Array(count * BvhNode.size);
  const [out, bits] = [floats(nodes), words(nodes)];
  let used = 0;
  const write = (at: number): number => {
    const node = used++;
    for (const [side, child] of [at + 8, at + u[at + 6]! * 8].entries()) {
      const to = node * NODE + (side * NODE) / 2;
      out.set(f.subarray(child, child + 3), to);
      out.set(f.subarray(child + 3, child + 6), to + 4);
      const leaf = h[child * 2 + 15] === 0xffff;
      bits[to + 7] = leaf ? h[child * 2 + 14]! : 0;
      bits[to + 3] = leaf ? u[child + 6]! : write(child);
    }
    return node;
  };
  write(0);
  const order = Array.from({ length: count }, (_, place) => geometry.index!.getX(place * 3) / 3);
  const moved = (rows: Uint8Array, size: number): Uint8Array<ArrayBuffer> => {
    const to = new Uint8Array(rows.byteLength);
    order.forEach((from, place) => to.set(rows.subarray(from * size, from * size + size), place * size));
    return to;
  };
  return {
    ...scene,
    nodes: nodes.slice(0, used * BvhNode.size),
    triangles: moved(scene.triangles, Triangle.size),
    corners: moved(scene.corners, TriangleCorners.size),
  };
}

/** Half from points of the scene's box towards its middle, half off its surfaces, as light is scattered. */
function raysIn(scene: CompiledScene): Float32Array<ArrayBuffer> {
  const random = randomNumbers(5);
  const positions = corners(scene);
  const { min, max } = scene.summary.bounds;
  const out = new Float32Array(RAYS * 8);
  const skips = words(new Uint8Array(out.buffer));
  const signed = (): number => random() * 2 - 1;
  for (let i = 0; i < RAYS; i++) {
    const from = Math.floor(random() * (positions.length / 9)) * 9;
    const [u, v] = [random(), random()].toSorted((a, b) => a - b) as [number, number];
    const way = [signed(), signed(), signed()];
    for (let axis = 0; axis < 3; axis++) {
      const size = max[axis]! - min[axis]!;
      const corner = (k: number): number => positions[from + k * 3 + axis]!;
      const surface = corner(0) * u + corner(1) * (v - u) + corner(2) * (1 - v) + way[axis]! * 1e-4 * size;
      const eye = min[axis]! + size * (0.5 + 0.45 * signed());
      out[i * 8 + axis] = i % 2 === 0 ? eye : surface;
      out[i * 8 + 4 + axis] = i % 2 === 0 ? (min[axis]! + max[axis]!) / 2 + 0.5 * size * signed() - eye : way[axis]!;
    }
    skips[i * 8 + 3] = NONE;
  }
  return out;
}

const scenes = readdirSync(FOLDER).filter((file) => file.endsWith('.glb'));

it.each(scenes)(
  `a ray costs no more over the wide tree than over three-mesh-bvh's: %s of ${FOLDER === SHARED ? 'the shared scenes' : 'the shipped samples'}`,
  async (file) => {
    const bytes = new Uint8Array(readFileSync(join(FOLDER, file)));
    const scene = await compileScene(new AbortController().signal, { scene: bytes, environment: null, frameTimeS: 0, variant: null });
    const placed = words(scene.nodes).some((word, i) => i % 8 === 7 && word >= NODE_INSTANCE);
    // Their tree has no instances to be compared with.
    expect(placed).toBe(false);
    const rays = raysIn(scene);
    const measure = async (of: CompiledScene, tree: 'binary' | 'wide') => {
      const caster = await RayCaster.create(gpu, of, tree);
      const hits = await caster.castWords(rays);
      caster.destroy();
      expect(hits.faults).toBe(0);
      const mean = (counts: Uint32Array): number => counts.reduce((sum, n) => sum + n, 0) / RAYS;
      const perRay = { nodes: mean(hits.visits), triangles: mean(hits.tests) };
      return { hits, ...perRay, cost: instructionsPerRay(perRay, tree) };
    };
    const [binary, wide, theirs] = [
      await measure(scene, 'binary'),
      await measure(scene, 'wide'),
      await measure(overTheirs(scene), 'binary'),
    ];
    const row = ({ nodes, triangles, cost }: typeof binary): string =>
      `${nodes.toFixed(2)} nodes, ${triangles.toFixed(2)} triangles, ${cost.toFixed(0)}`;
    console.log(`${file}: binary ${row(binary)} | wide ${row(wide)} | three-mesh-bvh ${row(theirs)}`);
    expect(wide.hits.primitive).toEqual(binary.hits.primitive);
    expect(theirs.hits.primitive).toEqual(binary.hits.primitive);
    expect(wide.cost).toBeLessThanOrEqual(theirs.cost);
    expect(binary.cost).toBeLessThanOrEqual(theirs.cost * (1 + BINARY_EXCESS_MAX));
  },
);
