// Builds the tree of a bunch of at most a hundred triangles from below: everything looks along the
// order for the partner with which its common box is smallest, and pairs that chose each other merge
// (Meister and Bittner 2018, "Parallel Locally-Ordered Clustering"; Benthin et al. 2022, "PLOC++").
import { BUNCH, FAR, joinTally, LANE, LANES, nexts, pairs, sorted, takePair } from './memory';

/** Triangles of a bunch; LANE has room for these and the places that are looked at behind them. */
export const BUNCH_MAX: u32 = 128;
/** Places ahead that are looked at: first, when a mesh's neighbours are near, and later. Multiples of 4. */
const REACH_FIRST: u32 = 4;
const REACH: u32 = 8;
/** Rounds of choosing; then neighbours are merged unseen, so that no bunch is taller than these and 7. */
const ROUNDS: u32 = 10;
/** A partner is named by its distance, ahead below this and back above, in the low bits of the area. */
const BACK: i32 = 32;
const NAME: i32 = 63;
const CHOICE: usize = LANES + 6 * LANE;

// @ts-ignore: decorator
@inline
function spreadLanes(at: usize, least: v128, largest: v128): void {
  v128.store_lane<f32>(at, least, 0);
  v128.store_lane<f32>(at, least, 1, LANE);
  v128.store_lane<f32>(at, least, 2, 2 * LANE);
  v128.store_lane<f32>(at, largest, 0, 3 * LANE);
  v128.store_lane<f32>(at, largest, 1, 4 * LANE);
  v128.store_lane<f32>(at, largest, 2, 5 * LANE);
}

/** Areas of the boxes around one and four others, as integers of the same order, without the bits of a name. */
// @ts-ignore: decorator
@inline
function areas(at: usize, x0: v128, y0: v128, z0: v128, x1: v128, y1: v128, z1: v128): v128 {
  const x = f32x4.sub(f32x4.pmax(v128.load(at, 3 * LANE), x1), f32x4.pmin(v128.load(at), x0));
  const y = f32x4.sub(f32x4.pmax(v128.load(at, 4 * LANE), y1), f32x4.pmin(v128.load(at, LANE), y0));
  const z = f32x4.sub(f32x4.pmax(v128.load(at, 5 * LANE), z1), f32x4.pmin(v128.load(at, 2 * LANE), z0));
  const sum = f32x4.add(f32x4.mul(x, f32x4.add(y, z)), f32x4.mul(y, z));
  // What overflows, or is no number, becomes the largest there is.
  return v128.andnot(f32x4.pmin(f32x4.splat(FAR), sum), i32x4.splat(NAME));
}

/** Lets each look ahead and be looked at: one area serves both. */
function choose(count: u32, reach: u32): void {
  const everywhere = f32x4.splat(1e19);
  for (let i: u32 = 0; i < reach + 4; i++) spreadLanes(LANES + ((count + i) << 2), f32x4.neg(everywhere), everywhere);
  for (let at = CHOICE, end = CHOICE + ((count + reach + 4) << 2); at < end; at += 16) v128.store(at, i32x4.splat(0x7fffffff));
  for (let i: u32 = 0; i < count; i++) {
    let at = LANES + (i << 2);
    const x0 = v128.load32_splat(at);
    const y0 = v128.load32_splat(at, LANE);
    const z0 = v128.load32_splat(at, 2 * LANE);
    const x1 = v128.load32_splat(at, 3 * LANE);
    const y1 = v128.load32_splat(at, 4 * LANE);
    const z1 = v128.load32_splat(at, 5 * LANE);
    let other = CHOICE + (i << 2) + 4;
    let best = v128.load32_splat(other - 4);
    let name = i32x4(1, 2, 3, 4);
    at += 4;
    for (const end = at + (reach << 2); at < end; at += 16, other += 16) {
      const found = areas(at, x0, y0, z0, x1, y1, z1);
      best = i32x4.min_s(best, v128.or(found, name));
      v128.store(other, i32x4.min_s(v128.load(other), v128.or(found, i32x4.add(name, i32x4.splat(BACK)))));
      name = i32x4.add(name, i32x4.splat(4));
    }
    best = i32x4.min_s(best, i8x16.shuffle(best, best, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    best = i32x4.min_s(best, i8x16.shuffle(best, best, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    v128.store_lane<i32>(CHOICE + (i << 2), best, 0);
  }
}

// @ts-ignore: decorator
@inline
function partner(i: u32): u32 {
  const name = load<u32>(CHOICE + (i << 2)) & NAME;
  return name < <u32>BACK ? i + name : i + <u32>BACK - name;
}

/** Merges who chose each other, into leaves as long as they are small, or with `blindly` every two neighbours. @returns how many are left, in the same order. */
function merge(count: u32, leafMax: u32, blindly: bool): u32 {
  let out: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const j = blindly ? i ^ 1 : partner(i);
    const from = BUNCH + (<usize>i << 5);
    let least = v128.load(from);
    let largest = v128.load(from, 16);
    if (j < count && (blindly || partner(j) == i)) {
      if (j < i) continue;
      const other = BUNCH + (<usize>j << 5);
      const low = v128.load(other);
      const high = v128.load(other, 16);
      const a: u32 = i32x4.extract_lane(largest, 3);
      const b: u32 = i32x4.extract_lane(high, 3);
      let id: u32 = i32x4.extract_lane(least, 3);
      // Inner boxes have a height and so count for more than any leaf.
      if (a + b <= leafMax) {
        let end = nexts + (<usize>id << 2);
        for (let i: u32 = 1; i < a; i++) end = nexts + (<usize>load<u32>(end) << 2);
        store<u32>(end, i32x4.extract_lane(low, 3));
      } else {
        id = takePair();
        const pair = pairs + (<usize>id << 6);
        v128.store(pair, least);
        v128.store(pair, largest, 16);
        v128.store(pair, low, 32);
        v128.store(pair, high, 48);
      }
      least = i32x4.replace_lane(f32x4.pmin(least, low), 3, id);
      largest = i32x4.replace_lane(f32x4.pmax(largest, high), 3, a + b <= leafMax ? a + b : joinTally(a, b));
    }
    const to = BUNCH + (<usize>out << 5);
    v128.store(to, least);
    v128.store(to, largest, 16);
    spreadLanes(LANES + (out << 2), least, largest);
    out++;
  }
  return out;
}

/** Writes to `target` the box of the tree over the triangles of some cells, at most BUNCH_MAX. */
export function cluster(cells: usize, end: usize, target: usize, leafMax: u32): void {
  let count: u32 = 0;
  for (; cells < end; cells += 32) {
    const first = sorted + (<usize>load<u32>(cells, 12) << 5);
    for (let box = first, last = first + (<usize>load<u32>(cells, 28) << 5); box < last; box += 32, count++) {
      const to = BUNCH + (<usize>count << 5);
      const least = v128.load(box);
      const largest = v128.load(box, 16);
      v128.store(to, least);
      v128.store(to, largest, 16);
      spreadLanes(LANES + (count << 2), least, largest);
    }
  }
  for (let round: u32 = 0; count > 1; round++) {
    const blindly = round >= ROUNDS;
    if (!blindly) choose(count, round == 0 ? REACH_FIRST : REACH);
    count = merge(count, leafMax, blindly);
  }
  v128.store(target, v128.load(BUNCH));
  v128.store(target, v128.load(BUNCH, 16), 16);
}
