/**
 * Writes the wide tree of a compiled scene as the device reads it: rows of WideNode, with instances among
 * them. Boxes of children stand on their node's grid and never get smaller. Children take the slots whose
 * octant they lie in, so that a ray meets them about nearest first by the signs of its direction alone
 * (Ylitie, Karras and Laine 2017, section 3.3). Decides nothing: that is wide-plan.ts.
 */
import { BvhNode, Instance, WideInstance, WideNode } from '#shaders/layout.ts';
import { INNER, LEAF, WidePlan, WIDTH } from './wide-plan.ts';

export interface WideTree {
  /** WideNode[] and WideInstance[]; row 0 is the root. */
  readonly rows: Uint8Array<ArrayBuffer>;
  /** Levels of nodes from the root of the world to the deepest one, through an instance. */
  readonly depth: number;
}

const AT = WideNode.offsets;
const LOWS = [AT.low_x, AT.low_y, AT.low_z] as const;
const HIGHS = [AT.high_x, AT.high_y, AT.high_z] as const;
const STEPS = 255;
/** `meta` of a child with a row, less its slot; ones for the triangles of a leaf by their number. */
const META_ROW = 0x20 | 24;
const META_TRIANGLES = [0, 0x20, 0x60, 0xe0] as const;

/** @param nodes of the binary tree, after orderForWide. @throws Error when they are in another order, or overfull leaves are among them. */
export function buildWideTree(nodes: Uint8Array<ArrayBuffer>): WideTree {
  return new Writer(nodes).write();
}

class Writer {
  readonly #plan: WidePlan;
  readonly #nodes: Uint8Array<ArrayBuffer>;
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #floats: Float32Array<ArrayBuffer>;
  #rows = 0;
  #depth = 0;
  /** Nodes to be written: the binary node each stands for, its row, its level. */
  readonly #waiting: number[] = [];
  readonly #instances: number[] = [];
  /** Boxes of the children of a node, and of all of them. */
  readonly #low = new Float64Array(3 * WIDTH);
  readonly #high = new Float64Array(3 * WIDTH);
  readonly #least = new Float64Array(3);
  readonly #most = new Float64Array(3);
  readonly #slots = new Uint8Array(WIDTH);
  /** Child of each slot, or -1. */
  readonly #children = new Int8Array(WIDTH);
  /** Doubled way from the middle of all to the middle of each child, and its length along the diagonals. */
  readonly #away = new Float64Array(4 * WIDTH);
  readonly #single = new Float32Array(1);
  readonly #singleBits = new Uint32Array(this.#single.buffer);

  constructor(nodes: Uint8Array<ArrayBuffer>) {
    this.#plan = new WidePlan(nodes);
    this.#nodes = nodes;
    this.#bytes = new Uint8Array(0);
    this.#words = new Uint32Array(0);
    this.#floats = new Float32Array(0);
    this.#reserve(Math.ceil(nodes.byteLength / BvhNode.size / 3) + 8);
  }

  write(): WideTree {
    const rowOf = new Map<number, number>();
    let world = 0;
    let meshes = 0;
    this.#plan.roots.forEach((root, r) => {
      const row = this.#take(1);
      rowOf.set(root, row);
      this.#depth = 0;
      this.#waiting.push(root, row, 1);
      while (this.#waiting.length > 0) {
        const level = this.#waiting.pop() as number;
        const to = this.#waiting.pop() as number;
        this.#node(this.#waiting.pop() as number, to, level);
      }
      if (r === 0) world = this.#depth;
      else meshes = Math.max(meshes, this.#depth);
    });
    const root = WideInstance.offsets.root / 4;
    for (const row of this.#instances) {
      const at = row * (WideNode.size / 4) + root;
      this.#words[at] = rowOf.get(this.#words[at] as number) as number;
    }
    return { rows: this.#bytes.slice(0, this.#rows * WideNode.size), depth: world + meshes };
  }

  /** Room for rows that follow one another. @returns the first. */
  #take(count: number): number {
    const first = this.#rows;
    this.#rows += count;
    this.#reserve(this.#rows);
    return first;
  }

  #reserve(rows: number): void {
    if (rows * WideNode.size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.ceil(rows * 1.5) * WideNode.size);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#words = new Uint32Array(grown.buffer);
    this.#floats = new Float32Array(grown.buffer);
  }

  #node(node: number, row: number, level: number): void {
    const plan = this.#plan;
    const count = plan.open(node);
    this.#depth = Math.max(this.#depth, level);
    this.#measure(count);
    this.#assign(count);
    let placed = 0;
    for (let i = 0; i < count; i++) if (plan.kinds[i] !== LEAF) placed |= 1 << (this.#slots[i] as number);
    const children = this.#take(bits(placed));
    const at = row * WideNode.size;
    this.#words[(at + AT.child_base) / 4] = children;
    this.#leaves(count, at);
    for (let axis = 0; axis < 3; axis++) this.#axis(axis, count, at);
    this.#bytes[at + AT.grid + 3] = placed;
    // Last come first, so that a node's first child lies behind it.
    for (let slot = WIDTH - 1; slot >= 0; slot--) {
      const i = this.#children[slot] as number;
      if (i < 0 || plan.kinds[i] === LEAF) continue;
      const child = children + bits(placed & ((1 << slot) - 1));
      this.#bytes[at + AT.meta_low + slot] = META_ROW + slot;
      if (plan.kinds[i] === INNER) this.#waiting.push(plan.reference(plan.boxes[i] as number), child, level + 1);
      else this.#instance(plan.reference(plan.boxes[i] as number), child);
    }
  }

  /** Boxes of the children, and of all of them. */
  #measure(count: number): void {
    const plan = this.#plan;
    const least = this.#least.fill(Infinity);
    const most = this.#most.fill(-Infinity);
    for (let i = 0; i < count; i++) {
      const box = plan.boxes[i] as number;
      for (let axis = 0; axis < 3; axis++) {
        const low = plan.low(box, axis);
        const high = plan.high(box, axis);
        this.#low[i * 3 + axis] = low;
        this.#high[i * 3 + axis] = high;
        if (low < (least[axis] as number)) least[axis] = low;
        if (high > (most[axis] as number)) most[axis] = high;
      }
    }
  }

  /** Gives every child the slot that suits it best of those left, first to the child for which it matters most. */
  #assign(count: number): void {
    const low = this.#low;
    const high = this.#high;
    const mx = (this.#least[0] as number) + (this.#most[0] as number);
    const my = (this.#least[1] as number) + (this.#most[1] as number);
    const mz = (this.#least[2] as number) + (this.#most[2] as number);
    const away = this.#away;
    for (let i = 0; i < count; i++) {
      away[i * 4] = (low[i * 3] as number) + (high[i * 3] as number) - mx;
      away[i * 4 + 1] = (low[i * 3 + 1] as number) + (high[i * 3 + 1] as number) - my;
      away[i * 4 + 2] = (low[i * 3 + 2] as number) + (high[i * 3 + 2] as number) - mz;
      away[i * 4 + 3] = Math.abs(away[i * 4] as number) + Math.abs(away[i * 4 + 1] as number) + Math.abs(away[i * 4 + 2] as number);
    }
    this.#children.fill(-1);
    for (let turn = 0; turn < count; turn++) {
      let child = 0;
      for (let i = 1; i < count; i++) if ((away[i * 4 + 3] as number) > (away[child * 4 + 3] as number)) child = i;
      this.#settle(child);
      away[child * 4 + 3] = -1;
    }
  }

  #settle(child: number): void {
    const x = this.#away[child * 4] as number;
    const y = this.#away[child * 4 + 1] as number;
    const z = this.#away[child * 4 + 2] as number;
    let best = -Infinity;
    let taken = 0;
    for (let slot = 0; slot < WIDTH; slot++) {
      const suits = (slot & 1 ? x : -x) + (slot & 2 ? y : -y) + (slot & 4 ? z : -z);
      if (suits <= best || (this.#children[slot] as number) >= 0) continue;
      best = suits;
      taken = slot;
    }
    this.#slots[child] = taken;
    this.#children[taken] = child;
  }

  #leaves(count: number, at: number): void {
    const plan = this.#plan;
    const base = (at + AT.triangle_base) / 4;
    let next = -1;
    for (let i = 0; i < count; i++) {
      if (plan.kinds[i] !== LEAF) continue;
      const first = this.#firstOf(plan.boxes[i] as number);
      if (next < 0) this.#words[base] = first;
      else if (first !== next) throw new Error(`triangle ${first} does not follow ${next}: the order is not that of the wide tree`);
      this.#bytes[at + AT.meta_low + (this.#slots[i] as number)] =
        (META_TRIANGLES[plan.counts[i] as number] as number) | (first - (this.#words[base] as number));
      next = first + (plan.counts[i] as number);
    }
  }

  #firstOf(child: number): number {
    let at = child;
    while (this.#plan.triangles(at) === 0) at = this.#plan.reference(at) * 2;
    return this.#plan.reference(at);
  }

  /** Origin, width of a step and bounds of the children along one axis. */
  #axis(axis: number, count: number, at: number): void {
    const least = this.#least[axis] as number;
    const exponent = this.#stepExponent((this.#most[axis] as number) - least);
    this.#floats[(at + AT.origin) / 4 + axis] = least;
    this.#bytes[at + AT.grid + axis] = exponent;
    this.#singleBits[0] = exponent << 23;
    const steps = 1 / (this.#single[0] as number);
    const lows = at + (LOWS[axis] as number);
    const highs = at + (HIGHS[axis] as number);
    for (let i = 0; i < count; i++) {
      const slot = this.#slots[i] as number;
      this.#bytes[lows + slot] = Math.floor(((this.#low[i * 3 + axis] as number) - least) * steps);
      this.#bytes[highs + slot] = Math.min(STEPS, Math.ceil(((this.#high[i * 3 + axis] as number) - least) * steps));
    }
  }

  /** Biased exponent of the least power of two of which STEPS reach so far. */
  #stepExponent(extent: number): number {
    this.#single[0] = extent / STEPS;
    let exponent = Math.max(1, (this.#singleBits[0] as number) >>> 23);
    for (;;) {
      this.#singleBits[0] = exponent << 23;
      if ((this.#single[0] as number) * STEPS >= extent || exponent === 254) return exponent;
      exponent += 1;
    }
  }

  #instance(from: number, row: number): void {
    const source = new Uint32Array(this.#nodes.buffer, this.#nodes.byteOffset + from * Instance.size, Instance.size / 4);
    const target = this.#words;
    const to = row * (WideNode.size / 4);
    const copy = (field: number, out: number, count: number): void => {
      for (let k = 0; k < count; k++) target[to + out / 4 + k] = source[field / 4 + k] as number;
    };
    const wide = WideInstance.offsets;
    copy(Instance.offsets.x_axis, wide.x_axis, 3);
    copy(Instance.offsets.y_axis, wide.y_axis, 3);
    copy(Instance.offsets.z_axis, wide.z_x, 3);
    copy(Instance.offsets.translation, wide.translation_x, 3);
    copy(Instance.offsets.root, wide.root, 1);
    copy(Instance.offsets.first_primitive, wide.first_primitive, 1);
    copy(Instance.offsets.flags, wide.flags, 1);
    this.#instances.push(row);
  }
}

/** Ones in a byte. */
function bits(x: number): number {
  let count = 0;
  for (let rest = x; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
