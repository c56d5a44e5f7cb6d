/**
 * A `GPU` that lets a test see and disturb what the engine does with it: counts what lives on its
 * devices, loses them on purpose, and lets memory run out. Everything else is the real thing.
 */

/** Buffers and textures of one device. */
export interface Watched {
  readonly device: GPUDevice;
  readonly live: Set<GPUBuffer | GPUTexture>;
  /** Buffers and textures ever made. */
  made: number;
  /** Bind groups and pipelines ever made. */
  bound: number;
}

export interface WatchedGpu {
  readonly gpu: GPU;
  /** In the order they were made. */
  readonly devices: readonly Watched[];
  /** The next so many error scopes report that memory ran out. */
  shortages: number;
  /** What there is no memory for: the scope around it reports so. */
  lacks: (descriptor: GPUBufferDescriptor) => boolean;
}

type Maker = (descriptor: unknown) => unknown;

/** @param named what the adapter says of itself instead of the truth. */
export function watchGpu(gpu: GPU, named?: Partial<GPUAdapterInfo>): WatchedGpu {
  const devices: Watched[] = [];
  const state: WatchedGpu = { gpu: undefined as unknown as GPU, devices, shortages: 0, lacks: () => false };
  (state as { gpu: GPU }).gpu = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      if (!adapter) return null;
      const { info, limits, features } = adapter;
      return {
        info: named ? { ...named, isFallbackAdapter: false } : info,
        limits,
        features,
        requestDevice: async (descriptor?: GPUDeviceDescriptor) => {
          const device = await adapter.requestDevice(descriptor);
          devices.push(watchDevice(device, state));
          return device;
        },
      };
    },
  } as unknown as GPU;
  return state;
}

function watchDevice(device: GPUDevice, state: Pick<WatchedGpu, 'shortages' | 'lacks'>): Watched {
  const watched: Watched = { device, live: new Set(), made: 0, bound: 0 };
  const methods = device as unknown as Record<string, Maker>;
  let lacking = false;
  const wrap = (name: string, after: (made: unknown, descriptor: unknown) => void): void => {
    const original = methods[name]!.bind(device);
    methods[name] = (descriptor) => {
      const made = original(descriptor);
      after(made, descriptor);
      return made;
    };
  };
  for (const name of ['createBuffer', 'createTexture'])
    wrap(name, (made, descriptor) => {
      lacking ||= name === 'createBuffer' && state.lacks(descriptor as GPUBufferDescriptor);
      const thing = made as GPUBuffer | GPUTexture;
      const destroy = thing.destroy.bind(thing);
      watched.made += 1;
      watched.live.add(thing);
      Object.assign(thing, {
        destroy: () => {
          watched.live.delete(thing);
          destroy();
        },
      });
    });
  for (const name of ['createBindGroup', 'createComputePipelineAsync', 'createShaderModule']) wrap(name, () => (watched.bound += 1));
  const pop = device.popErrorScope.bind(device);
  device.popErrorScope = async () => {
    const error = await pop();
    if (state.shortages === 0 && !lacking) return error;
    if (!lacking) state.shortages -= 1;
    lacking = false;
    return { message: 'no memory left, on purpose' };
  };
  return watched;
}
