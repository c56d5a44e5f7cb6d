/**
 * Can this browser trace? Asks for an adapter and looks at its name; creates no device, so nothing
 * runs on the GPU before a person asks for it.
 */

export type Capability =
  | { readonly status: 'checking' }
  | { readonly status: 'able'; readonly name: string; readonly software: boolean }
  | { readonly status: 'unable'; readonly why: string; readonly fix: string };

/** The parts of a page that the answer depends on. */
export interface ProbeScope {
  readonly gpu: Pick<GPU, 'requestAdapter'> | undefined;
  readonly secure: boolean;
  readonly userAgent: string;
}

const INSECURE_FIX = 'Open this site over https, or on this machine as http://localhost.';

export async function probeCapability(scope: ProbeScope): Promise<Capability> {
  if (!scope.secure)
    return {
      status: 'unable',
      why: 'This page came over an insecure connection, and browsers give WebGPU to secure pages only.',
      fix: INSECURE_FIX,
    };
  if (!scope.gpu) return { status: 'unable', why: 'WebGPU is off in this browser.', fix: howToTurnOn(scope.userAgent) };
  try {
    const adapter = await scope.gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter)
      return {
        status: 'unable',
        why: 'WebGPU is there, but the browser offers no graphics adapter.',
        fix: howToFindAdapter(scope.userAgent),
      };
    return { status: 'able', name: adapterName(adapter.info), software: isSoftware(adapter.info) };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    return { status: 'unable', why: `The browser refused to name a graphics adapter (${text}).`, fix: howToFindAdapter(scope.userAgent) };
  }
}

/** What a page can say about the device without asking for more permission. */
export function adapterName(info: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description'>): string {
  if (info.description) return info.description;
  const parts = [info.vendor, info.architecture, info.device].filter(Boolean);
  return parts.length > 0 ? parts.map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join(' ') : 'unnamed graphics adapter';
}

function isSoftware(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.vendor} ${info.architecture} ${info.description}`)
  );
}

function howToTurnOn(userAgent: string): string {
  if (/Firefox\//.test(userAgent))
    return 'In Firefox, open about:config and set dom.webgpu.enabled and dom.webgpu.workers.enabled to true, then reload; or use a current Chrome or Edge.';
  if (/Version\/.*Safari\//.test(userAgent))
    return 'Safari 26 has WebGPU on; in older ones turn it on under Settings → Feature Flags → WebGPU, then reload.';
  if (/Linux/.test(userAgent) && /Chrom/.test(userAgent))
    return 'In Chromium on Linux, open chrome://flags, enable “Unsafe WebGPU Support” and “Vulkan”, then relaunch.';
  return 'Update the browser: Chrome and Edge have WebGPU from version 113 on.';
}

function howToFindAdapter(userAgent: string): string {
  if (/Chrom/.test(userAgent))
    return 'Open chrome://gpu and look for WebGPU; turn on “Use graphics acceleration when available” in the settings, and update the graphics driver.';
  return 'Turn on hardware acceleration in the browser’s settings, and update the graphics driver.';
}
