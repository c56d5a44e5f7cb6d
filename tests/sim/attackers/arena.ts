/**
 * Many leases of one attacker, decided by the very modules that coordinator, checkers and replay use:
 * draws, leaf test, sequential test, majorities, hold-back. No sockets and no store: what those do is
 * the business of the simulator's other tests; here thousands of leases take a second.
 * Work is valued at all that a lease pays, the worst case: an honest worker's profit is nothing, and a
 * cheat's is what it spares.
 */
import { filmLight } from '#lib/job/film.ts';
import { leafRects, segmentsPerPathMax, type Rect } from '#lib/job/plan.ts';
import { sha256, utf8 } from '#lib/protocol/bytes.ts';
import type { Observation } from '#lib/trust/aggregate.ts';
import { cutLeaf } from '#lib/trust/commitment.ts';
import { compareLeaf } from '#lib/trust/compare.ts';
import { corrupted, sparedBy, type Lie } from '#lib/trust/corruption.ts';
import { challengedLeaves, secondAuditFalls } from '#lib/trust/draw.ts';
import { tellingLeaves } from '#lib/trust/drill.ts';
import { decide, escalatedPpm, type Opinion } from '#lib/trust/escalation.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { challengeOf, faulted, NEWCOMER, observed, settled, withheld, type Standing } from '#lib/trust/standing.ts';
import { leafClasses } from '#lib/trust/weights.ts';
import { modelFilm } from './model-film.ts';

export const TILE: Rect = { x: 0, y: 0, width: 128, height: 128 };
export const BOUNCES = 6;
const PASS = { first: 16, count: 16 };
/** What one lease pays its worker. */
export const PRICE = 90_000n;
const CHECKERS = 6;
/** Of the shares of a job's leaves in probation. */
export const JOB_LEAVES = 8;

/** What a re-trace of each leaf finds. */
export interface LeafSight {
  readonly agrees: boolean;
  readonly paths: number;
  readonly pathsEqual: number;
  readonly claimed: number;
  readonly traced: number;
}

export interface Attack {
  readonly name: string;
  /** Share of the work that it spares. */
  readonly spared: number;
  readonly leaves: readonly LeafSight[];
  readonly classes: readonly number[];
  /** Leaves that no honest checker can pass (trust/drill). */
  readonly tells: readonly boolean[];
}

/** Films traced to spoil one, beside the honest one. */
export const EXTRA_TRACES: Readonly<Record<string, number>> = {
  ...{ forged: 0, brighter: 0, skim: 0, upscaled: 0 },
  ...{ depth: 1, samples: 0.5, denoised: 0.5, replayed: 1 },
};

const light = (bytes: Uint8Array<ArrayBuffer>): number => filmLight(bytes).reduce((sum, value) => sum + value, 0);

/** @param share of the tile's leaves that are false; the rest is traced. @param scene 2 is a stale one. */
export async function attackOf(name: string, lie: Lie | null, share = 1, scene = 1): Promise<Attack> {
  const spec = { rect: TILE, pass: PASS, bounces: BOUNCES };
  const truth = modelFilm(spec);
  const trace = (asked: typeof spec) => Promise.resolve(modelFilm(asked, scene));
  const film = lie ? (await corrupted(trace, spec, lie))! : modelFilm(spec, scene);
  const rects = leafRects(TILE);
  const every = share < 1 ? Math.round(1 / share) : 1;
  const paths = { samples: PASS.count, segmentsMax: segmentsPerPathMax(BOUNCES) };
  const leaves = rects.map((rect, i) => {
    const traced = cutLeaf(truth, TILE, rect);
    // Every n-th leaf is false, beginning with the last: the floor's.
    const claimed = (rects.length - 1 - i) % every === 0 ? cutLeaf(film, TILE, rect) : traced;
    const { agrees, paths: all, pathsEqual } = compareLeaf(claimed, traced, paths);
    return { agrees, paths: all, pathsEqual, claimed: light(claimed.light), traced: light(traced.light) };
  });
  const spared = lie ? sparedBy(lie, BOUNCES) * share : scene === 1 ? 0 : share;
  return { name, spared, leaves, classes: leafClasses(film.light, TILE, PASS.count), tells: tellingLeaves(truth, film, TILE, BOUNCES) };
}

export interface Life {
  /** Leases until the fault, the last one included; null when there was none. */
  readonly until: number | null;
  readonly leases: number;
  /** Leases whose first check failed. */
  readonly caught: number;
  /** Paid or held, less the work done and the forfeit: in leases' pay. */
  readonly profit: number;
  /** Leaves traced by checkers, per leaf of all leases. */
  readonly overhead: number;
  readonly faults: number;
}

/** @param veteran honest leases before the first lie. @param most leases it tries. */
export function live(attack: Attack, seed: number, { veteran, most }: { veteran: number; most: number }): Life {
  let standing: Standing = NEWCOMER;
  let held = 0n;
  for (let i = 0; i < veteran; i++) {
    held += withheld(standing, held, PRICE, DEFAULT_RULES);
    standing = settled(standing, PRICE);
  }
  let seen: Observation[] = [];
  let [profit, caught, traced, faults] = [0, 0, 0, 0];
  for (let lease = 1; lease <= most; lease++) {
    profit -= 1 - attack.spared;
    const before = standing;
    const trial = judge(attack, `${seed}/${lease}`, standing, seen);
    ({ standing, seen } = trial);
    traced += trial.traced;
    caught += Number(trial.firstFails);
    if (trial.fault) {
      faults++;
      profit -= Number(held) / Number(PRICE);
      return { until: lease, leases: lease, caught, profit, overhead: traced / (lease * attack.leaves.length), faults };
    }
    held += withheld(before, held, PRICE, DEFAULT_RULES);
    standing = settled(standing, PRICE);
    profit += 1;
  }
  return { until: null, leases: most, caught, profit, overhead: traced / (most * attack.leaves.length), faults };
}

interface Trial {
  readonly standing: Standing;
  readonly seen: Observation[];
  readonly fault: boolean;
  readonly firstFails: boolean;
  readonly traced: number;
}

/** One lease: drawn, looked at by one checker, by more where there is doubt. */
function judge(attack: Attack, name: string, start: Standing, before: readonly Observation[]): Trial {
  let standing = start;
  let seen = [...before];
  const opinions: Opinion[] = [];
  let [traced, second] = [0, false];
  const end = (fault: boolean): Trial => ({
    standing,
    seen: fault ? [] : seen,
    fault,
    firstFails: opinions[0]?.verdict === 'fail',
    traced,
  });
  for (;;) {
    const seed = sha256(utf8(`${name}/${opinions.length}`));
    const checker = `c${(new DataView(seed.buffer).getUint32(0) + opinions.length) % CHECKERS}`;
    const { count, auditPpm } = challengeOf(standing, JOB_LEAVES, DEFAULT_RULES);
    const ppm = escalatedPpm(auditPpm, opinions);
    const drawn = challengedLeaves(seed, { leaves: attack.leaves.length, count, auditPpm: ppm, classes: attack.classes });
    const looks = drawn.map((leaf) => attack.leaves[leaf]!);
    traced += looks.length;
    const sum = (of: (look: LeafSight) => number): number => looks.reduce((total, look) => total + of(look), 0);
    const verdict = looks.every(({ agrees }) => agrees) ? 'pass' : 'fail';
    if (opinions.length === 0) second = secondAuditFalls(seed, DEFAULT_RULES.secondAuditPpm);
    opinions.push({ checker: `${checker}/${opinions.length}`, adapterClass: 'a', verdict, whole: drawn.length === attack.leaves.length });
    const [bright, truth] = [sum(({ claimed }) => claimed), sum((look) => look.traced)];
    const biasPpm = Math.round((1e6 * (bright - truth)) / Math.max(bright + truth, 1e-9));
    const telling = drawn.filter((leaf) => attack.classes[leaf]! > 0 || !attack.leaves[leaf]!.agrees).map((leaf) => attack.leaves[leaf]!);
    const counted = (of: (look: LeafSight) => number): number => telling.reduce((total, look) => total + of(look), 0);
    seen.push({ checker, paths: counted(({ paths }) => paths), pathsEqual: counted(({ pathsEqual }) => pathsEqual), biasPpm });
    const test = observed(standing, seen, DEFAULT_RULES);
    standing = test.standing;
    if (test.alarm === 'fault') return end(true);
    const outcome = decide({ opinions, workerClass: 'a', jury: 3, second, another: true });
    if (outcome.state === 'pass') return end(false);
    if (outcome.state === 'fault') {
      standing = faulted(standing);
      return end(true);
    }
  }
}
