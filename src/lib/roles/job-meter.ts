/**
 * A worker's own look at what it is paid for: of every job that it traces much of it measures once
 * what the scene's rays cost, and remembers of which jobs the order says too little. Refuses to judge
 * where it could not measure.
 */
import type { Engine } from '../gpu/engine.ts';
import { leasePaths, PLAIN_COST_PER_MILLE } from '../market/price.ts';
import { costAgrees, meterPaths, meterPlan } from '../market/metering.ts';
import { METERED_JOBS_MAX } from '../protocol/limits.ts';
import { tileCount } from '../job/plan.ts';
import type { Lease } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import { costOf } from './meter.ts';

/** A job is measured when so many times the measurement's paths are traced of it: it then costs three percent of what was done. */
const PATHS_PER_METERED_PATH = 32;

interface Work {
  readonly lease: Lease;
  readonly order: JobOrder;
}

interface Known {
  /** Traced of the job here. */
  paths: number;
  /** null: not measured yet. */
  pays: boolean | null;
}

export class JobMeter {
  /** The newest last. */
  readonly #jobs = new Map<string, Known>();
  /** Title of the job that was left last because it pays for less than its scene takes; null again once others are worked on. */
  left: string | null = null;

  /** A lease of it was traced. */
  traced({ lease, order }: Work): void {
    this.left = null;
    this.#of(lease.job).paths += leasePaths(order, lease.pass * tileCount(order) + lease.tile);
  }

  /** Does the order pay for what its scene takes, as far as is known? Measures when that is due; `telling` is called before. */
  async pays(signal: AbortSignal, engine: Engine, { lease, order }: Work, telling: () => void): Promise<boolean> {
    const known = this.#of(lease.job);
    if (known.pays === null && known.paths >= PATHS_PER_METERED_PATH * meterPaths(meterPlan(order))) {
      telling();
      const cost = await costOf(signal, engine, order);
      if (signal.aborted) return true;
      known.pays = cost === null || costAgrees(order.costPerMille ?? PLAIN_COST_PER_MILLE, cost);
    }
    if (known.pays === false) this.left = order.title;
    return known.pays !== false;
  }

  #of(job: string): Known {
    const known = this.#jobs.get(job) ?? { paths: 0, pays: null };
    this.#jobs.delete(job);
    this.#jobs.set(job, known);
    if (this.#jobs.size > METERED_JOBS_MAX) this.#jobs.delete(this.#jobs.keys().next().value!);
    return known;
  }
}
