/**
 * The figures of one pair of adapter classes, and what follows from all of them for the thresholds: the
 * file that is committed as tests/reference/adapter-pairs.json.
 */
import { DEFAULT_THRESHOLDS, NOISE } from '#lib/trust/compare.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { play, type Play } from './aggregate.ts';
import type { PairTally } from './judge.ts';
import { chanceBeyond, limitFor, quantile, rateAtMost, tailOf } from './tail.ts';

const FALSE_REJECT_MAX = 1e-6;

/** Values that these shares of all do not exceed. */
export type Quantiles = Readonly<Record<string, number>>;
const SHARES = [0.5, 0.9, 0.99, 0.999, 0.9999];

/** What a threshold refuses of honest leaves, were there nothing but its tail. */
export interface Extrapolated {
  /** How the tail was fitted; null where all leaves agree too well to fit any. */
  readonly method: string | null;
  readonly shape: number;
  readonly falseReject: number;
  /** The threshold that would refuse one honest leaf in 10^6. */
  readonly needed: number;
}

export interface PairFigures {
  readonly classes: readonly [string, string];
  readonly stacks: readonly string[];
  readonly judgements: number;
  /** Judgements of leaves that are the same bytes. */
  readonly identical: number;
  readonly refused: Readonly<Record<string, number>>;
  /** 95 % upper bound of the chance that an honest leaf is refused, whatever its distribution. */
  readonly falseRejectAtMost: number;
  /** Share of a leaf's paths whose signatures are equal. */
  readonly equalPaths: { readonly mean: number; readonly worst: number; readonly quantiles: Quantiles };
  /** Relative difference of light in pixels all of whose paths decided alike. */
  readonly light: { readonly pixels: number; readonly differing: number; readonly worst: number; readonly quantiles: Quantiles };
  /** Leaves by how many of their pixels drifted beyond rounding. */
  readonly driftedPixels: readonly number[];
  readonly segments: { readonly leavesDiffering: number; readonly worst: number; readonly mean: number };
  readonly aggregate: Play;
  readonly signatureTail: Extrapolated;
  readonly lightTail: Extrapolated;
}

export interface Calibration {
  readonly note: string;
  readonly measured: string;
  /** SHA-256 of the shaders' text. */
  readonly shader: string;
  readonly scenes: readonly string[];
  readonly adapters: Readonly<Record<string, string>>;
  readonly judgements: number;
  /** Leaves that would be called false after escalation. */
  readonly convicted: number;
  /** Thresholds and rules of the code that judged. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** The same as the pairs alone would have them. */
  readonly derived: Readonly<Record<string, number>>;
  readonly pairs: readonly PairFigures[];
}

/** Four significant digits are more than such figures bear. */
const rounded = (value: number): number => Number(value.toPrecision(4));

function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  return Object.fromEntries(SHARES.map((share) => [String(share), rounded(quantile(sorted, share))]));
}

/** @param limit of `values`; beyond it a leaf is refused. */
function extrapolated(values: readonly number[], limit: number): Extrapolated {
  const tail = tailOf(values);
  if (!tail) return { method: null, shape: 0, falseReject: 0, needed: rounded(worstOf(values)) };
  return {
    method: `generalised Pareto over the ${tail.excesses} largest of ${tail.of}`,
    shape: rounded(tail.shape),
    falseReject: rounded(chanceBeyond(tail, limit)),
    needed: rounded(limitFor(tail, FALSE_REJECT_MAX)),
  };
}

/** Differences of light grow by factors, bounce after bounce: their logarithm has the tamer tail. */
function extrapolatedLog(values: readonly number[], limit: number): Extrapolated {
  const least = 1e-12;
  const found = extrapolated(
    values.map((value) => Math.log10(Math.max(value, least))),
    Math.log10(limit),
  );
  if (found.method === null) return { ...found, needed: rounded(worstOf(values)) };
  return { ...found, method: `${found.method}, of logarithms`, needed: rounded(10 ** found.needed) };
}

const worstOf = (values: readonly number[]): number => values.reduce((worst, value) => Math.max(worst, value), 0);
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);

export function figuresOf(classes: readonly [string, string], tally: PairTally): PairFigures {
  const { differing, telling, light, segments } = tally;
  const refused = Object.values(tally.refused).reduce((sum, count) => sum + count, 0);
  const equal = telling.map((share) => -share);
  return {
    classes,
    stacks: [...tally.stacks].toSorted(),
    judgements: differing.length,
    identical: tally.identical,
    refused: tally.refused,
    falseRejectAtMost: rounded(rateAtMost(refused, differing.length)),
    equalPaths: {
      mean: 1 - rounded(meanOf(telling)),
      worst: rounded(1 - worstOf(differing)),
      quantiles: Object.fromEntries(Object.entries(quantilesOf(equal.map((share) => -share))).map(([q, value]) => [q, rounded(1 - value)])),
    },
    light: { pixels: tally.pixelsAlike, differing: light.length, worst: rounded(worstOf(light)), quantiles: quantilesOf(light) },
    driftedPixels: Array.from(tally.drifted, (leaves) => leaves ?? 0),
    segments: {
      leavesDiffering: segments.leavesDiffering,
      worst: rounded(segments.worst),
      mean: rounded((segments.claimed - segments.traced) / Math.max(segments.traced, 1)),
    },
    aggregate: roundedPlay(play(tally.films)),
    signatureTail: extrapolated(tally.beyond, NOISE),
    lightTail: extrapolatedLog(tally.deciding, DEFAULT_THRESHOLDS.lightRelativeMax),
  };
}

const roundedPlay = (one: Play): Play => ({
  ...one,
  highest: rounded(one.highest),
  differingPpm: rounded(one.differingPpm),
  biasPpm: rounded(one.biasPpm),
});

/** What the code judges by, under the names of the committed file. */
export const usedThresholds = (): Record<string, number> => ({
  ...DEFAULT_THRESHOLDS,
  signatureNoise: NOISE,
  differingMeanPpm: DEFAULT_RULES.differingMeanPpm,
  falseRejectMax: FALSE_REJECT_MAX,
});

/** The strictest thresholds that every measured pair leaves honest at one in 10^6, by extrapolation. */
export const derivedFrom = (pairs: readonly PairFigures[]): Record<string, number> => ({
  signatureNoise: worstOf(pairs.map(({ signatureTail }) => signatureTail.needed)),
  lightRelativeMax: worstOf(pairs.map(({ lightTail }) => lightTail.needed)),
  differingMeanPpm: worstOf(pairs.map(({ aggregate }) => aggregate.differingPpm)),
});

/** One line per pair, for people. */
export function lineOf(pair: PairFigures): string {
  const { classes, judgements, identical, refused, falseRejectAtMost, equalPaths, light, signatureTail, lightTail, aggregate } = pair;
  const count = Object.values(refused).reduce((sum, one) => sum + one, 0);
  return [
    `${classes.join(' against ')}: ${judgements} leaves, ${identical} of them the same bytes, ${count} refused`,
    `  chance of a false refusal: at most ${falseRejectAtMost} whatever its distribution (95 %)`,
    `  by extrapolation ${signatureTail.falseReject} for signatures, ${lightTail.falseReject} for light (${signatureTail.method ?? lightTail.method ?? 'nothing differs'})`,
    `  equal paths ${equalPaths.mean} in the mean, ${equalPaths.worst} at worst; light of like paths differs by ${light.worst} at worst`,
    `  sequential test: ${aggregate.alarms} alarms in ${aggregate.checks} checks, ${aggregate.differingPpm} ppm differ in ${aggregate.scene || 'no scene'}`,
  ].join('\n');
}

/** Honest leaves that the record must have judged, and the share of them of which another opinion may be wanted. */
const JUDGEMENTS_MIN = 100_000;
const ESCALATED_MAX = 1e-4;

/** Where thresholds and rules part from what was measured: one sentence each, none when they agree. */
export function contradictions(record: Calibration, used: Readonly<Record<string, number>>): string[] {
  const found: string[] = [];
  const demand = (holds: boolean, text: string): void => void (holds || found.push(text));
  for (const [name, value] of Object.entries(record.thresholds))
    demand(value === used[name], `${name} was ${value} when it was measured and is ${used[name]} now: measure again`);
  demand(Object.keys(used).length === Object.keys(record.thresholds).length, 'other thresholds were measured than there are now');
  demand(record.judgements >= JUDGEMENTS_MIN, `only ${record.judgements} leaves were judged`);
  demand(record.convicted === 0, `${record.convicted} honest leaves would be called false after escalation`);
  const { signatureNoise = 0, lightRelativeMax = 0, differingMeanPpm = 0, falseRejectMax = 0 } = used;
  for (const { classes, judgements, refused, signatureTail, lightTail, aggregate } of record.pairs) {
    const who = classes.join(' against ');
    const escalated = Object.values(refused).reduce((sum, count) => sum + count, 0);
    demand(escalated <= ESCALATED_MAX * judgements, `${who}: a second opinion is wanted of ${escalated} of ${judgements} honest leaves`);
    demand(signatureTail.needed <= signatureNoise, `${who}: signatureNoise refuses more than one honest leaf in 10^6`);
    demand(lightTail.needed <= lightRelativeMax, `${who}: lightRelativeMax refuses more than one honest leaf in 10^6`);
    demand(Math.max(signatureTail.falseReject, lightTail.falseReject) <= falseRejectMax, `${who}: the false-reject rate is too high`);
    demand(aggregate.alarms === 0, `${who}: the sequential test accused the honest`);
    demand(aggregate.differingPpm <= differingMeanPpm, `${who}: more paths differ in the mean than differingMeanPpm`);
  }
  return found;
}
