/**
 * Takes a .glb, a .gltf or a zip that holds one of them apart: header, chunks, JSON text, and where
 * the bytes behind its URIs are. It believes no length before it has compared it with the bytes
 * there are, and allocates nothing on the word of the file. GLB layout: glTF 2.0, section 4.4.
 */
import { SCENE_FILE_BYTES_MAX } from '#lib/protocol/limits.ts';
import { isZip, openZip, quoted, type Archive } from './archive.ts';
import { SceneError } from './compiled-scene.ts';
import { aloneReader, archiveReader, type ResourceReader } from './resources.ts';

export interface Container {
  readonly json: unknown;
  /** The binary chunk of a GLB; null for a .gltf and for a GLB without one. */
  readonly binary: Uint8Array<ArrayBuffer> | null;
  /** Bytes behind the URIs of the document. */
  readonly resource: ResourceReader;
}

/** A call may have so many arguments. */
const SCENES_COMPARED_MAX = 10_000;
const MAGIC = 0x46546c67;
const CHUNK_JSON = 0x4e4f534a;
const CHUNK_BIN = 0x004e4942;

/** @throws SceneError, one sentence with the byte offset of the defect. */
export function openContainer(file: Uint8Array<ArrayBuffer>): Container {
  if (file.length === 0) throw new SceneError('The file is empty; choose a .glb, .gltf or .zip file.');
  if (file.length > SCENE_FILE_BYTES_MAX) {
    throw new SceneError(
      `The file has ${file.length} bytes, more than the ${SCENE_FILE_BYTES_MAX} that one scene may have; make it smaller.`,
    );
  }
  return isZip(file) ? openArchive(openZip(file)) : openSceneFile(file, aloneReader);
}

/** @throws SceneError when the archive holds no scene, or several between which nobody can choose. */
export function openArchive(archive: Archive, path: string = scenePath(archive)): Container {
  return openSceneFile(archive.read(path), archiveReader(archive, path.slice(0, path.lastIndexOf('/') + 1)));
}

/** The .gltf or .glb that lies least deep. */
export function scenePath({ paths }: Archive): string {
  const scenes = paths.filter((path) => /\.(gltf|glb)$/i.test(path));
  const depth = (path: string): number => path.split('/').length;
  const least = Math.min(...scenes.slice(0, SCENES_COMPARED_MAX).map(depth));
  const [first, second] = scenes.filter((path) => depth(path) === least);
  if (first === undefined) throw new SceneError('The archive holds no .gltf and no .glb file; pack the scene together with its files.');
  if (second !== undefined)
    throw new SceneError(`The archive holds several scenes (${quoted(first)} and ${quoted(second)}); leave one of them in it.`);
  return first;
}

/** A GLB or the JSON text of a .gltf. */
function openSceneFile(file: Uint8Array<ArrayBuffer>, resource: ResourceReader): Container {
  if (file.length === 0) throw new SceneError('The scene in the archive is empty; pack it again.');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length >= 4 && view.getUint32(0, true) === MAGIC) return { ...openGlb(file, view), resource };
  if (firstCharacter(file) === '{') return { json: parseJson(file, 0), binary: null, resource };
  throw new SceneError('The file is not glTF: byte 0 does not start with "glTF"; export the scene as .glb.');
}

function openGlb(file: Uint8Array<ArrayBuffer>, view: DataView): Omit<Container, 'resource'> {
  if (file.length < 20)
    throw new SceneError(`The file ends at byte ${file.length}, inside the GLB header; it was cut off, fetch it again.`);
  const version = view.getUint32(4, true);
  if (version !== 2) throw new SceneError(`Byte 4: the file is GLB version ${version}, only version 2 can be read; export it as glTF 2.0.`);
  const declared = view.getUint32(8, true);
  if (declared > file.length) {
    throw new SceneError(
      `Byte 8: the header claims ${declared} bytes but the file has ${file.length}; it was cut off or is damaged, fetch it again.`,
    );
  }
  if (declared < file.length) {
    throw new SceneError(
      `Byte 8: the header claims ${declared} bytes but the file has ${file.length}; remove what follows or export it again.`,
    );
  }
  let at = 12;
  let json: Uint8Array<ArrayBuffer> | null = null;
  let binary: Uint8Array<ArrayBuffer> | null = null;
  for (let chunk = 0; at < declared; chunk++) {
    if (at + 8 > declared) throw new SceneError(`Byte ${at}: the file ends inside a chunk header; it was cut off, fetch it again.`);
    const length = view.getUint32(at, true);
    const type = view.getUint32(at + 4, true);
    if (length > declared - at - 8) {
      throw new SceneError(
        `Byte ${at}: chunk ${chunk} claims ${length} bytes but ${declared - at - 8} follow; the file is damaged, export it again.`,
      );
    }
    const data = file.subarray(at + 8, at + 8 + length);
    if (chunk === 0 && type !== CHUNK_JSON)
      throw new SceneError(`Byte ${at + 4}: the first chunk is not JSON; the file is damaged, export it again.`);
    if (chunk === 0) json = data;
    // Chunks of other types are to be skipped (section 4.4.3); a second BIN chunk means nothing.
    if (chunk === 1 && type === CHUNK_BIN) binary = data;
    at += 8 + length;
  }
  return { json: parseJson(json ?? new Uint8Array(), 20), binary };
}

function firstCharacter(file: Uint8Array): string {
  const text = new TextDecoder().decode(file.subarray(0, 64));
  return text.trimStart().slice(0, 1);
}

function parseJson(bytes: Uint8Array, at: number): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The engines word their messages differently; one sentence of our own is the same everywhere.
    throw new SceneError(`Byte ${at}: the JSON of the file cannot be parsed; the file is damaged, export it again.`);
  }
}
