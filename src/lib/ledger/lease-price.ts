/**
 * Which price a lease has: of the market's round that its commitment names, or of its job's terms.
 * Refuses a round of another market, one that was over before the lease can have begun, and a price
 * beyond what the creator signed.
 */
import type { WorkPrice } from '../market/price.ts';
import type { Rounds } from '../market/rounds.ts';
import { tierOf } from '../market/tiers.ts';
import { LEASE_DEADLINE_MAX_MS, MARKET_ROUND_MS, SCENE_ALLOWANCE_MS } from '../protocol/limits.ts';
import type { Leaf } from './leaf.ts';
import type { JobState } from './postings.ts';

/** When the last lease of a round that was held then can have been committed. */
export const lastCommitMs = (roundMs: number): number => roundMs + MARKET_ROUND_MS + LEASE_DEADLINE_MAX_MS + SCENE_ALLOWANCE_MS;

/** @returns what a work unit costs this lease, or what is false about it. */
export function priceOf(leaf: Leaf<'commitment'>, { order, leaf: terms }: JobState, rounds: Rounds): WorkPrice | string {
  if (leaf.round === undefined) {
    const micro = BigInt(terms.pricePerWorkUnitMicro);
    return { buyMicro: micro, sellMicro: micro };
  }
  const price = rounds.price(leaf.round);
  if (price?.tier !== tierOf(order)) return 'A lease has the price of a round that was not of its market.';
  if (leaf.atMs > lastCommitMs(price.atMs)) return 'A lease has the price of a round that was over long before.';
  if (order.priceMaxMicro !== undefined && price.buyMicro > BigInt(order.priceMaxMicro))
    return 'A lease costs more than its creator signed.';
  return price;
}
