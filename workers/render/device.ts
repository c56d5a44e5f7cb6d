/**
 * Opens a WebGPU device with the default limits, or with exactly what a scene needs above them.
 * Refuses in words: no WebGPU, no adapter, or so many bytes where the adapter holds fewer.
 */
import type { DeviceRoom } from '#lib/gpu/engine.ts';
import type { Adapter } from '#lib/protocol/control.ts';

/** Limits a scene may need beyond the defaults of the specification. */
export interface LimitNeeds {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxTextureDimension2D: number;
  readonly maxTextureArrayLayers: number;
}

const NAMES = ['maxStorageBufferBindingSize', 'maxBufferSize', 'maxTextureDimension2D', 'maxTextureArrayLayers'] as const;

/** They only ever speed things up. */
const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ['timestamp-query'];

/** What every WebGPU device gives (WebGPU specification, table of limits). */
export const DEFAULT_LIMITS: LimitNeeds = {
  maxStorageBufferBindingSize: 134_217_728,
  maxBufferSize: 268_435_456,
  maxTextureDimension2D: 8192,
  maxTextureArrayLayers: 256,
};

export type OpenOutcome =
  | { readonly ok: true; readonly device: GPUDevice; readonly adapter: Adapter; readonly holds: DeviceRoom }
  | { readonly ok: false; readonly reason: 'no-webgpu' | 'no-adapter' | 'device-failed'; readonly text: string }
  /** The adapter is there, and the scene needs more than it has. */
  | { readonly ok: false; readonly reason: 'too-small'; readonly text: string };

export const fits = (needs: LimitNeeds, limits: LimitNeeds): boolean => NAMES.every((name) => needs[name] <= limits[name]);

/** @param wishes features that are asked for where the adapter has them. */
export async function openDevice(
  gpu: GPU | undefined,
  needs: LimitNeeds = DEFAULT_LIMITS,
  wishes: readonly GPUFeatureName[] = [],
): Promise<OpenOutcome> {
  if (!gpu) return { ok: false, reason: 'no-webgpu', text: 'This browser has no WebGPU, or it is switched off.' };
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return { ok: false, reason: 'no-adapter', text: 'WebGPU is there, but it offers no adapter on this machine.' };
  const lacking = NAMES.find((name) => needs[name] > Math.max(adapter.limits[name], DEFAULT_LIMITS[name]));
  if (lacking) {
    const text = `The scene needs ${lacking} of ${needs[lacking]}, this adapter offers ${adapter.limits[lacking]}.`;
    return { ok: false, reason: 'too-small', text };
  }
  const raised = NAMES.filter((name) => needs[name] > DEFAULT_LIMITS[name]);
  const requiredLimits = Object.fromEntries(raised.map((name) => [name, needs[name]]));
  try {
    const requiredFeatures = [...OPTIONAL_FEATURES, ...wishes].filter((name) => adapter.features.has(name));
    const device = await adapter.requestDevice({ label: 'pictor', requiredLimits, requiredFeatures });
    return { ok: true, device, adapter: describe(adapter), holds: roomOf(adapter) };
  } catch (error) {
    return {
      ok: false,
      reason: 'device-failed',
      text: `The adapter gave no device: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** WebGPU tells how large a buffer may be and not how much memory there is: that only shows when it runs out. */
const roomOf = ({ limits }: GPUAdapter): DeviceRoom => ({
  bytes: Number.MAX_SAFE_INTEGER,
  bindingBytes: Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize),
});

/**
 * Makes things on a device and hears whether it had the memory for them. What was made without it is
 * of no use and stays the caller's to destroy; using it is an error of validation, which is heard here too.
 */
export async function allocate<T>(device: GPUDevice, make: () => T): Promise<{ readonly made: T; readonly short: boolean }> {
  const scopes = ['validation', 'out-of-memory'] as const;
  for (const scope of scopes) device.pushErrorScope(scope);
  const made = make();
  const errors = await Promise.all(scopes.map(() => device.popErrorScope().catch((lost: unknown) => lost)));
  return { made, short: errors.some((error) => error !== null) };
}

/** Classes are compared by the coordinator; empty fields, which browsers may blank, become `unknown`. */
function describe(adapter: GPUAdapter): Adapter {
  const { vendor, architecture, description, device } = adapter.info;
  const word = (text: string): string => text.toLowerCase().replace(/[^a-z0-9.-]+/g, '-') || 'unknown';
  const frontEnd = globalThis.navigator?.userAgent?.includes('Firefox') ? 'naga' : 'tint';
  const name = [description, device].find((text) => text !== '') ?? `${vendor} ${architecture}`;
  const software =
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software|warp/i.test(`${architecture} ${description} ${device}`);
  return { class: `${word(vendor)}/${word(architecture)}/${frontEnd}`, name: name.slice(0, 80) || 'unknown', software };
}
