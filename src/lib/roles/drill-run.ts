/**
 * A worker's part in a drill (trust/drill): spoils a copy of the film it traced, finds out which leaves
 * tell, and keeps the honest film until the same slot is granted again. Refuses to spoil anything that
 * nobody asked for, and commits honestly where the asked lie would not show.
 */
import type { Engine } from '../gpu/engine.ts';
import type { Film } from '../job/film.ts';
import { passes, tileRect } from '../job/plan.ts';
import { corrupted, type TraceSpec } from '../trust/corruption.ts';
import { packBits, tellingLeaves, type Drill } from '../trust/drill.ts';
import type { LeaseCommitBody } from '../protocol/bodies.ts';
import type { Control, ControlEvent, ControlOutcome } from './types.ts';

type Grant = Extract<ControlEvent, { type: 'grant' }>;

export interface Traced {
  readonly film: Film;
  readonly traceSeconds: number;
}

export interface Spoilt {
  readonly film: Film;
  readonly kind: Drill['kind'];
  /** For the seal (protocol/control). */
  readonly tells: string;
}

/** Honest films of slots that are to come again; the oldest go first, and are traced again. */
const KEPT_MAX = 4;
/** Fewer telling leaves, and most draws would see none. */
const TELLING_SHARE_MIN = 1 / 4;

export class HonestFilms {
  readonly #films = new Map<string, Traced>();

  keep(grant: Grant, traced: Traced): void {
    this.#films.set(slotOf(grant), traced);
    for (const oldest of this.#films.keys()) {
      if (this.#films.size <= KEPT_MAX) return;
      this.#films.delete(oldest);
    }
  }

  take(grant: Grant): Traced | null {
    const kept = this.#films.get(slotOf(grant)) ?? null;
    this.#films.delete(slotOf(grant));
    return kept;
  }
}

const slotOf = ({ lease: { job, tile, pass } }: Grant): string => `${job}/${tile}/${pass}`;

/** @returns null when nothing was asked for, or no lie of this kind shows. */
export async function spoil(engine: Engine, signal: AbortSignal, grant: Grant, honest: Film): Promise<Spoilt | null> {
  const { drill, order, lease } = grant;
  const pass = passes(order)[lease.pass];
  if (!drill || !pass) return null;
  const spec: TraceSpec = { rect: tileRect(order, lease.tile), pass, bounces: order.bounces };
  const trace = async (asked: TraceSpec): Promise<Film | null> => {
    if (asked === spec) return honest;
    const frame = { ...order, bounces: asked.bounces };
    const traced = await engine.trace(signal, { sceneRoot: order.sceneRoot, frame, rect: asked.rect, pass: asked.pass });
    return traced.ok ? traced.film : null;
  };
  const film = await corrupted(trace, spec, { ...drill, random: choices(drill.seed) });
  if (!film || signal.aborted) return null;
  const tells = tellingLeaves(honest, film, spec.rect, order.bounces);
  if (tells.filter(Boolean).length < TELLING_SHARE_MIN * tells.length) return null;
  return { film, kind: drill.kind, tells: packBits(tells) };
}

/** Commits to a film, to a false one once the coordinator holds its seal: without it, that would be a lie. */
export async function commitTo(control: Control, body: LeaseCommitBody, spoilt: Spoilt | null): Promise<ControlOutcome> {
  if (spoilt) {
    const { lease, root } = body;
    const sealed = await control.submit('drill.seal', { lease, root, kind: spoilt.kind, tells: spoilt.tells });
    if (sealed.status !== 'ok') return sealed;
  }
  return control.submit('lease.commit', body);
}

/** Mulberry32: where to lie is nobody's secret, only whether. */
function choices(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
