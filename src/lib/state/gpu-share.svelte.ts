/**
 * How much of the GPU's time this browser lends, in percent: remembered between visits, told to the
 * engine while work is taken and at every change. A tab that takes no work has its GPU whole.
 * Rests nothing itself: the engine does, between dispatches.
 */
import type { Engine } from '../gpu/engine.ts';
import { recall, remember } from './remember.ts';

export const SHARE_PERCENT = { min: 5, max: 100, step: 5 } as const;
const KEY = 'gpu-share';

/** The nearest step; all of it for what is no number. */
function tidy(percent: number): number {
  if (!Number.isFinite(percent)) return SHARE_PERCENT.max;
  const { min, max, step } = SHARE_PERCENT;
  return Math.min(Math.max(Math.round(percent / step) * step, min), max);
}

export class GpuShare {
  #percent = $state<number>(SHARE_PERCENT.max);
  #engine: Pick<Engine, 'setPace'> | null = null;

  get percent(): number {
    return this.#percent;
  }

  /** Holds from the engine's next dispatch on. */
  set percent(percent: number) {
    this.#percent = tidy(percent);
    remember('browser', KEY, String(this.#percent));
    this.#tell(this.#percent);
  }

  /** What was chosen on an earlier visit. Called once the page runs in a browser. */
  recall(): void {
    this.#percent = tidy(Number(recall('browser', KEY) ?? Number.NaN));
    this.#tell(this.#percent);
  }

  /** From now on this engine works for others. */
  lend(engine: Pick<Engine, 'setPace'>): void {
    this.#engine = engine;
    this.#tell(this.#percent);
  }

  /** It works for this tab alone again. */
  keep(): void {
    this.#tell(SHARE_PERCENT.max);
    this.#engine = null;
  }

  #tell(percent: number): void {
    this.#engine?.setPace({ place: 'foreground', share: percent / 100 });
  }
}
