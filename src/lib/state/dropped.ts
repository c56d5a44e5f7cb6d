/**
 * What a person dropped or picked, as files under the paths they had in their folder. Reads names
 * only; the bytes are whoever's that needs them.
 */
import { SCENE_ARCHIVE_ENTRIES_MAX } from '../protocol/limits.ts';

export interface Dropped {
  /** With `/` between folders, from the folder that was dropped. */
  readonly path: string;
  readonly file: File;
}

export const isEnvironment = (name: string): boolean => /\.(hdr|exr)$/i.test(name);

/** Files picked one by one. */
export const asDropped = (files: Iterable<File>): readonly Dropped[] =>
  [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** Folders are walked, up to one file more than a scene may have (so that too many are noticed). */
export async function droppedFiles(transfer: DataTransfer): Promise<readonly Dropped[]> {
  // The entries must be taken before anything is awaited: the list is emptied after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.some((entry) => entry.isDirectory)) return asDropped(transfer.files);
  const found: Dropped[] = [];
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

async function walk(entry: FileSystemEntry, folder: string, found: Dropped[]): Promise<void> {
  if (found.length > SCENE_ARCHIVE_ENTRIES_MAX) return;
  const path = folder + entry.name;
  if (entry.isFile) {
    found.push({ path, file: await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<readonly FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, `${path}/`, found);
  }
}

/** For file pickers: a scene, the files of one, its surroundings. */
export const SCENE_FILE_KINDS = '.glb,.gltf,.zip,.bin,.png,.jpg,.jpeg,.webp,.avif,.ktx2,.ies,.hdr,.exr,model/gltf-binary,model/gltf+json';
