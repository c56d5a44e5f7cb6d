/**
 * The WebGPU stacks that tests can start: a WGSL compiler over a Vulkan driver, in Node or in a browser.
 * Says how each is started, not whether it is there: whoever asks for one that is missing gets an error
 * with the reason.
 */
import { chooseVulkan, findVulkan } from '#cli/gpu-environment.ts';
import { cacheFolder } from '#cli/paths.ts';
import { lavapipe } from './lavapipe.ts';
import type { Environment } from './stage.ts';

export interface Stack {
  readonly name: string;
  readonly place: 'node' | 'chromium' | 'firefox';
  /** @throws Error when its driver is not there. */
  readonly environment: () => Environment;
}

/** Manifest of SwiftShader, whatever else the system has. */
export const swiftShader = (): Environment => ({ VK_ICD_FILENAMES: findVulkan(cacheFolder(), NO_SYSTEM).drivers.at(-1)! });
const NO_SYSTEM = { driverFolders: [], chromiumFolders: ['/usr/lib/chromium', '/opt/google/chrome'] };

const mesa = (): Environment => ({ VK_ICD_FILENAMES: lavapipe().manifest });

export const BASE: Stack = { name: 'Tint, SwiftShader, Node', place: 'node', environment: swiftShader };

/** Software that every machine can have. */
export const STACKS: readonly Stack[] = [
  { name: 'Tint, SwiftShader, Chromium', place: 'chromium', environment: () => ({}) },
  { name: 'naga, SwiftShader, Firefox', place: 'firefox', environment: swiftShader },
  { name: 'naga, lavapipe, Firefox', place: 'firefox', environment: mesa },
  { name: 'Tint, lavapipe, Node', place: 'node', environment: mesa },
];

function hardware(): Environment {
  const found = chooseVulkan(cacheFolder(), undefined, 'hardware');
  if (!found.ok) throw new Error('no Vulkan driver of a GPU is installed');
  return { VK_ICD_FILENAMES: found.setup.drivers.join(':') };
}

/** What this machine's own GPU is reached by, where it has one. */
export const GPU_STACKS: readonly Stack[] = [
  { name: 'Tint, hardware, Node', place: 'node', environment: hardware },
  { name: 'naga, hardware, Firefox', place: 'firefox', environment: hardware },
];
