// The kernel of the hierarchy's builder: one part of a scene, corners in, nodes in the layout of
// BvhNode out. Only IEEE single precision, comparisons and integers, without relaxed instructions and
// without a choice that depends on a NaN's bits, so that every engine builds the same bytes.
import { COUNT, isInner, nexts, PART_MAX, pairCount, pairs, pairsEnd, parents, place, reach, ROOT, sorted, STACK, triangles } from './memory';
import { BUNCH_MAX } from './cluster';
import { makeCells, sortBoxes } from './order';
import { measureAll, reinsert } from './reinsert';
import { splitCells } from './split';

const CELL: u32 = 8;
/** Levels that a bunch of BUNCH_MAX may need. */
const BUNCH_LEVELS: u32 = 17;

let nodesAt: usize = 0;
let deepest: u32 = 0;

/** @returns where `count` × 9 f32 are to be written, or 0 when there is no memory for so many. */
export function start(count: u32): usize {
  return count == 0 || count > PART_MAX ? 0 : place(count);
}

/**
 * Builds the tree over the corners written. @param bunch triangles that are clustered from below.
 * @param moves boxes to reinsert, about. @param balanced halve at every node, cluster only leaves.
 */
export function build(leafMax: u32, depthMax: u32, bunch: u32, moves: u32, rounds: u32, balanced: bool): void {
  sortBoxes();
  const cells = makeCells(balanced ? 1 : CELL);
  splitCells(cells, pairsEnd, ROOT, balanced ? leafMax : min(bunch, BUNCH_MAX), leafMax, depthMax, BUNCH_LEVELS, balanced);
  measureAll();
  for (let round: u32 = 0; round < rounds; round++) reinsert(moves, depthMax);
  emit();
}

/** A node on the stack: its pair, depth, the word that refers to it, and the place of its first triangle. */
const TASK: usize = 16;

// @ts-ignore: decorator
@inline
function push(top: usize, pair: u32, depth: u32, reference: usize, first: u32): usize {
  store<u32>(top, pair);
  store<u32>(top, depth, 4);
  store<u32>(top, <u32>reference, 8);
  store<u32>(top, first, 12);
  return top + TASK;
}

/** Depth first, left child right behind its parent. */
function emit(): void {
  const bytes = <usize>pairCount << 6;
  nodesAt = bytes <= pairs - sorted ? sorted : (nexts + (<usize>triangles << 2) + 63) & ~63;
  reach(nodesAt + bytes);
  deepest = 0;
  let made: u32 = 0;
  let top = push(STACK, load<u32>(ROOT, 12), 1, 0, 0);
  while (top > STACK) {
    top -= TASK;
    const depth = load<u32>(top, 4);
    if (load<u32>(top, 8)) store<u32>(<usize>load<u32>(top, 8), made);
    deepest = max(deepest, depth);
    top = emitNode(top, pairs + (<usize>load<u32>(top) << 6), nodesAt + (<usize>made << 6), depth + 1, load<u32>(top, 12));
    made++;
  }
}

/** @returns the top of the stack with the inner children on it, the left one last. */
function emitNode(top: usize, pair: usize, node: usize, depth: u32, first: u32): usize {
  const left = load<u32>(pair, 28) & COUNT;
  const right = load<u32>(pair, 60) & COUNT;
  v128.store(node, v128.load(pair));
  v128.store(node, v128.load(pair, 16), 16);
  v128.store(node, v128.load(pair, 32), 32);
  v128.store(node, v128.load(pair, 48), 48);
  if (isInner(pair + 32)) {
    store<u32>(node, 0, 60);
    top = push(top, load<u32>(pair, 44), depth, node + 44, first + left);
  } else {
    store<u32>(node, first + left, 44);
    store<u32>(node, right, 60);
    list(pair + 32, first + left);
  }
  if (isInner(pair)) {
    store<u32>(node, 0, 28);
    return push(top, load<u32>(pair, 12), depth, node + 12, first);
  }
  store<u32>(node, first, 12);
  store<u32>(node, left, 28);
  list(pair, first);
  return top;
}

/** Lists the triangles of a leaf. */
// @ts-ignore: decorator
@inline
function list(box: usize, first: u32): void {
  let triangle = load<u32>(box, 12);
  let place = parents + (<usize>first << 2);
  for (const end = place + (<usize>load<u32>(box, 28) << 2); place < end; place += 4) {
    store<u32>(place, triangle);
    triangle = load<u32>(nexts + (<usize>triangle << 2));
  }
}

export function nodes(): usize {
  return nodesAt;
}
export function nodesMade(): u32 {
  return pairCount;
}
export function order(): usize {
  return parents;
}
export function depth(): u32 {
  return deepest;
}
