/**
 * The market as `GET /api/market` tells it (static/openapi.json), parsed where it comes in. Money is
 * decimal strings of micro-tokens on the wire and bigint behind it.
 */
import * as v from 'valibot';

const micro = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,19}$/),
  v.transform((text) => BigInt(text)),
);
const line = v.pipe(
  v.strictTuple([micro, v.number()]),
  v.transform(([priceMicro, milliUnits]) => ({ priceMicro, milliUnits })),
);
const rule = v.picklist(['uniform', 'mcafee', 'posted']);

const TierSchema = v.object({
  tier: v.string(),
  words: v.string(),
  last: v.nullable(v.object({ round: v.number(), atMs: v.number(), rule, buyMicro: micro, sellMicro: micro, milliUnits: v.number() })),
  referenceMicro: micro,
  rule,
  askOwners: v.number(),
  bidOwners: v.number(),
  asks: v.array(line),
  bids: v.array(line),
  history: v.array(v.object({ round: v.number(), atMs: v.number(), priceMicro: micro, milliUnits: v.number() })),
});
export type MarketTier = v.InferOutput<typeof TierSchema>;
export type DepthLine = v.InferOutput<typeof line>;

const MarketSchema = v.object({
  floorMicro: micro,
  roundMs: v.number(),
  checkerShare: v.number(),
  feeShare: v.number(),
  stillMicro: micro,
  tiers: v.array(TierSchema),
  timeMs: v.number(),
});
export type MarketPicture = v.InferOutput<typeof MarketSchema>;

/** @returns null for what is no answer of a market. */
export function parseMarket(answer: unknown): MarketPicture | null {
  const parsed = v.safeParse(MarketSchema, answer);
  return parsed.success ? parsed.output : null;
}

/** What a work unit costs in a tier now, as grants are priced; null where that market says nothing. */
export function priceIn({ tiers }: MarketPicture, tier: string): bigint | null {
  const found = tiers.find((one) => one.tier === tier);
  return found ? (found.last?.buyMicro ?? found.referenceMicro) : null;
}
