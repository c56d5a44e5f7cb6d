/**
 * The light tree: a binary hierarchy over all lights with a place, split where the surface area
 * orientation heuristic is lowest (Conty Estevez and Kulla 2018; pbrt-v4 section 12.6.3), one light
 * to a leaf, no deeper than a 32-bit trail. Exact arithmetic and fixed orders, so that every peer
 * writes the same bytes. Knows nothing of triangles, textures or profiles.
 */
import { LIGHT_NODE_LEAF, LIGHT_NODE_TWO_SIDED, LIGHT_TREE_DEPTH_MAX, LightNode } from '#shaders/layout.ts';
import { cos } from './exact-math.ts';
import { orientationCost, uniteBounds, type LightBounds } from './light-cone.ts';

export interface LightTree {
  /** LightNode[]; node 0 is the root. Empty without lights. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** For each light its `Light.trail`. */
  readonly trails: Uint32Array<ArrayBuffer>;
}

const BUCKETS = 12;
/** Lights between two looks at the clock. */
const PAUSE_EVERY = 4096;

interface Work {
  readonly node: number;
  readonly first: number;
  readonly end: number;
  readonly depth: number;
  readonly trail: number;
}

/** @param lights in the order of the light table. `pause` gives way and throws once aborted. */
export async function buildLightTree(lights: readonly LightBounds[], pause: () => Promise<void>): Promise<LightTree> {
  const count = lights.length;
  const trails = new Uint32Array(count);
  if (count === 0) return { nodes: new Uint8Array(0), trails };
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const sink = new NodeSink(2 * count - 1, total(lights));
  const spare = new Uint32Array(count);
  const stack: Work[] = [{ node: 0, first: 0, end: count, depth: 0, trail: 0 }];
  let [nodes, seen] = [1, 0];
  for (let work = stack.pop(); work; work = stack.pop()) {
    const { node, first, end, depth, trail } = work;
    if (seen >= PAUSE_EVERY) {
      seen = 0;
      await pause();
    }
    seen += end - first;
    const bounds = boundsOf(lights, order, first, end);
    if (end - first === 1) {
      const light = order[first] as number;
      trails[light] = trail >>> 0;
      sink.write(node, bounds, light, LIGHT_NODE_LEAF);
      continue;
    }
    const middle = divide(lights, order, spare, first, end, bounds, depth);
    sink.write(node, bounds, nodes, 0);
    const right = (trail | (1 << depth)) >>> 0;
    stack.push({ node: nodes + 1, first: middle, end, depth: depth + 1, trail: right });
    stack.push({ node: nodes, first, end: middle, depth: depth + 1, trail });
    nodes += 2;
  }
  return { nodes: sink.bytes, trails };
}

const total = (lights: readonly LightBounds[]): number => lights.reduce((sum, { intensity }) => sum + intensity, 0);

function boundsOf(lights: readonly LightBounds[], order: Uint32Array, first: number, end: number): LightBounds {
  let bounds: LightBounds | null = null;
  for (let i = first; i < end; i++) bounds = uniteBounds(bounds, lights[order[i] as number] as LightBounds);
  return bounds as LightBounds;
}

const centre = (light: LightBounds, axis: number): number => ((light.min[axis] as number) + (light.max[axis] as number)) / 2;

interface Split {
  readonly axis: number;
  readonly low: number;
  readonly width: number;
  /** Buckets up to this one go left. */
  readonly bucket: number;
}

const bucketOf = (light: LightBounds, { axis, low, width }: Omit<Split, 'bucket'>): number =>
  Math.min(BUCKETS - 1, Math.floor(((centre(light, axis) - low) / width) * BUCKETS));

/** Reorders [first, end), stably, and returns where its right half starts. */
function divide(
  lights: readonly LightBounds[],
  order: Uint32Array,
  spare: Uint32Array,
  first: number,
  end: number,
  bounds: LightBounds,
  depth: number,
): number {
  const halves = (first + end) >>> 1;
  // As deep as halving alone still fits below: no freedom left.
  if (depth + (32 - Math.clz32(end - first - 1)) >= LIGHT_TREE_DEPTH_MAX) return halves;
  const split = bestSplit(lights, order, first, end, bounds);
  if (!split) return halves;
  let [left, right] = [first, 0];
  for (let i = first; i < end; i++) {
    const light = order[i] as number;
    if (bucketOf(lights[light] as LightBounds, split) <= split.bucket) order[left++] = light;
    else spare[right++] = light;
  }
  order.set(spare.subarray(0, right), left);
  return left;
}

/** null: all centres are in one place. */
function bestSplit(lights: readonly LightBounds[], order: Uint32Array, first: number, end: number, bounds: LightBounds): Split | null {
  let best: Split | null = null;
  let lowest = Infinity;
  const longest = Math.max(...[0, 1, 2].map((k) => (bounds.max[k] as number) - (bounds.min[k] as number)));
  for (let axis = 0; axis < 3; axis++) {
    let [low, high] = [Infinity, -Infinity];
    for (let i = first; i < end; i++) {
      const at = centre(lights[order[i] as number] as LightBounds, axis);
      low = Math.min(low, at);
      high = Math.max(high, at);
    }
    if (!(high > low)) continue;
    const frame = { axis, low, width: high - low };
    const buckets = new Array<LightBounds | null>(BUCKETS).fill(null);
    for (let i = first; i < end; i++) {
      const light = lights[order[i] as number] as LightBounds;
      const at = bucketOf(light, frame);
      buckets[at] = uniteBounds(buckets[at] ?? null, light);
    }
    const stretch = longest / ((bounds.max[axis] as number) - (bounds.min[axis] as number));
    sweep(buckets).forEach((cost, bucket) => {
      if (cost * stretch >= lowest) return;
      lowest = cost * stretch;
      best = { ...frame, bucket };
    });
  }
  return best;
}

/** Cost of splitting behind each bucket but the last; Infinity where a side would be empty. */
function sweep(buckets: readonly (LightBounds | null)[]): number[] {
  const costs = new Array<number>(BUCKETS - 1).fill(Infinity);
  const above: (LightBounds | null)[] = new Array<LightBounds | null>(BUCKETS).fill(null);
  let side: LightBounds | null = null;
  for (let i = BUCKETS - 1; i > 0; i--) {
    const bucket = buckets[i];
    if (bucket) side = uniteBounds(side, bucket);
    above[i] = side;
  }
  side = null;
  for (let i = 0; i < BUCKETS - 1; i++) {
    const bucket = buckets[i];
    if (bucket) side = uniteBounds(side, bucket);
    const right = above[i + 1];
    if (side && right) costs[i] = orientationCost(side) + orientationCost(right);
  }
  return costs;
}

/** Writes LightNode rows by hand: there can be millions. */
class NodeSink {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #floats: Float32Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #total: number;

  constructor(nodes: number, sum: number) {
    this.bytes = new Uint8Array(nodes * LightNode.size);
    this.#floats = new Float32Array(this.bytes.buffer);
    this.#words = new Uint32Array(this.bytes.buffer);
    this.#total = sum;
  }

  write(node: number, bounds: LightBounds, child: number, flags: number): void {
    const at = (node * LightNode.size) / 4;
    const offset = LightNode.offsets;
    let radiusSquared = 0;
    for (let k = 0; k < 3; k++) {
      const [low, high] = [bounds.min[k] as number, bounds.max[k] as number];
      this.#floats[at + offset.centre / 4 + k] = (low + high) / 2;
      this.#floats[at + offset.axis / 4 + k] = bounds.axis[k] as number;
      radiusSquared += ((high - low) * (high - low)) / 4;
    }
    this.#floats[at + offset.radius_squared / 4] = radiusSquared;
    this.#floats[at + offset.intensity / 4] = bounds.intensity / this.#total;
    this.#floats[at + offset.cos_normals / 4] = cos(bounds.normals);
    this.#floats[at + offset.cos_emission / 4] = cos(bounds.emission);
    this.#words[at + offset.child / 4] = child;
    this.#words[at + offset.flags / 4] = flags | (bounds.twoSided ? LIGHT_NODE_TWO_SIDED : 0);
  }
}
