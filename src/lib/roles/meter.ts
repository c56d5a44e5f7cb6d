/**
 * Measures what the rays of a view cost, on an engine that holds its scene: counts the few paths that
 * every peer counts (market/metering), once per view. A creator signs what it finds into its order, a
 * worker holds the order against it. Where it can't be measured, because there is no device or the
 * scene was dropped, there is no cost and nobody is told: an order without one is priced as plain.
 */
import type { Engine } from '../gpu/engine.ts';
import { filmCounters, type Counters } from '../job/film.ts';
import { costPerMille, meterPlan, type Metered, type MeterPlan } from '../market/metering.ts';
import { METERED_VIEWS_MAX } from '../protocol/limits.ts';

/** A leaf of one sample is over soon; ending it by force may cost a tab its device. */
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
  const counted = await count(signal, engine, view.sceneRoot, plan);
  if (!counted) return null;
  const cost = costPerMille(counted);
  known.set(key, cost);
  if (known.size > METERED_VIEWS_MAX) known.delete(known.keys().next().value!);
  return cost;
}

async function count(
  signal: AbortSignal,
  engine: Engine,
  sceneRoot: string,
  { frame, leaves, pass }: MeterPlan,
): Promise<Counters[] | null> {
  const over = new AbortController();
  // Whoever gives up does not wait for a kernel that is being built.
  const gone = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null), { signal: over.signal }));
  const counted: Counters[] = [];
  try {
    for (const rect of leaves) {
      if (signal.aborted) return null;
      const outcome = await Promise.race([engine.trace(NEVER, { sceneRoot, frame, rect, pass, count: true }), gone]);
      if (!outcome?.ok) return null;
      counted.push(filmCounters(outcome.film.light));
    }
    return counted;
  } finally {
    over.abort();
  }
}
