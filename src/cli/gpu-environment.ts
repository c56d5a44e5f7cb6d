/**
 * Finds a Vulkan loader and drivers for Dawn in Node. Hardware drivers of the system come first; a
 * software driver is always listed behind them, so that every machine has an adapter. A loader that
 * is not on the system's path is loaded by its path before Dawn asks for `libvulkan.so.1` by name.
 * Refuses to override VK_DRIVER_FILES or VK_ICD_FILENAMES unless a driver is named, and to touch
 * anything outside its cache.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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
  /** Which drivers those are, and why, in one line. */
  readonly why: string;
}

export type VulkanOutcome =
  | { readonly ok: true; readonly setup: VulkanSetup }
  /** The driver that was named is not there: one sentence. */
  | { readonly ok: false; readonly text: string };

const LOADER = 'libvulkan.so.1';
const SWIFTSHADER_MANIFEST = 'vk_swiftshader_icd.json';
const SOFTWARE_NAMES = /lvp|lavapipe|swiftshader|mock/;
const LAVAPIPE_NAMES = /lvp|lavapipe/;

/** Dawn rejects lavapipe before Mesa 24.3, the first that speaks Vulkan 1.4. */
const LAVAPIPE_API_MIN = 1.4;

/** Manifests by what they drive. */
interface Manifests {
  readonly hardware: readonly string[];
  readonly lavapipe: string | undefined;
  /** A lavapipe that Dawn would reject. */
  readonly oldLavapipe: string | undefined;
  readonly swiftShader: string | undefined;
  readonly loaders: readonly string[];
}

/** @param named 'hardware', 'lavapipe', 'swiftshader' or the path of a manifest; what is fastest when left out. */
export function chooseVulkan(cache: string, places: VulkanPlaces = SYSTEM_PLACES, named?: string): VulkanOutcome {
  const found = findManifests(cache, places);
  const { hardware, lavapipe, swiftShader, loaders } = found;
  const chosen = (drivers: readonly string[], why: string): VulkanOutcome => ({ ok: true, setup: { drivers, loaders, why } });
  if (named === undefined) {
    const software = lavapipe ?? swiftShader;
    return chosen([...hardware, ...(software ? [software] : [])], whyFastest(found));
  }
  const why = `${named}, as told`;
  if (named.endsWith('.json') && existsSync(named)) return chosen([named], why);
  if (named === 'hardware' && hardware.length > 0) return chosen(hardware, why);
  if (named === 'lavapipe' && lavapipe) return chosen([lavapipe], why);
  if (named === 'swiftshader' && swiftShader) return chosen([swiftShader], why);
  const names = [hardware.length > 0 && 'hardware', lavapipe && 'lavapipe', swiftShader && 'swiftshader'].filter(Boolean);
  return { ok: false, text: `there is no driver '${named}' here: name one of ${names.join(', ')} or the path of a Vulkan driver manifest` };
}

/** As `chooseVulkan`, the fastest. */
export function findVulkan(cache: string, places: VulkanPlaces = SYSTEM_PLACES): VulkanSetup {
  const outcome = chooseVulkan(cache, places);
  if (!outcome.ok) throw new Error(outcome.text);
  return outcome.setup;
}

/** Rays per second of a core: lavapipe many times SwiftShader's, a GPU many times lavapipe's. */
function whyFastest({ hardware, lavapipe, oldLavapipe, swiftShader }: Manifests): string {
  const software = lavapipe ? 'lavapipe' : swiftShader ? 'SwiftShader' : 'nothing';
  if (hardware.length > 0) return `${hardware.map((path) => basename(path)).join(', ')}; ${software} if no GPU answers`;
  if (lavapipe) return 'lavapipe: no hardware driver is installed, and it is faster than SwiftShader';
  const why = oldLavapipe
    ? 'the lavapipe here is older than Mesa 24.3'
    : 'neither a hardware driver nor lavapipe (Mesa 24.3 or later, several times faster) is installed';
  return `${software}: ${why}`;
}

function findManifests(cache: string, places: VulkanPlaces): Manifests {
  const manifests = places.driverFolders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => name.endsWith('.json'))
          .toSorted()
          .map((name) => join(folder, name))
      : [],
  );
  const hardware = manifests.filter((path) => !SOFTWARE_NAMES.test(basename(path)));
  const lavapipes = manifests.filter((path) => LAVAPIPE_NAMES.test(basename(path)));
  const chromium = places.chromiumFolders.filter((folder) => existsSync(join(folder, SWIFTSHADER_MANIFEST)));
  const chromiumLoaders = chromium.map((folder) => join(folder, LOADER)).filter((path) => existsSync(path));
  // The bundled copy is unpacked only where the system lacks a part of what it gives.
  const bundled = chromiumLoaders.length > 0 ? [] : [unpackSwiftShader(cache)];
  return {
    hardware,
    lavapipe: lavapipes.find((path) => apiVersion(path) >= LAVAPIPE_API_MIN),
    oldLavapipe: lavapipes.find((path) => apiVersion(path) < LAVAPIPE_API_MIN),
    swiftShader: [...chromium, ...bundled].map((folder) => join(folder, SWIFTSHADER_MANIFEST))[0],
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
 * @param named see `chooseVulkan`; comes before what the environment says.
 * @returns which drivers, and why; or that the one named is not there.
 */
export function prepareVulkan(cache: string, places: VulkanPlaces = SYSTEM_PLACES, named?: string): VulkanOutcome {
  if (process.platform !== 'linux') return { ok: true, setup: { drivers: [], loaders: [], why: 'what this system brings' } };
  const outcome = chooseVulkan(cache, places, named);
  if (!outcome.ok) return outcome;
  const { setup } = outcome;
  const variable = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => process.env[name]);
  const told = named === undefined && variable !== undefined && process.env[variable] !== setup.drivers.join(':');
  if (named !== undefined) delete process.env.VK_DRIVER_FILES;
  if (named !== undefined || !variable) process.env.VK_ICD_FILENAMES = setup.drivers.join(':');
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  setup.loaders.some(loadForGood);
  return told ? { ok: true, setup: { ...setup, why: `${process.env[variable]}, as ${variable} says` } } : outcome;
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
