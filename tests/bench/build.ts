/**
 * Hierarchy builds alone: triangles per second of CPU time by this builder and by three-mesh-bvh's SAH
 * strategy over the same triangles in the same process, interleaved, the best of several runs each; what
 * either tree costs by the surface area heuristic; and what a compiled scene takes per triangle.
 */
import { BufferAttribute, BufferGeometry } from 'three';
import { MeshBVH, SAH } from 'three-mesh-bvh';
import { BvhNode, Triangle } from '#shaders/layout.ts';
import { bytesPerTriangle } from '#workers/render/scene-bytes.ts';
import { buildBvh } from '#workers/scene/bvh.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { buildWideTree } from '#workers/scene/wide-tree.ts';
import { benchScenes, bytesOf } from './scenes.ts';
import { figure, markdown, millions, times } from './table.ts';

const ROUNDS = 5;
/** Big scenes that no file holds: triangles of each. */
const MADE_TRIANGLES = 1_000_000;

export interface BuildRow {
  readonly scene: string;
  readonly triangles: number;
  /** Per second of CPU time on one thread. */
  readonly ours: number;
  readonly three: number;
  /** Expected cost of a ray in node visits and triangle tests, one as dear as the other. */
  readonly oursCost: number;
  readonly threeCost: number;
  readonly depth: number;
  /** Of the mesh on a device (bytesPerTriangle), with the binary tree and with the wide one; null for what was only made. */
  readonly bytesPerTriangle: { readonly binary: number; readonly wide: number } | null;
}

export interface BuildReport {
  readonly rows: readonly BuildRow[];
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** World triangles of a compiled scene, as corners. */
function trianglesOf({ triangles }: CompiledScene): Float32Array {
  const floats = new Float32Array(triangles.buffer, triangles.byteOffset, triangles.byteLength / 4);
  const words = Triangle.size / 4;
  const out = new Float32Array((floats.length / words) * 9);
  const corners = [Triangle.offsets.v0 / 4, Triangle.offsets.v1 / 4, Triangle.offsets.v2 / 4];
  for (let t = 0; t < floats.length / words; t++) {
    corners.forEach((corner, i) => out.set(floats.subarray(t * words + corner, t * words + corner + 3), t * 9 + i * 3));
  }
  return out;
}

/** Small triangles anywhere in a cube, from a linear congruence. */
function soup(count: number): Float32Array {
  let seed = 7;
  const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  const out = new Float32Array(count * 9);
  const size = 2 / Math.cbrt(count);
  for (let t = 0; t < count; t++) {
    const center = [random(), random(), random()] as const;
    for (let i = 0; i < 9; i++) out[t * 9 + i] = (center[i % 3] as number) + (random() - 0.5) * size;
  }
  return out;
}

/** Hills over a square. */
function terrain(count: number): Float32Array {
  const side = Math.round(Math.sqrt(count / 2));
  const out = new Float32Array(side * side * 18);
  const height = (x: number, z: number): number =>
    0.1 * Math.sin(x * 13) + 0.05 * Math.sin(z * 29 + x * 7) + 0.01 * Math.sin(x * 97) * Math.cos(z * 113);
  const corners = [0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1];
  for (let cell = 0, at = 0; cell < side * side; cell++) {
    for (let corner = 0; corner < 12; corner += 2, at += 3) {
      const x = ((cell % side) + (corners[corner] as number)) / side;
      const z = (Math.floor(cell / side) + (corners[corner + 1] as number)) / side;
      out.set([x, height(x, z), z], at);
    }
  }
  return out;
}

const half = (x: number, y: number, z: number): number => x * y + y * z + z * x;

/** Σ area of inner boxes + triangles × area of leaves, over the root's area. */
function costOfOurs(nodes: Uint8Array): number {
  const words = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const floats = new Float32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const child = BvhNode.size / 8;
  const edge = (a: number, b: number, axis: number): number =>
    Math.max(floats[a + 4 + axis] as number, floats[b + 4 + axis] as number) -
    Math.min(floats[a + axis] as number, floats[b + axis] as number);
  const areaOf = (a: number, b = a): number => half(edge(a, b, 0), edge(a, b, 1), edge(a, b, 2));
  const root = areaOf(0, child);
  let sum = root;
  for (let at = 0; at < words.length; at += child) {
    if ((floats[at] as number) <= (floats[at + 4] as number)) sum += areaOf(at) * Math.max(1, words[at + 7] as number);
  }
  return sum / root;
}

function costOfThree(tree: MeshBVH): number {
  let sum = 0;
  let root = 0;
  tree.traverse((depth, isLeaf, box, _offset, count) => {
    const at = (k: number): number => (box as unknown as Float32Array)[k] as number;
    const area = half(at(3) - at(0), at(4) - at(1), at(5) - at(2));
    if (depth === 0) root = area;
    sum += isLeaf ? area * (count as number) : area;
    return false;
  });
  return sum / root;
}

async function measure(scene: string, triangles: Float32Array, bytesPerTriangle: BuildRow['bytesPerTriangle']): Promise<BuildRow> {
  const count = triangles.length / 9;
  let [ours, three] = [Infinity, Infinity];
  let costs = [0, 0];
  let depth = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const started = cpuSeconds();
    const tree = await buildBvh(triangles, () => Promise.resolve(), { threads: 1 });
    ours = Math.min(ours, cpuSeconds() - started);
    // Indirect: so that the triangles stay where they are, which is what ours does too.
    const geometry = new BufferGeometry().setAttribute('position', new BufferAttribute(triangles, 3));
    if (round > 1 && count > MADE_TRIANGLES / 2) continue;
    const startedThree = cpuSeconds();
    const other = new MeshBVH(geometry, { strategy: SAH, indirect: true });
    three = Math.min(three, cpuSeconds() - startedThree);
    costs = [costOfOurs(tree.nodes), costOfThree(other)];
    depth = tree.depth;
  }
  const [oursCost, threeCost] = costs as [number, number];
  return { scene, triangles: count, ours: count / ours, three: count / three, oursCost, threeCost, depth, bytesPerTriangle };
}

/** @param wanted names of scenes; none: all, and two that are made here. */
export async function buildReport(wanted: readonly string[], say: (text: string) => void): Promise<BuildReport> {
  const rows: BuildRow[] = [];
  for (const { name, scene } of await benchScenes(wanted)) {
    say(`${name} …`);
    const compiled = await compileScene(new AbortController().signal, {
      scene: bytesOf(scene),
      environment: null,
      frameTimeS: 0,
      variant: null,
    });
    const stored = {
      binary: bytesPerTriangle(compiled),
      wide: bytesPerTriangle(compiled, { form: 'wide', byteLength: buildWideTree(compiled.nodes).rows.byteLength }),
    };
    rows.push(await measure(name, trianglesOf(compiled), stored));
  }
  const made =
    wanted.length > 0
      ? []
      : ([
          ['a soup', soup],
          ['a terrain', terrain],
        ] as const);
  for (const [name, make] of made) {
    say(`${name} …`);
    rows.push(await measure(name, make(MADE_TRIANGLES), null));
  }
  return { rows };
}

export function buildText({ rows }: BuildReport): string {
  const head = [
    'scene',
    'triangles',
    'M triangles/CPU s',
    'three-mesh-bvh',
    'ratio',
    'SAH cost',
    'three-mesh-bvh',
    'depth',
    'B/triangle',
    'with the wide tree',
  ];
  const cells = rows.map((row) => [
    row.scene,
    String(row.triangles),
    millions(row.ours),
    millions(row.three),
    times(row.ours / row.three),
    figure(row.oursCost),
    figure(row.threeCost),
    String(row.depth),
    figure(row.bytesPerTriangle?.binary),
    figure(row.bytesPerTriangle?.wide),
  ]);
  return [
    `Hierarchies on one thread of ${process.arch}, Node ${process.versions.node}, the best of ${ROUNDS} interleaved builds each.`,
    '',
    markdown(head, cells),
  ].join('\n');
}
