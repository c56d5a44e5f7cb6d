/**
 * Plays the sequential test with honest work: checks drawn from judged films as the coordinator draws them,
 * fed to the bets of trust/aggregate. An alarm here is a false one.
 */
import { drawWeighted } from '#lib/trust/draw.ts';
import { alarms, ALARM_AT, FRESH, observe, type Observation } from '#lib/trust/aggregate.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { LEAF_SIDE_PX } from '#lib/protocol/limits.ts';
import { sha256, utf8 } from '#lib/protocol/bytes.ts';
import type { FilmJudged } from './judge.ts';
import { SIDE_PX } from './plan.ts';

export interface Play {
  readonly checks: number;
  readonly alarms: number;
  /** Largest bet ever held; one at `alarmAt` is an alarm. */
  readonly highest: number;
  readonly alarmAt: number;
  /** Mean share of a check's paths that differ, in the scene where they differ most, parts per million. */
  readonly differingPpm: number;
  readonly scene: string;
  /** Mean signed bias of a check. */
  readonly biasPpm: number;
}

/** Leaves per check: of a trusted worker, in probation, and all of them. */
const LEAVES = (SIDE_PX / LEAF_SIDE_PX) ** 2;
const DRAWN = [DEFAULT_RULES.leavesTrusted, 8, LEAVES];
/** Through all films of a scene, each time with another draw; what is drawn whole is always the same. */
const ROUNDS = 24;
const ROUNDS_WHOLE = 2;

/** As a checker adds up what it drew (roles/check-run). */
function checkOf({ leaves }: FilmJudged, seed: string, count: number): Observation {
  const levels = leaves.map(({ level }) => level);
  const drawn = count >= leaves.length ? leaves.map((_, i) => i) : drawWeighted(sha256(utf8(seed)), levels, count);
  let [paths, pathsEqual, claimed, traced] = [0, 0, 0, 0];
  for (const leaf of drawn.map((i) => leaves[i]!)) {
    paths += leaf.level > 0 ? leaf.paths : 0;
    pathsEqual += leaf.level > 0 ? leaf.pathsEqual : 0;
    claimed += leaf.light[0];
    traced += leaf.light[1];
  }
  const biasPpm = claimed + traced > 0 ? Math.round((1e6 * (claimed - traced)) / (claimed + traced)) : 0;
  return { checker: seed, paths, pathsEqual, biasPpm };
}

/** What one honest worker goes through. */
interface Life {
  checks: number;
  alarms: number;
  highest: number;
  bias: number;
  differing: number;
  /** Checks that could tell anything. */
  told: number;
}

function live(scene: string, films: readonly FilmJudged[], count: number): Life {
  const life: Life = { checks: 0, alarms: 0, highest: 0, bias: 0, differing: 0, told: 0 };
  let now = FRESH;
  for (let round = 0; round < (count === LEAVES ? ROUNDS_WHOLE : ROUNDS); round++) {
    for (const [i, film] of films.entries()) {
      const seen = checkOf(film, `${scene} ${count} ${round} ${i}`, count);
      now = observe(now, seen, DEFAULT_RULES);
      life.highest = Math.max(life.highest, now.differing, now.brighter, now.darker);
      life.checks++;
      life.bias += seen.biasPpm;
      if (alarms(now)) {
        life.alarms++;
        now = FRESH;
      }
      if (seen.paths === 0) continue;
      life.differing += 1 - seen.pathsEqual / seen.paths;
      life.told++;
    }
  }
  return life;
}

/** One worker after another, each on one scene for ever: the worst that can happen to the honest. */
export function play(films: readonly FilmJudged[]): Play {
  const sum = { checks: 0, alarms: 0, highest: 0, bias: 0 };
  let [worst, scene] = [0, ''];
  for (const name of new Set(films.map((film) => film.scene))) {
    const own = films.filter((film) => film.scene === name);
    for (const count of DRAWN) {
      const { checks, alarms, highest, bias, differing, told } = live(name, own, count);
      sum.checks += checks;
      sum.alarms += alarms;
      sum.highest = Math.max(sum.highest, highest);
      sum.bias += bias;
      if (differing > worst * told) [worst, scene] = [differing / told, name];
    }
  }
  const { checks, bias, ...rest } = sum;
  return { ...rest, checks, alarmAt: ALARM_AT, differingPpm: 1e6 * worst, scene, biasPpm: bias / Math.max(checks, 1) };
}
