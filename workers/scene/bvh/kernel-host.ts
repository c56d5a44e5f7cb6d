/**
 * Runs the compiled kernel over one part of a scene. The memory of an instance grows to 106 bytes per
 * triangle of the largest part and half a megabyte, so at most 28 MB, and is kept for the next scene,
 * because fresh pages cost a fifth of a build; a call takes some tens of milliseconds, between which
 * callers look for an abort. Knows nothing of scenes.
 */
import { KERNEL_WASM } from './kernel-wasm.ts';

/** Triangles of one part: what the kernel takes, and what keeps one call short. */
export const PART_TRIANGLES = 1 << 18;

export interface KernelExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  start(count: number): number;
  build(leafMax: number, depthMax: number, bunch: number, moves: number, rounds: number, balanced: number): void;
  nodes(): number;
  nodesMade(): number;
  order(): number;
  depth(): number;
}

/** One part: more than `leafMax` triangles, three corners of 3 numbers each. */
export interface PartJob {
  readonly triangles: Float32Array;
  /** Which of the triangles; null: all of them. */
  readonly members: Uint32Array | null;
  readonly leafMax: number;
  /** Must suffice for halving. */
  readonly depthMax: number;
  /** Of reinsertion. */
  readonly rounds: number;
}

export interface PartTree {
  /** BvhNode[], depth first. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Triangle of the part for each place in leaf order. */
  readonly order: Uint32Array<ArrayBuffer>;
  readonly depth: number;
}

let compiled: Promise<WebAssembly.Module> | null = null;

export function kernelModule(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(Uint8Array.from(atob(KERNEL_WASM), (c) => c.charCodeAt(0)));
  return compiled;
}

let running: Promise<KernelExports> | null = null;

/** The instance of this thread; a part is built without a pause, so callers cannot meet in it. */
export function startKernel(): Promise<KernelExports> {
  running ??= kernelModule().then(async (module) => (await WebAssembly.instantiate(module)).exports as KernelExports);
  return running;
}

/**
 * Refers to nothing outside itself, because threads get its text (threads.ts). A tree that came out
 * too deep is built again by halves.
 * @throws Error when there is no memory.
 */
export function buildPart(kernel: KernelExports, { triangles, members, leafMax, depthMax, rounds }: PartJob): PartTree {
  const count = members ? members.length : triangles.length / 9;
  // Triangles that are clustered from below, and boxes that are reinserted in a round: all of a small scene's.
  const bunch = 32;
  const moves = Math.max(1024, count >> 5);
  for (const balanced of [0, 1]) {
    const at = kernel.start(count);
    if (at === 0) throw new Error('There is no memory to build the hierarchy in.');
    const corners = new Float32Array(kernel.memory.buffer, at, count * 9);
    if (!members) corners.set(triangles);
    // Written out, because this loop would otherwise take as long as the tree.
    for (let i = 0, to = 0; members && i < count; i++, to += 9) {
      const from = (members[i] as number) * 9;
      corners[to] = triangles[from] as number;
      corners[to + 1] = triangles[from + 1] as number;
      corners[to + 2] = triangles[from + 2] as number;
      corners[to + 3] = triangles[from + 3] as number;
      corners[to + 4] = triangles[from + 4] as number;
      corners[to + 5] = triangles[from + 5] as number;
      corners[to + 6] = triangles[from + 6] as number;
      corners[to + 7] = triangles[from + 7] as number;
      corners[to + 8] = triangles[from + 8] as number;
    }
    kernel.build(leafMax, depthMax, bunch, moves, balanced ? 0 : rounds, balanced);
    if (kernel.depth() <= depthMax) break;
  }
  const bytes = new Uint8Array(kernel.memory.buffer);
  return {
    nodes: bytes.slice(kernel.nodes(), kernel.nodes() + kernel.nodesMade() * 64),
    order: new Uint32Array(kernel.memory.buffer.slice(kernel.order(), kernel.order() + count * 4)),
    depth: kernel.depth(),
  };
}
