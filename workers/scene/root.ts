/**
 * The root hash of a compiled scene: SHA-256 of the canonical CBOR of
 * ["pictor-scene-1", [name, byte length, SHA-256] …] in the order below, where the shapes of
 * texels and environment are one more section of four u32. Two peers with the same root trace the
 * same scene; what only the screen needs (cameras, names, warnings) is not part of it.
 */
import { toHex } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';

/** In the order of the root. */
const SECTIONS = [
  ...([
    'nodes',
    'triangles',
    'corners',
    'vertices',
    'vertex-extras',
    'materials',
    'textures',
    'lights',
    'light-nodes',
    'profiles',
  ] as const),
  ...(['shape', 'texels', 'environment', 'environment-alias'] as const),
] as const;
type SectionName = (typeof SECTIONS)[number];

/** Hashes sections beside the compiler, each from when its bytes are final: the host does it on threads of its own. */
export class SectionHashes {
  readonly #rows = new Map<SectionName, { readonly bytes: number; readonly hash: Promise<Uint8Array> }>();

  /** @param section is not changed any more. */
  add(name: SectionName, section: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): void {
    this.#rows.set(name, { bytes: section.byteLength, hash: sha256(section) });
  }

  /** @returns the root in hex and the bytes of all sections, each of which was added. Needs a secure context, as WebGPU does. */
  async root(): Promise<{ readonly root: string; readonly bytes: number }> {
    const rows = SECTIONS.map((name) => ({ name, ...this.#rows.get(name)! }));
    const hashes = await Promise.all(rows.map(({ hash }) => hash));
    const listed = rows.map(({ name, bytes }, i) => [name, bytes, hashes[i]]);
    return {
      root: toHex(await sha256(encodeCanonical(['pictor-scene-1', ...listed]))),
      bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }
}

/** The engine's own SHA-256: texels can be hundreds of megabytes. */
const sha256 = async (bytes: ArrayBufferView<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
