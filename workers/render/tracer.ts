/**
 * Traces one request on one session: cuts it into chunks of whole pixels, keeps at most two in
 * flight, and gathers the film. A tracer outlives its session: after a lost device it goes on with
 * the next one from the last finished chunk. How it cuts never changes a bit of the film.
 */
import type { Film } from '#lib/job/film.ts';
import { FILM_BYTES_PER_PIXEL, filmIsFinite } from '#lib/job/film.ts';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { FilmPixel, NONE } from '#shaders/layout.ts';
import type { DutyCycle, HostClock } from './duty-cycle.ts';
import { encodeFrame } from './frame.ts';
import type { LaneResult } from './lane.ts';
import type { Pacer } from './pacer.ts';
import type { ReadyScene, Session } from './session.ts';

interface Chunk {
  readonly first: number;
  readonly pixels: number;
  readonly submittedMs: number;
  /** null: the device is gone. */
  readonly result: Promise<LaneResult | 'no-memory' | null>;
}

/** What tracers of one engine share. */
export interface TraceRhythm {
  readonly pacer: Pacer;
  readonly duty: DutyCycle;
  readonly clock: HostClock;
  /** Paths that a dispatch has at most. */
  most: number;
}

export type RunOutcome = 'done' | 'aborted' | 'device-lost' | 'no-memory';

export class Tracer {
  readonly film: Film;
  readonly #request: TraceRequest;
  readonly #rhythm: TraceRhythm;
  #pixelsDone = 0;
  #lastDoneMs = 0;

  constructor(request: TraceRequest, rhythm: TraceRhythm) {
    const { width, height } = request.rect;
    this.#request = request;
    this.#rhythm = rhythm;
    const light = new Uint8Array(width * height * FILM_BYTES_PER_PIXEL);
    this.film = { width, height, samples: request.pass.count, light, signatures: new Uint16Array(width * height * request.pass.count) };
  }

  /** Pixels that are finished and stay so, whatever happens to the device. */
  get pixelsDone(): number {
    return this.#pixelsDone;
  }

  async run(signal: AbortSignal, session: Session, scene: ReadyScene, onProgress?: (share: number) => void): Promise<RunOutcome> {
    const pixels = this.film.width * this.film.height;
    const flying: Chunk[] = [];
    let next = this.#pixelsDone;
    let turn = 0;
    while (this.#pixelsDone < pixels) {
      // With two in flight the device never idles: what is not lent is rested one by one.
      const lanes = this.#rhythm.duty.share < 1 ? 1 : session.lanes.length;
      while (flying.length < lanes && next < pixels && !signal.aborted) {
        const chunk = this.#submit(session, scene, turn++ % session.lanes.length, next, pixels - next);
        flying.push(chunk);
        next += chunk.pixels;
      }
      const chunk = flying.shift();
      if (!chunk) return 'aborted';
      const result = await chunk.result;
      if (!result || session.fault !== null) {
        await Promise.all(flying.map((other) => other.result));
        return signal.aborted ? 'aborted' : 'device-lost';
      }
      if (result === 'no-memory') {
        // Smaller ones from here on; what flies behind it is traced again.
        await Promise.all(flying.splice(0).map((other) => other.result));
        next = this.#pixelsDone;
        if (!session.crowded(chunk.pixels * this.film.samples)) return 'no-memory';
        continue;
      }
      const tookMs = this.#keep(chunk, result);
      if (!signal.aborted) onProgress?.(this.#pixelsDone / pixels);
      await this.#rhythm.duty.rest(signal, tookMs);
    }
    return 'done';
  }

  /** 'not-finite' or 'node-cap' when a pixel of the film says so. */
  defect(): 'not-finite' | 'node-cap' | null {
    const { light } = this.film;
    const words = new Uint32Array(light.buffer);
    for (let i = FilmPixel.offsets.segments / 4; i < words.length; i += FilmPixel.size / 4) if (words[i] === NONE) return 'node-cap';
    return filmIsFinite(light) ? null : 'not-finite';
  }

  #submit(session: Session, scene: ReadyScene, lane: number, first: number, left: number): Chunk {
    const { samples } = this.film;
    const count = this.#rhythm.pacer.pixels(samples, left, Math.min(this.#rhythm.most, session.pathsMax));
    const frame = encodeFrame(this.#request, scene.buffers.frame, { first, count });
    const result = session.lanes[lane]!.run(scene, {
      frame,
      pixels: count,
      paths: count * samples,
      count: this.#request.count === true,
    }).catch(() => null);
    return { first, pixels: count, submittedMs: this.#rhythm.clock.nowMs(), result };
  }

  /** @returns the milliseconds that the device worked on the chunk. */
  #keep(chunk: Chunk, result: LaneResult): number {
    const now = this.#rhythm.clock.nowMs();
    const tookMs = timeOf(result.deviceMs, now - chunk.submittedMs, now - this.#lastDoneMs);
    this.#rhythm.pacer.note(chunk.pixels * this.film.samples, tookMs);
    this.#lastDoneMs = now;
    this.film.light.set(result.light, chunk.first * FILM_BYTES_PER_PIXEL);
    this.film.signatures.set(result.signatures, chunk.first * this.film.samples);
    this.#pixelsDone = chunk.first + chunk.pixels;
    return tookMs;
  }
}

/**
 * Milliseconds that the device worked on a chunk: by its own clock where that is possible at all,
 * else since the chunk before was done. A host that hears of two chunks at once would take the
 * second for nothing: with two in flight one is at least a third of the time since it was submitted.
 */
function timeOf(deviceMs: number | null, sinceSubmitted: number, sinceLastDone: number): number {
  if (deviceMs !== null && deviceMs <= sinceSubmitted) return deviceMs;
  return Math.min(sinceSubmitted, Math.max(sinceLastDone, sinceSubmitted / 3));
}
