/**
 * A `GPU` whose kernels have one text replaced: for tests that must fail when the physics is broken.
 * Throws when the text is in no program, so that a control cannot quietly turn into the real thing.
 */

/** @param from as it stands in the linked WGSL of at least one shader module made on this `GPU`. */
export function brokenGpu(gpu: GPU, from: string, to: string): { readonly gpu: GPU; readonly hits: () => number } {
  let hits = 0;
  const requestAdapter: GPU['requestAdapter'] = async (options) => {
    const adapter = await gpu.requestAdapter(options);
    if (!adapter) return null;
    const requestDevice = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await requestDevice(descriptor);
      const createShaderModule = device.createShaderModule.bind(device);
      device.createShaderModule = (module) => {
        if (module.code.includes(from)) hits += 1;
        return createShaderModule({ ...module, code: module.code.replaceAll(from, to) });
      };
      return device;
    };
    return adapter;
  };
  return { gpu: { requestAdapter } as GPU, hits: () => hits };
}
