/**
 * An engine that computes a film from integer hashes of (scene, pixel, sample) instead of tracing.
 * It stands in for the GPU here because the simulator is about who did what when: films must be
 * exact, different everywhere and quick. Asked to count, it says that each ray visited a fixed number of nodes. The real engine has its own tests, and runs the real roles
 * in the end-to-end tests. Sums are multiples of 1/256 and small, so every order of adding agrees.
 */
import type {
  DenoiseResult,
  DeviceReport,
  Engine,
  SceneFiles,
  SceneOutcome,
  SceneSummary,
  TraceOutcome,
  TraceRequest,
} from '#lib/gpu/engine.ts';
import { FILM_BYTES_PER_PIXEL, viewOfFilm, writePixel, type Film, type PixelSums } from '#lib/job/film.ts';
import type { Pass, Rect } from '#lib/job/plan.ts';
import { concat, sha256, toHex, utf8 } from '#lib/protocol/bytes.ts';
import { SCENES_HELD_MAX } from '#lib/protocol/limits.ts';
import type { Clock } from '#lib/roles/types.ts';
import { FilmPixel, NONE } from '#shaders/layout.ts';

const CAMERA = { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null } as const;

export function summaryOf(files: SceneFiles): SceneSummary {
  const root = toHex(sha256(concat(files.scene, files.environment?.file ?? new Uint8Array(), utf8(String(files.frameTimeS)))));
  const bounds = { min: [0, 0, 0], max: [1, 1, 1] } as const;
  const counts = { triangles: 1, materials: 1, textures: 0, lights: 0, animationSeconds: 0, variants: [], compileSeconds: 0 };
  return {
    root,
    bytes: files.scene.length,
    needs: { bytes: files.scene.length, bindingBytes: 1 },
    ...counts,
    bounds,
    cameras: [],
    view: { ...CAMERA, eye: [...CAMERA.eye], target: [...CAMERA.target], up: [...CAMERA.up] },
    warnings: [],
  };
}

export function hash32(...words: readonly number[]): number {
  let h = 0x9e3779b9;
  for (const word of words) {
    h = Math.imul(h ^ word, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

/** @param nodesPerSegment what a counting film says that each ray visited; it tests and shades nothing. */
export function arithmeticFilm(request: TraceRequest, nodesPerSegment = 0): Film {
  const { rect, pass, frame } = request;
  const scene = Number.parseInt(request.sceneRoot.slice(0, 8), 16);
  const light = new Uint8Array(rect.width * rect.height * FILM_BYTES_PER_PIXEL);
  const signatures = new Uint16Array(rect.width * rect.height * pass.count);
  const view = viewOfFilm(light);
  forEachPixel(rect, (x, y, at) => {
    const sum: [number, number, number] = [0, 0, 0];
    const seen = { segments: 0, coverage: 0, depth: 0, moment: 0, object: NONE };
    const albedo: [number, number, number] = [0, 0, 0];
    const normal: [number, number, number] = [0, 0, 0];
    for (let s = 0; s < pass.count; s++) {
      const h = hash32(scene, frame.seed, x, y, pass.first + s);
      for (let c = 0; c < 3; c++) sum[c]! += ((h >>> (8 * c)) & 255) / 256;
      seen.segments += 1 + (h % (frame.bounces + 1));
      seen.moment += (h & 255) / 256;
      if (h % 8 > 0) {
        // Seven paths of eight see something.
        seen.coverage++;
        seen.depth += 1 + (h & 15);
        if (seen.object === NONE) seen.object = h % 97;
        for (let c = 0; c < 3; c++) albedo[c]! += (h >>> (9 * c)) & 511;
        for (let c = 0; c < 3; c++) normal[c]! += ((h >>> (7 * c)) & 511) - 255;
      }
      signatures[at * pass.count + s] = hash32(h, 7) & 0xffff;
    }
    if (request.count) writeCounters(view, at, { ...seen, light: sum }, nodesPerSegment);
    else writePixel(view, at, { ...seen, light: sum, albedo, normal });
  });
  return { width: rect.width, height: rect.height, samples: pass.count, light, signatures };
}

/** Where filmCounters reads them: the layers of a counting film are counts. */
function writeCounters(view: DataView, at: number, seen: Omit<PixelSums, 'albedo' | 'normal'>, nodesPerSegment: number): void {
  writePixel(view, at, { ...seen, coverage: 0, albedo: [0, 0, 0], normal: [0, 0, 0] });
  view.setUint32(at * FILM_BYTES_PER_PIXEL + FilmPixel.offsets.albedo_rg, Math.round(seen.segments * nodesPerSegment), true);
}

function forEachPixel(rect: Rect, visit: (x: number, y: number, at: number) => void): void {
  for (let row = 0; row < rect.height; row++) {
    for (let column = 0; column < rect.width; column++) visit(rect.x + column, rect.y + row, row * rect.width + column);
  }
}

export class ArithmeticEngine implements Engine {
  readonly shader = 'ab'.repeat(32);
  /** Traces and compilations so far, for tests that count work. */
  traces = 0;
  compilations = 0;
  readonly #clock: Clock;
  readonly #pathsPerSecond: number;
  readonly #scenesHeld: number;
  readonly #nodesPerSegment: number;
  readonly #scenes = new Set<string>();

  /** @param pathsPerSecond of virtual time. @param scenesHeld at once; the oldest go first, as from a real one. @param nodesPerSegment what it counts. */
  constructor(clock: Clock, pathsPerSecond = 4_000, { scenesHeld = SCENES_HELD_MAX, nodesPerSegment = 0 } = {}) {
    this.#nodesPerSegment = nodesPerSegment;
    this.#clock = clock;
    this.#pathsPerSecond = pathsPerSecond;
    this.#scenesHeld = scenesHeld;
  }

  async probe(): Promise<DeviceReport> {
    return {
      ok: true,
      adapter: { class: 'test/arithmetic/none', name: 'Arithmetic', software: true },
      holds: { bytes: 2 ** 40, bindingBytes: 2 ** 30 },
      compileSeconds: 0,
    };
  }

  async compile(_signal: AbortSignal, files: SceneFiles): Promise<SceneOutcome> {
    const summary = summaryOf(files);
    this.compilations++;
    this.#scenes.add(summary.root);
    for (const oldest of this.#scenes) if (this.#scenes.size > this.#scenesHeld) this.#scenes.delete(oldest);
    return { ok: true, summary };
  }

  async trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome> {
    if (!this.#scenes.has(request.sceneRoot)) return { ok: false, reason: 'unknown-scene', text: 'No such scene.' };
    const seconds = pathsOf(request.rect, request.pass) / this.#pathsPerSecond;
    await this.#clock.sleep(signal, seconds * 1000);
    if (signal.aborted) return { ok: false, reason: 'aborted', text: 'Stopped.' };
    onProgress?.(1);
    this.traces++;
    return { ok: true, film: arithmeticFilm(request, this.#nodesPerSegment), traceSeconds: seconds };
  }

  async denoise(): Promise<DenoiseResult> {
    return { ok: false, reason: 'weights', text: 'There are no weights here.' };
  }

  setPace(): void {}

  async dispose(): Promise<void> {
    this.#scenes.clear();
  }
}

const pathsOf = (rect: Rect, pass: Pass): number => rect.width * rect.height * pass.count;
