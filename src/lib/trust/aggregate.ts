/**
 * The sequential test over all checks of one worker: finds who skims a twentieth of its pixels or
 * cuts its paths one bounce short, which no single leaf shows. Three bets against honesty run side by
 * side, each a product that an honest worker multiplies by one on average at most:
 *  - that more of its paths differ than honest devices' do (share of a check's paths, at most `differingMeanPpm` on average);
 *  - that it makes light brighter, and that it makes it darker: paths that honest devices decide
 *    differently are draws from one distribution, so the paired difference has no preferred sign.
 * No assumption about noise within a check is made, only about its mean, so one leaf on which two
 * drivers part counts once and not 4,096 times. A bet that falls below one begins again at one
 * (an e-CUSUM: Shin, Ramdas, Rinaldo 2022, "E-detectors"; betting: Waudby-Smith, Ramdas 2023), so late
 * cheats are found as fast as early ones, and an honest worker is doubted once in 10^6 checks at most.
 * What an alarm means is decided only after each checker's word has been left out once: nobody is
 * convicted by one checker alone. Only +, −, ×, ÷: every replay computes the same bits.
 */
import type { TrustRules } from './rules.ts';

/** What one check says. */
export interface Observation {
  /** Key. */
  readonly checker: string;
  readonly paths: number;
  readonly pathsEqual: number;
  /** (claimed − traced) / (claimed + traced) light of the drawn leaves, parts per million. */
  readonly biasPpm: number;
}

/** The three bets; each begins at 1. */
export interface Aggregate {
  readonly differing: number;
  readonly brighter: number;
  readonly darker: number;
}

export const FRESH: Aggregate = { differing: 1, brighter: 1, darker: 1 };

/** Of a false alarm, per check. */
const ALPHA = 1e-6;
const BETS = 3;
export const ALARM_AT = BETS / ALPHA;
/** Staked on a check of which all paths differ; below 1 / differingMean, so that no bet is ever lost whole. */
const STAKE_SHARE = 0.5;
const STAKE_BIAS = 0.5;
/** Two per cent of the light: more says no more, or one bright path would decide. */
const BIAS_CAP_PPM = 10_000;
/** A bet that is won is won; far above, products would overflow. */
const CEILING = 1e30;
/** Checks a doubt looks back at. */
export const OBSERVATIONS_MAX = 256;

const bet = (now: number, factor: number): number => Math.min(Math.max(now, 1) * factor, CEILING);

export function observe(now: Aggregate, { paths, pathsEqual, biasPpm }: Observation, { differingMeanPpm }: TrustRules): Aggregate {
  if (paths === 0) return now;
  const mean = Math.max(differingMeanPpm, 1) / 1e6;
  const share = (paths - pathsEqual) / paths;
  const lean = Math.min(Math.max(biasPpm / BIAS_CAP_PPM, -1), 1);
  return {
    differing: bet(now.differing, 1 + (STAKE_SHARE * (share - mean)) / mean),
    brighter: bet(now.brighter, 1 + STAKE_BIAS * lean),
    darker: bet(now.darker, 1 - STAKE_BIAS * lean),
  };
}

export const alarms = ({ differing, brighter, darker }: Aggregate): boolean => Math.max(differing, brighter, darker) >= ALARM_AT;

/**
 * Does the alarm stand without any one of those who made it? A bet stops at its alarm: what came
 * after it does not count, what came before begins at one.
 */
export function stands(observations: readonly Observation[], rules: TrustRules): boolean {
  const checkers = new Set(observations.map(({ checker }) => checker));
  if (checkers.size < 2) return false;
  return [...checkers].every((out) => {
    let now = FRESH;
    return observations.some((seen) => seen.checker !== out && alarms((now = observe(now, seen, rules))));
  });
}
