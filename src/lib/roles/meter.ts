/**
 * Measures what the rays of a view cost, on an engine that holds its scene: counts the few paths that
 * every peer counts (market/metering), once per view. A creator signs what it finds into its order, a
 * worker holds the order against it. Where it can't be measured, because there is no device or the
 * scene was dropped, there is no cost and nobody is told: an order without one is priced as plain.
 */
import type { Engine } from '../gpu/engine.ts';
import { filmCounters, type Counters } from '../job/film.ts';
import { costPerMille, meterPlan, type Metered } from '../market/metering.ts';
import { METERED_VIEWS_MAX } from '../protocol/limits.ts';

/** A leaf of one sample is over sooner than it could be stopped. */
const NEVER = new AbortController().signal;

const measured = new WeakMap<Engine, Map<string, number>>();

/** @returns JobOrder.costPerMille; null when it could not be measured, or the signal aborts first. */
export async function costOf(signal: AbortSignal, engine: Engine, view: Metered): Promise<number | null> {
  const plan = meterPlan(view);
  const key = JSON.stringify([view.sceneRoot, plan.frame]);
  const known = measured.get(engine) ?? new Map<string, number>();
  measured.set(engine, known);
  const before = known.get(key);
  if (before !== undefined) return before;
  const counted: Counters[] = [];
  for (const rect of plan.leaves) {
    if (signal.aborted) return null;
    const { frame, pass } = plan;
    const outcome = await engine.trace(NEVER, { sceneRoot: view.sceneRoot, frame, rect, pass, count: true });
    if (!outcome.ok) return null;
    counted.push(filmCounters(outcome.film.light));
  }
  const cost = costPerMille(counted);
  known.set(key, cost);
  if (known.size > METERED_VIEWS_MAX) known.delete(known.keys().next().value!);
  return cost;
}
