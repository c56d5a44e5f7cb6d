/**
 * A compiled scene: flat byte sections, the same on every peer, with one root hash. All arithmetic
 * behind it is +, -, *, /, sqrt and integers on doubles rounded once to f32, because these are exact
 * in every engine while sin, pow and exp are not.
 */
import type { SceneSummary } from '#lib/gpu/engine.ts';

export interface CompiledScene {
  readonly summary: SceneSummary;
  /** BvhNode[]; node 0 is the root. A scene with one leaf still has one node. */
  readonly nodes: Uint8Array<ArrayBuffer>;
  /** Triangle[], in leaf order. */
  readonly triangles: Uint8Array<ArrayBuffer>;
  /** TriangleCorners[], same order. */
  readonly corners: Uint8Array<ArrayBuffer>;
  /** Vertex[]. */
  readonly vertices: Uint8Array<ArrayBuffer>;
  /** VertexExtra[], same order; empty when no vertex has more than a Vertex holds. */
  readonly extras: Uint8Array<ArrayBuffer>;
  /** Material[]; at least one. */
  readonly materials: Uint8Array<ArrayBuffer>;
  /** TextureUse[]; may be empty. */
  readonly textures: Uint8Array<ArrayBuffer>;
  /** Light[]; may be empty. Those with a place come first; the environment, when lit, is the last row (LIGHT_ENVIRONMENT). */
  readonly lights: Uint8Array<ArrayBuffer>;
  /** LightNode[] over the lights with a place; node 0 is the root. May be empty. */
  readonly lightNodes: Uint8Array<ArrayBuffer>;
  /** Photometric profiles, one after the other (workers/scene/ies-profile.ts). May be empty. */
  readonly profiles: Float32Array<ArrayBuffer>;
  /** rgba8 texels, `layers` squares of `side`; side 1, layers 1 when there are no images. */
  readonly texels: { readonly side: number; readonly layers: number; readonly data: Uint8Array<ArrayBuffer> };
  readonly environment: CompiledEnvironment;
}

/**
 * Equirectangular radiance, rows from the top (+Y), u = atan2(z, x)/2π + ½, intensity multiplied in.
 * `texels`: width × height × (r, g, b, pdf) f32, where pdf is the density per solid angle at the
 * texel's centre that the alias table implies; `alias`: width × height × (threshold f32 bits,
 * other u32). Black surroundings are 1×1 zeros.
 */
export interface CompiledEnvironment {
  readonly width: number;
  readonly height: number;
  readonly texels: Float32Array<ArrayBuffer>;
  readonly alias: Uint32Array<ArrayBuffer>;
}

const SENTENCE_CHARACTERS_MAX = 300;

/** A defect of the user's file. `text` is one sentence: what, where (JSON path or byte), what to do. */
export class SceneError extends Error {
  override readonly name = 'SceneError';

  constructor(sentence: string) {
    super(oneLine(sentence));
  }
}

/** Names out of the file may hold anything: what would break the line, or fill a screen, is left out. */
export function oneLine(sentence: string): string {
  const line = sentence.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length <= SENTENCE_CHARACTERS_MAX ? line : `${line.slice(0, SENTENCE_CHARACTERS_MAX - 120)}… ${line.slice(-118)}`;
}
