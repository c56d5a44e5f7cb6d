/**
 * The frames that are here become one file: a ZIP of pictures, or a video. Each is denoised first
 * where that is what the page shows. One file at a time; stopping it costs nothing but itself.
 */
import { SequenceAside } from '../image/darkroom.ts';
import type { Format } from '../image/develop.ts';
import type { SequenceChoices, SequenceFile } from '../image/sequence.ts';
import type { ToneOptions } from '../image/tonemap.ts';
import type { DenoiseQuality, Engine } from '../gpu/engine.ts';
import type { StoredFrame } from '../roles/frame-store.ts';
import type { Denoised } from './denoising.svelte.ts';
import { jobOfFrame } from './frame-picture.ts';
import { choicesOf, pictureOf } from './job-files.ts';
import { problem, type Problem } from './problem.ts';

export interface ExportWish {
  readonly kind: SequenceChoices['kind'];
  /** Of each picture in a ZIP. */
  readonly format: Format;
  readonly fps: number;
  readonly tone: ToneOptions;
  /** null: the raw light. */
  readonly denoise: DenoiseQuality | null;
  /** In order, at least one. */
  readonly frames: readonly number[];
}

export class SequenceExport {
  /** What is being written; null while nothing is. */
  working = $state.raw<{ readonly wish: ExportWish; readonly done: number; readonly denoising: boolean } | null>(null);
  trouble = $state.raw<Problem | null>(null);
  readonly #engine: () => Promise<Engine>;
  readonly #frame: (frame: number) => Promise<StoredFrame | null>;
  #work = new AbortController();

  constructor(engine: () => Promise<Engine>, frame: (frame: number) => Promise<StoredFrame | null>) {
    this.#engine = engine;
    this.#frame = frame;
  }

  /** @returns null when it was stopped, or could not be: then there is a trouble. */
  async make(wish: ExportWish): Promise<SequenceFile | null> {
    if (this.working) return null;
    this.trouble = null;
    this.#work = new AbortController();
    this.working = { wish, done: 0, denoising: false };
    let file: SequenceAside | null = null;
    try {
      for (const [done, frame] of wish.frames.entries()) {
        const stored = await this.#frame(frame);
        if (!stored || this.#work.signal.aborted) break;
        const denoised = await this.#denoised(stored, wish, done);
        if (this.#work.signal.aborted) break;
        this.working = { wish, done, denoising: false };
        const job = jobOfFrame(stored);
        const choices = choicesOf(job, wish.format, denoised, wish.tone, location.origin);
        file ??= await SequenceAside.open({ kind: wish.kind, fps: wish.fps, frame: choices });
        const refused = await file.add(pictureOf(job, stored.layers, denoised), frame, choices.notes);
        if (refused) return this.#fail(refused, '');
      }
      return file && !this.#work.signal.aborted ? await file.finish() : null;
    } catch (cause) {
      return this.#fail('The file could not be written.', 'Try again, or choose another kind of file.', cause);
    } finally {
      file?.stop();
      this.working = null;
    }
  }

  stop(): void {
    this.#work.abort();
  }

  async #denoised({ order, light, layers }: StoredFrame, wish: ExportWish, done: number): Promise<Denoised | null> {
    const { denoise: quality } = wish;
    if (!quality) return null;
    this.working = { wish, done, denoising: true };
    const { width, height, samples } = order;
    const { albedo, normal, depth, moment } = layers;
    const guides = { albedo, normal, depth, moment, samples: new Float32Array(width * height).fill(samples) };
    const engine = await this.#engine();
    const result = await engine.denoise(this.#work.signal, { width, height, color: light, ...guides, quality });
    if (result.ok) return { of: null, image: result.image, quality, samples, done: true, models: result.models };
    if (this.#work.signal.aborted) return null;
    throw new Error(result.text);
  }

  #fail(what: string, remedy: string, cause?: unknown): null {
    this.trouble = problem(what, 'The frames stay here.', remedy, cause);
    return null;
  }
}
