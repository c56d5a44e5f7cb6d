/**
 * The files beside a scene on disk. Only the scene's own folder and what lies below it is read,
 * and no link is followed: a scene from a stranger must not carry this machine's other files into
 * the network.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import { SCENE_ARCHIVE_BYTES_MAX } from '#lib/protocol/limits.ts';
import type { Archive } from '#workers/scene/archive.ts';
import { CommandError } from './command.ts';

/** @param scene the bytes of `file`, read already. Reads lazily; folders that no name of the document leads to aren't opened. */
export function sceneFolder(file: string, scene: Uint8Array<ArrayBuffer>): Archive {
  const root = dirname(file);
  const folders = new Set(['', ...namesIn(scene).map((name) => posix.dirname(posix.normalize(name.replaceAll('\\', '/'))))]);
  const paths = new Set<string>([basename(file)]);
  for (const folder of folders) {
    if (folder.startsWith('..') || folder.startsWith('/')) continue;
    for (const name of filesOf(join(root, folder))) paths.add(posix.join(folder, name));
  }
  let total = 0;
  return {
    paths: [...paths].sort(),
    read: (path) => {
      if (path === basename(file)) return scene;
      const full = join(root, path);
      total += statSync(full).size;
      if (total > SCENE_ARCHIVE_BYTES_MAX)
        throw new CommandError(`the files of ${file} have more than ${SCENE_ARCHIVE_BYTES_MAX} bytes together`);
      return new Uint8Array(readFileSync(full));
    },
  };
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  } catch {
    // The document will miss the file and say which.
    return [];
  }
}

/** Whatever looks like the name of a file; what it means is the packer's to decide. */
function namesIn(scene: Uint8Array<ArrayBuffer>): readonly string[] {
  const isGlb = scene.length > 20 && scene[0] === 0x67;
  const json = isGlb ? scene.subarray(20, 20 + new DataView(scene.buffer, scene.byteOffset).getUint32(12, true)) : scene;
  const text = new TextDecoder().decode(json);
  return [...text.matchAll(/"uri"\s*:\s*"([^"]{1,1024})"/g)].flatMap(([, uri]) => {
    const name = uri as string;
    if (/^[a-z]{2,}:/i.test(name)) return [];
    try {
      return [name, decodeURIComponent(name)];
    } catch {
      return [name];
    }
  });
}
