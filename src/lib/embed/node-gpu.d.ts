/**
 * WebGPU for Node through npm `webgpu`, which must be installed: on the system's GPU, else on a
 * software driver. @returns null where the package is missing or has no binary for this machine.
 */
export declare function nodeGpu(): Promise<GPU | null>;
