/** Where the command line keeps its files. Refuses to depend on the folder it is called from. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json above this file, whether it runs from source or from build/cli. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of pictor not found above ' + fileURLToPath(import.meta.url));
    folder = parent;
  }
  return folder;
}

/** Keys, databases, blobs and unpacked files, unless `--data` names another folder. */
export const dataFolder = (): string => process.env.PICTOR_DATA ?? join(projectRoot(), '.pictor');

/** Files that can be made again at any time. */
export const cacheFolder = (): string => join(projectRoot(), '.pictor', 'cache');
