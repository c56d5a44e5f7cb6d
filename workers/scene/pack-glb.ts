/**
 * Joins a document and the files it names into one GLB, because in the network a scene travels as
 * one blob with one hash. The same input gives the same bytes everywhere. One GLB rather than a
 * stored zip: every viewer reads it, only what the scene uses is in it, and it needs no unpacking.
 * Changes no geometry and no picture; looks into nothing it need not move.
 */
import { SCENE_FILE_BYTES_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import type { Container } from './container.ts';
import { MESHOPT_EXTENSIONS } from './extensions.ts';
import { parseGltfJson } from './gltf-json.ts';

type Bytes = Uint8Array<ArrayBuffer>;
type Loose = Record<string, unknown>;

/** The single BIN chunk while it grows. */
class Chunk {
  readonly #parts: Bytes[] = [];
  length = 0;

  /** @returns the offset, a multiple of 4 (accessors need that, and padding is zero). */
  add(bytes: Bytes): number {
    const at = this.length;
    const padding = (4 - (bytes.length % 4)) % 4;
    this.length += bytes.length + padding;
    if (this.length > SCENE_FILE_BYTES_MAX) {
      throw new SceneError(
        `The files of the scene have more than the ${SCENE_FILE_BYTES_MAX} bytes that one scene may have; make them smaller.`,
      );
    }
    this.#parts.push(bytes);
    if (padding > 0) this.#parts.push(new Uint8Array(padding));
    return at;
  }

  writeTo(out: Uint8Array, at: number): void {
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
  }
}

/** Whether a GLB of it would need anything but itself. */
export function isSelfContained({ json }: Container): boolean {
  const document = isObject(json) ? json : {};
  const lists = [document['buffers'], document['images'], profilesOf(document['extensions'])];
  return !lists.some((list) => Array.isArray(list) && list.some((item) => isObject(item) && typeof item['uri'] === 'string'));
}

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null;

/** The light profiles of EXT_lights_ies, which may lie in files of their own too. */
function profilesOf(extensions: unknown): readonly Loose[] {
  const ies = isObject(extensions) ? extensions['EXT_lights_ies'] : null;
  const lights = isObject(ies) ? ies['lights'] : null;
  return Array.isArray(lights) ? lights.filter(isObject) : [];
}

/** @throws SceneError when the document is not well formed, a file is missing, or all is too large. */
export function packGlb(container: Container): Bytes {
  parseGltfJson(container.json);
  const json = structuredClone(container.json) as Loose;
  const list = (key: string): Loose[] => (json[key] as Loose[] | undefined) ?? [];
  const chunk = new Chunk();
  moveBuffers(container, json, list, chunk);
  const embed = (item: Loose, path: string, mimeType: (bytes: Bytes) => string): void => {
    if (typeof item['uri'] !== 'string') return;
    const bytes = container.resource(item['uri'], path);
    const given = item['mimeType'];
    delete item['uri'];
    item['mimeType'] = typeof given === 'string' ? given : mimeType(bytes);
    json['bufferViews'] = list('bufferViews');
    item['bufferView'] = list('bufferViews').push({ buffer: 0, byteOffset: chunk.add(bytes), byteLength: bytes.length }) - 1;
  };
  list('images').forEach((image, i) => embed(image, `images[${i}].uri`, imageType));
  profilesOf(json['extensions']).forEach((light, i) =>
    embed(light, `extensions.EXT_lights_ies.lights[${i}].uri`, () => 'application/x-ies-lm-63'),
  );
  const first = list('buffers')[0];
  if (chunk.length > 0 && first) first['byteLength'] = chunk.length;
  return join(JSON.stringify(json), chunk);
}

/** All buffers become buffer 0; those without data (fallbacks of compressed views) stay behind it. */
function moveBuffers(container: Container, json: Loose, list: (key: string) => Loose[], chunk: Chunk): void {
  const bases = list('buffers').map((buffer, i): number | null => {
    const { uri } = buffer;
    const claimed = buffer['byteLength'] as number;
    const bytes = typeof uri === 'string' ? container.resource(uri, `buffers[${i}].uri`) : i === 0 ? container.binary : null;
    if (!bytes) return null;
    if (claimed > bytes.length) {
      throw new SceneError(`buffers[${i}].byteLength: it claims ${claimed} bytes but ${bytes.length} are there; export the file again.`);
    }
    return chunk.add(bytes.subarray(0, claimed));
  });
  const dataless = list('buffers').filter((_, i) => bases[i] === null);
  json['buffers'] = [{ byteLength: 1 }, ...dataless];
  const places = bases.map((base, i) => {
    const after = bases.slice(0, i).filter((other) => other === null).length;
    return base === null ? { buffer: 1 + after, base: 0 } : { buffer: 0, base };
  });
  const move = (view: Loose): void => {
    const place = places[view['buffer'] as number];
    if (!place) return;
    view['buffer'] = place.buffer;
    const offset = view['byteOffset'] ?? 0;
    if (typeof offset === 'number') view['byteOffset'] = offset + place.base;
  };
  for (const view of list('bufferViews')) {
    move(view);
    for (const name of MESHOPT_EXTENSIONS) {
      const packed = (view['extensions'] as Record<string, Loose> | undefined)?.[name];
      if (packed) move(packed);
    }
  }
}

function imageType(bytes: Bytes): string {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (text.startsWith('\x89PNG')) return 'image/png';
  if (text.startsWith('RIFF')) return 'image/webp';
  if (text.startsWith('\xabKTX')) return 'image/ktx2';
  return text.slice(4, 8) === 'ftyp' ? 'image/avif' : 'image/jpeg';
}

function join(json: string, chunk: Chunk): Bytes {
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.length / 4) * 4;
  const total = 20 + padded + (chunk.length > 0 ? 8 + chunk.length : 0);
  const out = new Uint8Array(total).fill(0x20, 20, 20 + padded);
  const view = new DataView(out.buffer);
  [0x46546c67, 2, total, padded, 0x4e4f534a].forEach((word, i) => view.setUint32(i * 4, word, true));
  out.set(text, 20);
  if (chunk.length === 0) return out;
  view.setUint32(20 + padded, chunk.length, true);
  view.setUint32(24 + padded, 0x004e4942, true);
  chunk.writeTo(out, 28 + padded);
  return out;
}
