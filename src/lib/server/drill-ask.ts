/**
 * Whom to ask for a drill (trust/drill): decided with the grant of a lease, by lot, and told to its worker
 * alone. Asks nobody while too few check: among two checkers and a worker there is no pool to hide in.
 */
import { DRILL_CHECKERS_MIN } from '../protocol/limits.ts';
import { drillOf, drillPpm, type Drill } from '../trust/drill.ts';
import type { Core } from './core.ts';
import { standingOf } from './records.ts';
import type { JobRow, LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

/** @returns what the worker is asked to spoil, as it is stored; null for nothing. */
export async function askDrill(core: Core, tx: Tx, job: JobRow, worker: string): Promise<string | null> {
  if (core.rules.drillPpm === 0 || checkersBeside(core, worker, job.creator) < DRILL_CHECKERS_MIN) return null;
  const [lot, ...choices] = uniforms(core, 4) as [number, number, number, number];
  if (lot * 1e6 >= drillPpm(await standingOf(tx.rows, worker), core.rules)) return null;
  return JSON.stringify(drillOf(choices));
}

export const drillIn = ({ drill }: Pick<LeaseRow, 'drill'>): Drill | null => (drill === null ? null : (JSON.parse(drill) as Drill));

function checkersBeside(core: Core, worker: string, creator: string): number {
  const keys = core.sessions
    .with('checker')
    .filter((session) => session.checksWanted > 0 && session.key !== worker && session.key !== creator)
    .map(({ key }) => key);
  return new Set(keys).size;
}

function uniforms(core: Core, count: number): number[] {
  const bytes = core.random(4 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, i) => view.getUint32(4 * i) / 2 ** 32);
}
