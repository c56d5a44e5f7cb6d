/**
 * Traces one request on one session: cuts it into chunks of whole pixels, keeps at most two in
 * flight, and gathers the film. A tracer outlives its session: after a lost device it goes on with
 * the next one from the last finished chunk. How it cuts never changes a bit of the film.
 */
import type { Film } from '#lib/job/film.ts';
import { FILM_BYTES_PER_PIXEL, filmIsFinite } from '#lib/job/film.ts';
import type { TraceRequest } from '#lib/gpu/engine.ts';
import { FilmPixel, NONE } from '#shaders/layout.ts';
import { encodeFrame } from './frame.ts';
import type { LaneResult } from './lane.ts';
import type { Pacer } from './pacer.ts';
import type { SceneBuffers } from './scene-buffers.ts';
import type { Session } from './session.ts';

interface Chunk {
  readonly first: number;
  readonly pixels: number;
  readonly submittedMs: number;
  /** null: the device is gone. */
  readonly result: Promise<LaneResult | null>;
}

export type RunOutcome = 'done' | 'aborted' | 'device-lost';

export class Tracer {
  readonly film: Film;
  readonly #request: TraceRequest;
  readonly #pacer: Pacer;
  #pixelsDone = 0;
  #lastDoneMs = 0;

  constructor(request: TraceRequest, pacer: Pacer) {
    const { width, height } = request.rect;
    this.#request = request;
    this.#pacer = pacer;
    const light = new Uint8Array(width * height * FILM_BYTES_PER_PIXEL);
    this.film = { width, height, samples: request.pass.count, light, signatures: new Uint16Array(width * height * request.pass.count) };
  }

  async run(signal: AbortSignal, session: Session, scene: SceneBuffers, onProgress?: (share: number) => void): Promise<RunOutcome> {
    const pixels = this.film.width * this.film.height;
    const flying: Chunk[] = [];
    let next = this.#pixelsDone;
    let turn = 0;
    while (this.#pixelsDone < pixels) {
      while (flying.length < session.lanes.length && next < pixels && !signal.aborted) {
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
      this.#keep(chunk, result);
      if (!signal.aborted) onProgress?.(this.#pixelsDone / pixels);
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

  #submit(session: Session, scene: SceneBuffers, lane: number, first: number, left: number): Chunk {
    const { samples } = this.film;
    const count = this.#pacer.pixels(samples, left);
    const frame = encodeFrame(this.#request, scene.frame, { first, count });
    const result = session.lanes[lane]!.run(scene, {
      frame,
      pixels: count,
      paths: count * samples,
      count: this.#request.count === true,
    }).catch(() => null);
    return { first, pixels: count, submittedMs: performance.now(), result };
  }

  #keep(chunk: Chunk, result: LaneResult): void {
    const now = performance.now();
    this.#pacer.note(chunk.pixels * this.film.samples, now - Math.max(this.#lastDoneMs, chunk.submittedMs));
    this.#lastDoneMs = now;
    this.film.light.set(result.light, chunk.first * FILM_BYTES_PER_PIXEL);
    this.film.signatures.set(result.signatures, chunk.first * this.film.samples);
    this.#pixelsDone = chunk.first + chunk.pixels;
  }
}
