/**
 * The root hash of a compiled scene: SHA-256 of the canonical CBOR of
 * ["pictor-scene-1", [name, byte length, SHA-256] …] in the order below, where the shapes of
 * texels and environment are one more section of four u32. Two peers with the same root trace the
 * same scene; what only the screen needs (cameras, names, warnings) is not part of it.
 */
import { toHex } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import type { CompiledScene } from './compiled-scene.ts';

export type SceneSections = Omit<CompiledScene, 'summary'>;

/** @returns the root in hex and the bytes of all sections. Needs a secure context, as WebGPU does. */
export async function hashSections(s: SceneSections): Promise<{ readonly root: string; readonly bytes: number }> {
  const shape = Uint32Array.of(s.texels.side, s.texels.layers, s.environment.width, s.environment.height);
  const parts: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
    ['nodes', s.nodes],
    ['triangles', s.triangles],
    ['corners', s.corners],
    ['vertices', s.vertices],
    ['vertex-extras', s.extras],
    ['materials', s.materials],
    ['textures', s.textures],
    ['lights', s.lights],
    ['light-nodes', s.lightNodes],
    ['profiles', new Uint8Array(s.profiles.buffer)],
    ['shape', new Uint8Array(shape.buffer)],
    ['texels', s.texels.data],
    ['environment', new Uint8Array(s.environment.texels.buffer)],
    ['environment-alias', new Uint8Array(s.environment.alias.buffer)],
  ];
  const rows: unknown[] = ['pictor-scene-1'];
  for (const [name, bytes] of parts) rows.push([name, bytes.length, await sha256(bytes)]);
  return { root: toHex(await sha256(encodeCanonical(rows))), bytes: parts.reduce((sum, [, bytes]) => sum + bytes.length, 0) };
}

/** The engine's own SHA-256: texels can be hundreds of megabytes. */
const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
