/**
 * What workers ask and jobs bid: the automatic ask from a worker's own speed and watts, and what a
 * job still wants for its limits. Refuses to guess a currency: without the operator's rate, a worker
 * that names no number asks the operator's price.
 */
import { segmentsPerPathMax } from '../job/plan.ts';
import type { Policy } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import { PLAIN_COST_PER_MILLE } from './price.ts';

const SECONDS_PER_HOUR = 3600;
const WORK_UNIT = 1e9;
/** More than anybody means when they type a price, or a load. */
const TOKENS_MAX = 1e9;
const WATTS_MAX = 1e6;

export interface Power {
  /** Of the whole machine while it renders, above what it takes anyway. */
  readonly watts: number;
  /** What a kilowatt hour costs, micro-tokens. */
  readonly kwhMicro: number;
  /** Own speed, work units per second. */
  readonly workUnitsPerSecond: number;
}

/** Beyond electricity: wear, and the trouble of it. Hundredths. */
const MARGIN_HUNDREDTHS = 25;

/** Micro-tokens per work unit that pay for electricity and a margin; at least one. */
export function automaticAsk({ watts, kwhMicro, workUnitsPerSecond }: Power): bigint {
  const perSecond = (watts / 1000 / SECONDS_PER_HOUR) * kwhMicro;
  const micro = Math.ceil((perSecond / workUnitsPerSecond) * (1 + MARGIN_HUNDREDTHS / 100));
  return BigInt(Math.max(1, Math.min(Number.isFinite(micro) ? micro : 1, Number.MAX_SAFE_INTEGER)));
}

/** What a worker wants for a work unit, as its owner said it. */
export type AskChoice =
  | { readonly kind: 'operator' }
  | { readonly kind: 'price'; readonly priceMicro: bigint }
  | ({ readonly kind: 'power' } & Pick<Power, 'watts' | 'kwhMicro'>);

/** What goes into a worker's standing ask; nothing where it is the operator's price. @param workUnitsPerSecond 0 before anything was measured. */
export type Ask = (workUnitsPerSecond: number) => { readonly priceMicro?: string };

export const askOf =
  (choice: AskChoice): Ask =>
  (workUnitsPerSecond) => {
    if (choice.kind === 'price') return { priceMicro: String(choice.priceMicro) };
    if (choice.kind === 'operator' || !(workUnitsPerSecond > 0)) return {};
    return { priceMicro: String(automaticAsk({ ...choice, workUnitsPerSecond })) };
  };

/** Of a device that traces so many segments in a scene of such cost. */
export const unitsPerSecond = (segmentsPerSecond: number, costPerMille = PLAIN_COST_PER_MILLE): number =>
  (segmentsPerSecond * costPerMille) / 1000 / WORK_UNIT;

/** Micro-tokens that an hour of work leaves: a worker's share of the price, less its electricity where that is known. */
export function remainsPerHour(
  priceMicro: bigint,
  workUnitsPerSecond: number,
  shares: Pick<Policy, 'checkerShare' | 'feeShare'>,
  power: Pick<Power, 'watts' | 'kwhMicro'> | null,
): number {
  const share = 1 - (shares.checkerShare + shares.feeShare) / 1000;
  const earned = Number(priceMicro) * share * workUnitsPerSecond * SECONDS_PER_HOUR;
  return earned - (power ? (power.watts / 1000) * power.kwhMicro : 0);
}

/** Tokens as people type them, at most six decimals, as micro-tokens; null for what is none, is nothing, or is beyond all measure. */
export function microOf(tokens: string): bigint | null {
  const value = Number(tokens);
  if (!/^[0-9]+(\.[0-9]{1,6})?$/.test(tokens) || value <= 0 || value > TOKENS_MAX) return null;
  return BigInt(Math.round(value * 1e6));
}

/** Watts as people type them; null for what is no load of a machine. */
export function wattsOf(text: string): number | null {
  const watts = Number(text);
  return text !== '' && watts > 0 && watts < WATTS_MAX ? watts : null;
}

/** Before any lease of a job has settled. */
const SEGMENTS_PER_PATH_GUESS = 6;

export interface Wants {
  readonly order: Pick<JobOrder, 'bounces' | 'capMicro'> & {
    readonly priceMaxMicro?: string | undefined;
    readonly costPerMille?: number | undefined;
  };
  /** Paths that are still to be leased. */
  readonly pathsLeft: number;
  readonly settledPaths: number;
  readonly settledSegments: number;
  readonly spentMicro: bigint;
}

/** Thousandths of a work unit of so many segments, at least one. */
export function unitsOf(segments: number, costPerMille: number): bigint {
  return BigInt(Math.max(1, Math.ceil((segments * costPerMille) / 1000 / (WORK_UNIT / 1000))));
}

/**
 * What a job bids: its own limit per work unit, or what its cap leaves for each of those it still
 * needs, and no less than the reference, for its leases are cut to their shares of the cap anyhow.
 */
export function bidOf(
  { order, pathsLeft, settledPaths, settledSegments, spentMicro }: Wants,
  referenceMicro: bigint,
): { priceMicro: bigint; units: bigint } {
  const most = segmentsPerPathMax(order.bounces);
  const perPath = settledPaths > 0 ? settledSegments / settledPaths : Math.min(SEGMENTS_PER_PATH_GUESS, most);
  const units = unitsOf(pathsLeft * perPath, order.costPerMille ?? PLAIN_COST_PER_MILLE);
  if (order.priceMaxMicro !== undefined) return { priceMicro: BigInt(order.priceMaxMicro), units };
  const left = BigInt(order.capMicro) - spentMicro;
  const affordable = left > 0n ? (left * 1000n) / units : 0n;
  return { priceMicro: affordable > referenceMicro ? affordable : referenceMicro, units };
}
