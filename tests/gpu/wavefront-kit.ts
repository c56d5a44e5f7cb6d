/** One request through the megakernel and through the stages: what of their films differs. */
import type { TraceRequest } from '#lib/gpu/engine.ts';
import type { Film } from '#lib/job/film.ts';
import { FilmPixel } from '#shaders/layout.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { DEFAULT_VARIANT, type Variant } from '#workers/render/variant.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';

export const STAGES: Variant = { ...DEFAULT_VARIANT, kernel: 'wavefront' };

const never = new AbortController().signal;

export class Pair {
  readonly #mega: RenderEngine;
  readonly #stages: RenderEngine;

  constructor(gpu: GPU) {
    this.#mega = new RenderEngine(gpu, { variant: DEFAULT_VARIANT });
    this.#stages = new RenderEngine(gpu, { variant: STAGES });
  }

  adopt(scene: CompiledScene): void {
    for (const engine of [this.#mega, this.#stages]) engine.adopt(scene);
  }

  /** @returns both films, the megakernel's first. */
  async films(request: TraceRequest): Promise<readonly [Film, Film]> {
    return [await film(this.#mega, request), await film(this.#stages, request)];
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#mega.dispose(), this.#stages.dispose()]);
  }
}

export async function film(engine: RenderEngine, request: TraceRequest): Promise<Film> {
  const outcome = await engine.trace(never, request);
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film;
}

/** Names of the fields of FilmPixel in which any pixel differs, and 'signatures'. Empty: the same bits. */
export function differences([a, b]: readonly [Film, Film]): string[] {
  const found = new Set<string>();
  const [left, right] = [a, b].map(({ light }) => new Uint32Array(light.buffer, light.byteOffset, light.byteLength / 4)) as [
    Uint32Array,
    Uint32Array,
  ];
  const names = Object.entries(FilmPixel.offsets).toSorted(([, x], [, y]) => y - x);
  const fieldAt = (byte: number): string => names.find(([, offset]) => offset <= byte)![0];
  left.forEach((word, i) => {
    if (word !== right[i]) found.add(fieldAt((i * 4) % FilmPixel.size));
  });
  if (left.length !== right.length) found.add('size');
  if (a.signatures.some((value, i) => value !== b.signatures[i]) || a.signatures.length !== b.signatures.length) found.add('signatures');
  return [...found].toSorted();
}
