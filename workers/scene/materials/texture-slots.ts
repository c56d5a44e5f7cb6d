/**
 * The images that materials use and how: which image of the file a texture means once extensions
 * have their say, sampler, KHR_texture_transform, and which of a primitive's sets of texture
 * coordinates. Decodes nothing.
 */
import { NONE, TEXTURE_NEAREST, TEXTURE_SRGB, TEXTURE_UV1, WRAP_CLAMP, WRAP_MIRROR, WRAP_REPEAT } from '#shaders/layout.ts';
import { cos, sin } from '../exact-math.ts';
import { TEXTURE_SOURCE_EXTENSIONS } from '../extensions.ts';
import type { GltfJson } from '../gltf-json.ts';
import type { JsonFields } from './json-fields.ts';

/** One way of sampling one image; rows are shared between slots and materials that agree. */
export interface TextureSlot {
  /** Index in the file's images. */
  readonly image: number;
  readonly flags: number;
  readonly transformU: readonly [number, number, number, number];
  readonly transformV: readonly [number, number, number, number];
}

/** The two TEXCOORD sets of the file that a primitive's vertices carry, for the slots uv0 and uv1. */
export type UvSets = readonly [number, number];
export const PLAIN_UV_SETS: UvSets = [0, 1];

type GltfTexture = GltfJson['textures'][number];

/**
 * The image that a texture shows: of the first extension that names one and whose format is read
 * here, else the plain source, which the extensions define as the fallback. undefined: none.
 */
export function imageOf(texture: GltfTexture | undefined): number | undefined {
  for (const name of TEXTURE_SOURCE_EXTENSIONS) {
    const source: unknown = texture?.extensions?.[name]?.['source'];
    if (typeof source === 'number') return source;
  }
  return texture?.source;
}

/** The set a texture is mapped by: KHR_texture_transform may override the texture's own. */
export const texCoordOf = (info: JsonFields): number =>
  info.extension('KHR_texture_transform').index('texCoord', info.index('texCoord', 0));

const wrapMode = (mode: number | undefined): number => (mode === 33071 ? WRAP_CLAMP : mode === 33648 ? WRAP_MIRROR : WRAP_REPEAT);

export class SlotTable {
  readonly rows: TextureSlot[] = [];
  readonly #json: GltfJson;
  readonly #known = new Map<string, number>();

  constructor(json: GltfJson) {
    this.#json = json;
  }

  /** @param sets of the material. @returns the TextureUse row; NONE without a texture or image. */
  use(info: JsonFields, srgb: boolean, sets: UvSets): number {
    if (!info.present) return NONE;
    const texture = this.#json.textures[info.index('index', 0)];
    const image = imageOf(texture);
    if (image === undefined) return NONE;
    const sampler = texture?.sampler === undefined ? undefined : this.#json.samplers[texture.sampler];
    const transform = info.extension('KHR_texture_transform');
    const [ox, oy] = transform.numbers('offset', [0, 0], -1e6, 1e6) as readonly [number, number];
    const [sx, sy] = transform.numbers('scale', [1, 1], -1e6, 1e6) as readonly [number, number];
    const angle = transform.number('rotation', 0, -1e5, 1e5);
    const [c, s] = [cos(angle), sin(angle)];
    // The listing in the text of KHR_texture_transform turns the other way (its matrix is meant for v running up), against its
    // own words and its own example, where offset [0, 1], 90° and scale 0.5 show the lower left quarter turned clockwise.
    // That example, TextureTransformTest and the viewers agree on u' = c u + s v, v' = c v - s u (KhronosGroup/glTF issue 1563).
    const flags =
      wrapMode(sampler?.wrapS) |
      (wrapMode(sampler?.wrapT) << 2) |
      (sampler?.magFilter === 9728 ? TEXTURE_NEAREST : 0) |
      (texCoordOf(info) === sets[1] ? TEXTURE_UV1 : 0) |
      (srgb ? TEXTURE_SRGB : 0);
    const slot: TextureSlot = { image, flags, transformU: [c * sx, s * sy, ox, 0], transformV: [0 - s * sx, c * sy, oy, 0] };
    const key = JSON.stringify(slot);
    const known = this.#known.get(key) ?? this.rows.push(slot) - 1;
    this.#known.set(key, known);
    return known;
  }
}

/**
 * Chooses the two sets that the vertices of a material carry: those its textures use, the plain
 * first two when they suffice. Of more than two the most used win, lower ones first, and `onMore`
 * hears of it; textures on the others are mapped by the first.
 */
export function chooseUvSets(texCoords: readonly number[], onMore: (used: readonly number[], kept: UvSets) => void): UvSets {
  const uses = new Map<number, number>();
  for (const set of texCoords) uses.set(set, (uses.get(set) ?? 0) + 1);
  const used = [...uses.keys()].sort((a, b) => a - b);
  if (used.every((set) => set <= 1)) return PLAIN_UV_SETS;
  const wanted = [...used].sort((a, b) => (uses.get(b) ?? 0) - (uses.get(a) ?? 0) || a - b).slice(0, 2);
  if (wanted.length < 2) wanted.push(0);
  const kept = wanted.sort((a, b) => a - b) as unknown as UvSets;
  if (used.length > 2) onMore(used, kept);
  return kept;
}
