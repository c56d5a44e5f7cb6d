/**
 * Finds a Vulkan loader and drivers for Dawn in Node. Hardware drivers of the system come first; a
 * software driver is always listed behind them, so that every machine has an adapter. A loader that
 * is not on the system's path is loaded by its path before Dawn asks for `libvulkan.so.1` by name.
 * Refuses to override VK_DRIVER_FILES or VK_ICD_FILENAMES, and to touch anything outside its cache.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackSwiftShader } from './bundled.mjs';

/** Where systems keep Vulkan driver manifests, and where Debian's Chromium keeps a loader and SwiftShader. */
export interface VulkanPlaces {
  readonly driverFolders: readonly string[];
  readonly chromiumFolders: readonly string[];
}

export const SYSTEM_PLACES: VulkanPlaces = {
  driverFolders: ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'],
  chromiumFolders: ['/usr/lib/chromium', '/opt/google/chrome'],
};

export interface VulkanSetup {
  /** Driver manifests in order of preference. */
  readonly drivers: readonly string[];
  /** Loaders to try in order; the bare name is the system's own. */
  readonly loaders: readonly string[];
}

const LOADER = 'libvulkan.so.1';
const SWIFTSHADER_MANIFEST = 'vk_swiftshader_icd.json';
const SOFTWARE_NAMES = /lvp|lavapipe|swiftshader|mock/;

/** Dawn rejects lavapipe before Mesa 24.3, the first that speaks Vulkan 1.4. */
const LAVAPIPE_API_MIN = 1.4;

export function findVulkan(cache: string, places: VulkanPlaces = SYSTEM_PLACES): VulkanSetup {
  const manifests = places.driverFolders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.json'))
          .toSorted()
          .map((name) => join(folder, name))
      : [],
  );
  const hardware = manifests.filter((path) => !SOFTWARE_NAMES.test(path));
  const lavapipe = manifests.find((path) => /lvp|lavapipe/.test(path) && apiVersion(path) >= LAVAPIPE_API_MIN);
  const chromium = places.chromiumFolders.filter((folder) => existsSync(join(folder, SWIFTSHADER_MANIFEST)));
  const chromiumLoaders = chromium.map((folder) => join(folder, LOADER)).filter((path) => existsSync(path));
  // The bundled copy is unpacked only where the system lacks a part of what it gives.
  const bundled = chromiumLoaders.length > 0 ? [] : [unpackSwiftShader(cache)];
  const software = lavapipe ?? [...chromium, ...bundled].map((folder) => join(folder, SWIFTSHADER_MANIFEST))[0];
  return {
    drivers: [...hardware, ...(software ? [software] : [])],
    loaders: [LOADER, ...chromiumLoaders, ...bundled.map((folder) => join(folder, LOADER))],
  };
}

/** The manifest's Vulkan version as major.minor; 0 when it says none. */
function apiVersion(path: string): number {
  const found = /"api_version"\s*:\s*"(\d+\.\d+)/.exec(readFileSync(path, 'utf8'));
  return found ? Number(found[1]) : 0;
}

/**
 * Makes the process ready for Dawn. Must run in the main thread before the first `create()`, because
 * the loader reads the real environment, of which a worker thread has only a copy. Cheap when called again.
 */
export function prepareVulkan(cache: string, places: VulkanPlaces = SYSTEM_PLACES): void {
  if (process.platform !== 'linux') return;
  const setup = findVulkan(cache, places);
  if (!process.env.VK_DRIVER_FILES && !process.env.VK_ICD_FILENAMES) process.env.VK_ICD_FILENAMES = setup.drivers.join(':');
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  setup.loaders.some(loadForGood);
}

/** glibc's RTLD_NODELETE: the library stays when Node closes it for not being an addon. */
const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library into the process and leaves it there, so that a later dlopen by its soname
 * finds it. Node has no call for this but process.dlopen, which loads it and then complains.
 */
function loadForGood(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    return error instanceof Error && error.message.includes('did not self-register');
  }
}
