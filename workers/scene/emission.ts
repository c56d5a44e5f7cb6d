/**
 * The mean luminance that a textured emitter radiates over one triangle, measured at the centroids
 * of an even subdivision that is about one texel fine. It only steers which light is picked: a
 * wrong value costs noise, never light.
 */
import { Vertex, VertexExtra, TEXTURE_SRGB, TEXTURE_UV1, WRAP_CLAMP, WRAP_MIRROR } from '#shaders/layout.ts';
import { luminance, srgbToLinear } from './exact-math.ts';
import type { Geometry } from './geometry.ts';
import type { CompiledMaterial, TextureSlot } from './materials.ts';
import type { PlacedImage } from './texels.ts';

/** Rows of the subdivision: at most 32² samples for one triangle. */
const ROWS_MAX = 32;

export class EmissionMeter {
  readonly #geometry: Geometry;
  readonly #slots: readonly TextureSlot[];
  readonly #images: ReadonlyMap<number, PlacedImage>;
  readonly #uv0: Float32Array;
  readonly #uv1: Float32Array;

  /** @param images by index in the file. */
  constructor(geometry: Geometry, slots: readonly TextureSlot[], images: ReadonlyMap<number, PlacedImage>) {
    this.#geometry = geometry;
    this.#slots = slots;
    this.#images = images;
    this.#uv0 = new Float32Array(geometry.vertices.buffer);
    this.#uv1 = new Float32Array(geometry.extras.buffer);
  }

  meanLuminance(triangle: number, material: CompiledMaterial): number {
    const slot = this.#slots[material.emissiveTexture];
    const image = slot && this.#images.get(slot.image)?.image;
    if (!slot || !image) return luminance(...material.emissive);
    const [a, b, c] = [0, 1, 2].map((k) =>
      this.#texel(slot, this.#geometry.corners[triangle * 3 + k] as number, image.width, image.height),
    ) as [Point, Point, Point];
    const area = Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
    const rows = Math.min(ROWS_MAX, Math.max(2, Math.ceil(Math.sqrt(area))));
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows - i; j++) {
        sum += this.#sample(image, slot, a, b, c, (i + 1 / 3) / rows, (j + 1 / 3) / rows, material);
        if (j < rows - i - 1) sum += this.#sample(image, slot, a, b, c, (i + 2 / 3) / rows, (j + 2 / 3) / rows, material);
      }
    }
    return sum / (rows * rows);
  }

  /** A vertex's place in texels of the image, unwrapped. */
  #texel(slot: TextureSlot, vertex: number, width: number, height: number): Point {
    const second = (slot.flags & TEXTURE_UV1) !== 0;
    const at = second ? vertex * VertexExtra.size + VertexExtra.offsets.uv1 : vertex * Vertex.size + Vertex.offsets.uv0;
    const values = second ? this.#uv1 : this.#uv0;
    // A scene without a second set has no extras: what is not there is zero.
    const [u, v] = [values[at / 4] ?? 0, values[at / 4 + 1] ?? 0];
    const [p, q] = [slot.transformU, slot.transformV];
    return [(p[0] * u + p[1] * v + p[2]) * width, (q[0] * u + q[1] * v + q[2]) * height];
  }

  #sample(
    image: PlacedImage['image'],
    slot: TextureSlot,
    a: Point,
    b: Point,
    c: Point,
    s: number,
    t: number,
    { emissive }: CompiledMaterial,
  ): number {
    const x = wrap(a[0] + (b[0] - a[0]) * s + (c[0] - a[0]) * t, image.width, slot.flags & 3);
    const y = wrap(a[1] + (b[1] - a[1]) * s + (c[1] - a[1]) * t, image.height, (slot.flags >> 2) & 3);
    const at = (y * image.width + x) * 4;
    const channel = (k: number): number => {
      const code = image.data[at + k] as number;
      return (slot.flags & TEXTURE_SRGB) !== 0 ? (srgbToLinear[code] as number) : code / 255;
    };
    return luminance(channel(0) * emissive[0], channel(1) * emissive[1], channel(2) * emissive[2]);
  }
}

type Point = readonly [number, number];

function wrap(x: number, size: number, mode: number): number {
  const cell = Math.floor(x);
  if (mode === WRAP_CLAMP) return Math.min(size - 1, Math.max(0, cell));
  if (mode === WRAP_MIRROR) {
    const folded = ((cell % (2 * size)) + 2 * size) % (2 * size);
    return folded < size ? folded : 2 * size - 1 - folded;
  }
  return ((cell % size) + size) % size;
}
