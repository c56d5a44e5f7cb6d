/**
 * Where Mesa's software Vulkan driver is: the manifest that VK_ICD_FILENAMES names when it is a
 * lavapipe, else the system's. Refuses to go on without one, in words that say how to get it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SYSTEM_PLACES } from '#cli/gpu-environment.ts';

export interface Lavapipe {
  readonly manifest: string;
}

const NAMED = (process.env.VK_ICD_FILENAMES ?? '').split(':').filter((path) => path !== '' && !/swiftshader/i.test(basename(path)));

export function lavapipe(): Lavapipe {
  const system = SYSTEM_PLACES.driverFolders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => /lvp|lavapipe/.test(name))
          .map((name) => join(folder, name))
      : [],
  );
  const manifest = [...NAMED, ...system][0];
  if (!manifest) throw new Error('no lavapipe: install mesa-vulkan-drivers, or name its manifest in VK_ICD_FILENAMES');
  return { manifest };
}
