/**
 * What a picture through a network would cost, before anything is sent: a look at it on this machine,
 * what its rays cost, and the market's price; in words and for programs. Without a device it is a guess
 * and says so; without an answer from the market it takes the operator's price.
 */
import type { Engine } from '#lib/gpu/engine.ts';
import { quoteOf, timesQuote, type Quote } from '#lib/market/estimate.ts';
import { tierOf, tierWords, type Tier } from '#lib/market/tiers.ts';
import type { Policy } from '#lib/protocol/control.ts';
import { PASS_SAMPLES_MAX } from '#lib/protocol/limits.ts';
import { parseMarket, priceIn } from '#lib/protocol/market.ts';
import { costOf } from '#lib/roles/meter.ts';
import { meteredOf } from '#lib/roles/order.ts';
import { survey } from '#lib/roles/survey.ts';
import type { JobChoice } from '#lib/roles/types.ts';
import { tokenText } from './progress.ts';

const MARKET_TIMEOUT_MS = 10_000;

export interface NetworkQuote {
  readonly quote: Quote;
  readonly frames: number;
  readonly tier: Tier;
  /** Of a work unit. */
  readonly priceMicro: bigint;
  /** null: it could not be measured here. */
  readonly costPerMille: number | null;
  readonly policy: Policy;
}

/** @param wanted one picture, or a sequence's first. @returns null when the signal aborts. */
export async function quoteThrough(
  signal: AbortSignal,
  { engine, origin, policy }: { readonly engine: Engine; readonly origin: string; readonly policy: Policy },
  wanted: Omit<JobChoice, 'capMicro'>,
  frames = 1,
): Promise<NetworkQuote | null> {
  const view = meteredOf(wanted);
  const regions = await survey(signal, engine, view, wanted.seed);
  const costPerMille = await costOf(signal, engine, view);
  if (signal.aborted) return null;
  const { width, height, samples, bounces, terms } = wanted;
  const tier = tierOf({ sceneNeeds: wanted.summary.needs, proven: terms?.proven });
  const priceMicro = (await priceAt(origin, tier)) ?? BigInt(policy.pricePerWorkUnitMicro);
  const order = { width, height, samples, bounces, passSamples: PASS_SAMPLES_MAX, noisePpm: terms?.noisePpm };
  const one = quoteOf({ ...order, costPerMille: costPerMille ?? undefined }, regions, { priceMicro, policy });
  return { quote: timesQuote(one, frames), frames, tier, priceMicro, costPerMille, policy };
}

/** What the market says; null where it says nothing, for a picture can be ordered all the same. */
async function priceAt(origin: string, tier: Tier): Promise<bigint | null> {
  try {
    const response = await fetch(`${origin}/api/market`, { signal: AbortSignal.timeout(MARKET_TIMEOUT_MS) });
    const view = response.ok ? parseMarket(await response.json()) : null;
    return view && priceIn(view, tier);
  } catch {
    return null;
  }
}

/** For people, a few lines. */
export function quoteText({ quote, frames, tier, priceMicro, costPerMille }: NetworkQuote): string {
  const { work, split, measured } = quote;
  const sure = measured
    ? `nine times in ten ${tokenText(quote.lowMicro)} to ${tokenText(quote.highMicro)}`
    : 'a guess: nothing could be measured on this machine';
  const { workerMicro, checkerMicro, feeMicro } = split;
  const cost = costPerMille === null ? '' : `, a ray ${(costPerMille / 1000).toFixed(2)} times a plain scene's`;
  return [
    `about ${tokenText(quote.estimateMicro)} tokens${frames > 1 ? ` for ${frames} frames` : ''}, ${sure}`,
    `never more than ${tokenText(quote.capMicro)}; what is left of that comes back`,
    `${tokenText(workerMicro)} to workers, ${tokenText(checkerMicro)} to checkers, ${tokenText(feeMicro)} to the network`,
    `${(quote.milliUnits / 1000).toFixed(3)} work units at ${tokenText(priceMicro)} tokens (${tierWords(tier)})${cost}; ${work.samples.toFixed(0)} samples a pixel`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** For programs. */
export const quoteFacts = ({ quote, frames, tier, priceMicro, costPerMille }: NetworkQuote): Readonly<Record<string, unknown>> => ({
  ...{ frames, tier, priceMicro: String(priceMicro), costPerMille, measured: quote.measured },
  ...{ estimateMicro: String(quote.estimateMicro), lowMicro: String(quote.lowMicro), highMicro: String(quote.highMicro) },
  ...{ capMicro: String(quote.capMicro), milliUnits: quote.milliUnits, samplesPerPixel: quote.work.samples },
  split: Object.fromEntries(Object.entries(quote.split).map(([name, micro]) => [name, String(micro)])),
});
