/**
 * What a person dropped or named, as the one blob a scene is in the network: a .glb as it is, all
 * else (a .gltf with its files, a zip) packed into a GLB, the same bytes on every machine. Decides
 * nothing about the scene itself; the compiler does. Loaded when it is needed: it is not small.
 */
import { bundle, isZip, openZip, quoted, type Archive, type NamedFile } from '#workers/scene/archive.ts';
import { openArchive, scenePath } from '#workers/scene/container.ts';
import { SceneError } from '#workers/scene/compiled-scene.ts';
import { isSelfContained, packGlb } from '#workers/scene/pack-glb.ts';
import { SCENE_FILE_BYTES_MAX } from '../protocol/limits.ts';

export type PackedScene =
  | { readonly ok: true; readonly bytes: Uint8Array<ArrayBuffer>; /** Of the file that is the scene. */ readonly name: string }
  /** One sentence. */
  | { readonly ok: false; readonly text: string };

/** Environments and other files among `files` that the scene does not name are left out. */
export function packSceneFiles(files: readonly NamedFile[]): PackedScene {
  return explained(() => {
    const loose = files.some(({ path }) => SCENE_NAME.test(path));
    const zip = loose ? undefined : files.find(({ bytes }) => isZip(bytes));
    const archive = zip ? openZip(zip.bytes) : bundle(files);
    const path = scenePath(archive);
    return { ok: true, bytes: whole(archive, path), name: lastPart(zip ? zip.path : path) };
  });
}

/** The scene at `path` of an archive that may hold others. */
export const packSceneAt = (archive: Archive, path: string): PackedScene =>
  explained(() => ({ ok: true, bytes: whole(archive, path), name: lastPart(path) }));

const SCENE_NAME = /\.(gltf|glb)$/i;

function whole(archive: Archive, path: string): Uint8Array<ArrayBuffer> {
  const scene = archive.read(path);
  if (scene.length > SCENE_FILE_BYTES_MAX) {
    throw new SceneError(
      `${quoted(path)} has ${scene.length} bytes, more than the ${SCENE_FILE_BYTES_MAX} that one scene may have; make it smaller.`,
    );
  }
  const container = openArchive(archive, path);
  return /\.glb$/i.test(path) && isSelfContained(container) ? scene : packGlb(container);
}

function explained(pack: () => PackedScene): PackedScene {
  try {
    return pack();
  } catch (error) {
    if (error instanceof SceneError) return { ok: false, text: error.message };
    throw error;
  }
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
