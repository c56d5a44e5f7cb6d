/**
 * A picture without its grain, beside the raw light and never in its place: the page shows one or the
 * other and says which. Follows a picture in the making: a quick filter first, then the networks, one
 * denoise at a time and always of the newest light. Runs here, at the creator, on what has come in;
 * nothing is sent and no lease knows of it. When it fails, the raw light stays and a sentence says why.
 */
import type { DenoiseQuality, DenoiseRequest, Engine } from '../gpu/engine.ts';

/** A picture at one moment; another object at the next. */
export interface RawPicture {
  /** The same for all moments of one picture, and of no other. */
  readonly of: unknown;
  readonly width: number;
  readonly height: number;
  /** Mean linear radiance, width × height × 3. */
  readonly color: Float32Array<ArrayBuffer>;
  /** Samples that every pixel has. */
  readonly samples: number;
  /** No more light will come. */
  readonly done: boolean;
  guides(): Promise<Guides | null>;
}

export type Guides = Pick<DenoiseRequest, 'albedo' | 'normal' | 'depth' | 'moment' | 'samples'>;

/** What was made of which light. */
export interface Denoised {
  readonly of: unknown;
  readonly image: Float32Array<ArrayBuffer>;
  readonly quality: DenoiseQuality;
  readonly samples: number;
  /** Of the light that no more was added to. */
  readonly done: boolean;
  /** Networks by their own names. */
  readonly models: readonly string[];
}

/** A network that takes longer waits until the light is whole; the quick filter goes on meanwhile. */
const MEANWHILE_SECONDS_MAX = 4;
/** The filter on more light is better than a network on so many times less. */
const WORTH_SAMPLES = 4;

/** The most that may be made of light that is still coming in, and of light that is whole. */
export interface Most {
  readonly meanwhile: DenoiseQuality;
  readonly atLast: DenoiseQuality;
}

export class Denoising {
  /** The picture without grain is asked for; it is shown as soon as there is one. */
  wanted = $state(false);
  latest = $state.raw<Denoised | null>(null);
  /** What is being made; null while nothing is. */
  working = $state<DenoiseQuality | null>(null);
  /** Share of it that is done. */
  share = $state(0);
  /** Why it stands still, for people; empty while all is well. */
  trouble = $state('');
  readonly #engine: () => Promise<Engine>;
  readonly #most: () => Most;
  #picture: RawPicture | null = null;
  /** Networks failed: the quick filter goes on alone until it is asked for again. */
  #networksFail = false;
  /** What the small network took last. */
  #secondsPerPixel = 0;
  #work: AbortController | null = null;

  constructor(engine: () => Promise<Engine>, most: () => Most) {
    this.#engine = engine;
    this.#most = most;
  }

  /** The picture as it is now. What was made of another one is of no more use. */
  take(picture: RawPicture): void {
    this.#picture = picture;
    if (this.latest?.of !== picture.of) this.latest = null;
    if (this.wanted) void this.#run();
  }

  want(wanted: boolean): void {
    this.wanted = wanted;
    this.trouble = '';
    this.#networksFail = false;
    if (wanted) void this.#run();
    else this.#stop();
  }

  /** The picture without grain, if it is asked for and there. */
  shown(of: unknown): Denoised | null {
    return this.wanted && this.latest?.of === of ? this.latest : null;
  }

  /** There is no picture any more. */
  clear(): void {
    this.#stop();
    this.#picture = null;
    this.latest = null;
    this.trouble = '';
  }

  #stop(): void {
    this.#work?.abort();
    this.#work = null;
    this.working = null;
  }

  async #run(): Promise<void> {
    if (this.#work) return;
    const work = new AbortController();
    this.#work = work;
    for (let next = this.#next(); next && !work.signal.aborted; next = this.#next()) await this.#make(work.signal, next);
    if (this.#work === work) this.#stop();
  }

  /** What is worth making now; null when the best of the newest light is there. */
  #next(): DenoiseQuality | null {
    const [picture, before] = [this.#picture, this.latest];
    if (!picture || !this.wanted || picture.samples < 1) return null;
    if (!before) return 'live';
    const current = before.samples === picture.samples && before.done === picture.done;
    const most = this.#mostOf(picture);
    if (most === 'live') {
      const network = before.quality !== 'live' && !this.#networksFail;
      return current || (network && picture.samples < WORTH_SAMPLES * before.samples) ? null : 'live';
    }
    // The strongest network takes its time: a quick one shows what to expect.
    if (before.quality === 'live') return 'fast';
    return current && before.quality === most ? null : most;
  }

  #mostOf({ width, height, done }: RawPicture): DenoiseQuality {
    if (this.#networksFail) return 'live';
    if (done) return this.#most().atLast;
    return this.#secondsPerPixel * width * height > MEANWHILE_SECONDS_MAX ? 'live' : this.#most().meanwhile;
  }

  async #make(signal: AbortSignal, quality: DenoiseQuality): Promise<void> {
    const picture = this.#picture!;
    const { of, width, height, color, samples, done } = picture;
    this.working = quality;
    this.share = 0;
    try {
      const [engine, guides] = await Promise.all([this.#engine(), picture.guides()]);
      if (signal.aborted) return;
      const result = await engine.denoise(signal, { width, height, color, ...guides, quality }, (share) => {
        if (!signal.aborted) this.share = share;
      });
      // Its picture may have gone meanwhile.
      if (signal.aborted || this.#picture?.of !== of) return;
      if (!result.ok) return this.#fail(quality, result.text);
      const { image, models, seconds } = result;
      this.latest = { of, image, quality, samples, done, models };
      if (quality === 'fast') this.#secondsPerPixel = seconds / (width * height);
    } catch (cause) {
      if (!signal.aborted) this.#fail(quality, cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** A network that fails leaves the quick filter; without that there is only the raw light. */
  #fail(quality: DenoiseQuality, text: string): void {
    if (quality === 'live') {
      this.trouble = `Denoising stopped, so this is the raw light. ${sentence(text)}`;
      this.wanted = false;
    } else {
      this.trouble = `The better denoiser could not be used. ${sentence(text)}`;
      this.#networksFail = true;
    }
  }
}

/** What drivers and browsers say need not end as one. */
const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
