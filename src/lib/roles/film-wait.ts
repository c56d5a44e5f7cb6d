/**
 * A creator's patience with promised films: one that has not come in time is asked for, and after
 * that again a last time, upon which the coordinator gives its part of the picture to another worker.
 * Counts only time in which the coordinator could be reached: who is away can't be brought anything.
 */
import { FILM_MISSING_MAX, FILM_WAIT_MS_MAX } from '../protocol/limits.ts';
import type { ControlEvent, RoleContext } from './types.ts';

type Committed = Extract<ControlEvent, { type: 'committed' }>;

export class FilmWait {
  readonly #context: Pick<RoleContext, 'clock' | 'control'>;
  readonly #signal: AbortSignal;
  readonly #awaited = new Set<string>();

  constructor(signal: AbortSignal, context: Pick<RoleContext, 'clock' | 'control'>) {
    this.#signal = signal;
    this.#context = context;
  }

  /** Waits once per lease, however often its commitment is told. @param wanted false once the film is here, void or of a job that ended. */
  async watch({ lease: { lease }, root }: Committed, wanted: () => boolean): Promise<void> {
    if (this.#awaited.has(lease)) return;
    this.#awaited.add(lease);
    const { clock, control } = this.#context;
    for (let said = 0; said < FILM_MISSING_MAX;) {
      await clock.sleep(this.#signal, FILM_WAIT_MS_MAX);
      if (this.#signal.aborted || !wanted()) break;
      if (!control.connected) continue;
      const outcome = await control.submit('film.receipt', { lease, root, verdict: 'missing' });
      if (outcome.status === 'ok') said++;
      else if (outcome.status === 'refused' && outcome.reason !== 'receipt-early') break;
    }
    this.#awaited.delete(lease);
  }
}
