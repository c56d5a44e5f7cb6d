/**
 * The denoiser's pipelines on one device: encode, convolve in several ways, pool, decode. Each is
 * built when it is first asked for; one object per device, shared by all networks.
 */
import { CONVOLUTION_WORKGROUP, type ConvolutionShape } from '#shaders/denoise/convolution.ts';
import { directProgram, gemmProgram, inputProgram, outputProgram, poolProgram, winogradPrograms } from '#shaders/denoise/index.ts';
import type { Precision } from '#shaders/denoise/kernel-text.ts';

/** How a network's picture is encoded: shaders/denoise/transfer.wgsl. */
export type Transfer = 'light' | 'srgb' | 'normal';
const TRANSFERS: Readonly<Record<Transfer, number>> = { light: 0, srgb: 1, normal: 2 };

/** What lies beside the picture: nothing, albedo, or albedo and normal. */
export type Guides = 0 | 1 | 2;

/** Ways to convolve. All give the same but for rounding. */
export const KINDS = ['direct', 'strip', 'gemm', 'winograd'] as const;
export type Kind = (typeof KINDS)[number];

/** Pixels and blocks per invocation of the direct kernels; `last` serves layers of a single block. */
export const SHAPES = {
  direct: { pixels: 4, blocks: 2 },
  strip: { pixels: 8, blocks: 2 },
  last: { pixels: 8, blocks: 1 },
} as const satisfies Record<string, ConvolutionShape>;

/** Width and height of a workgroup of the passes over pixels. */
const [GROUP_X, GROUP_Y] = CONVOLUTION_WORKGROUP;

export class DenoiseKernels {
  readonly precision: Precision;
  readonly #device: GPUDevice;
  readonly #built = new Map<string, Promise<GPUComputePipeline>>();

  /** @param precision `f16` only where the device has `shader-f16`. */
  constructor(device: GPUDevice, precision: Precision) {
    this.#device = device;
    this.precision = precision;
  }

  /** Bytes of one stored number. */
  get bytes(): number {
    return this.precision === 'f16' ? 2 : 4;
  }

  encoder(transfer: Transfer, guides: Guides): Promise<GPUComputePipeline> {
    return this.#build(`encode ${transfer} ${guides}`, inputProgram, 'encode_tile', { TRANSFER: TRANSFERS[transfer], GUIDES: guides });
  }

  decoder(transfer: Transfer): Promise<GPUComputePipeline> {
    return this.#build(`decode ${transfer}`, outputProgram, 'decode_tile', { TRANSFER: TRANSFERS[transfer] });
  }

  direct(shape: keyof typeof SHAPES): Promise<GPUComputePipeline> {
    return this.#build(`convolve ${shape}`, (precision) => directProgram(SHAPES[shape], precision), 'convolve');
  }

  gemm(): Promise<GPUComputePipeline> {
    return this.#build('convolve gemm', gemmProgram, 'convolve');
  }

  winograd(stage: 'spread' | 'multiply' | 'gather'): Promise<GPUComputePipeline> {
    return this.#build(`winograd ${stage}`, (precision) => winogradPrograms(precision)[stage], stage);
  }

  pool(): Promise<GPUComputePipeline> {
    return this.#build('pool', poolProgram, 'pool_blocks');
  }

  #build(
    label: string,
    text: (precision: Precision) => string,
    entryPoint: string,
    constants: Record<string, number> = {},
  ): Promise<GPUComputePipeline> {
    const known = this.#built.get(label);
    if (known) return known;
    const module = this.#device.createShaderModule({ label, code: text(this.precision) });
    const pipeline = this.#device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint, constants } });
    this.#built.set(label, pipeline);
    return pipeline;
  }
}

/** Dispatches over an area of pixels, `acrossX` of them per invocation. */
export function dispatchPixels(pass: GPUComputePassEncoder, width: number, height: number, layers = 1, acrossX = 1): void {
  pass.dispatchWorkgroups(Math.ceil(width / (GROUP_X * acrossX)), Math.ceil(height / GROUP_Y), layers);
}
