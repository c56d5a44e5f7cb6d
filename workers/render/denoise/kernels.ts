/**
 * The denoiser's pipelines on one device: encode, convolve, pool, decode. Built once; one object per
 * device, shared by all networks.
 */
import { CONVOLUTION_WORKGROUP, type ConvolutionShape } from '#shaders/denoise/convolution.ts';
import { convolutionProgram, inputProgram, outputProgram, poolProgram } from '#shaders/denoise/index.ts';

/** How a network's picture is encoded: shaders/denoise/transfer.wgsl. */
export type Transfer = 'light' | 'srgb' | 'normal';
const TRANSFERS: Readonly<Record<Transfer, number>> = { light: 0, srgb: 1, normal: 2 };

/** What lies beside the picture: nothing, albedo, or albedo and normal. */
export type Guides = 0 | 1 | 2;

/** Pixels and blocks per invocation. */
const SHAPES = { wide: { pixels: 4, blocks: 2 }, narrow: { pixels: 4, blocks: 1 } } as const satisfies Record<string, ConvolutionShape>;
type Width = keyof typeof SHAPES;

/** Width and height of a workgroup of the passes over pixels. */
const [GROUP_X, GROUP_Y] = CONVOLUTION_WORKGROUP;

export class DenoiseKernels {
  readonly #device: GPUDevice;
  readonly #convolutions: Readonly<Record<Width, GPUComputePipeline>>;
  readonly #pool: GPUComputePipeline;
  /** By transfer and guides. */
  readonly #coders = new Map<string, GPUComputePipeline>();

  private constructor(device: GPUDevice, convolutions: Readonly<Record<Width, GPUComputePipeline>>, pool: GPUComputePipeline) {
    this.#device = device;
    this.#convolutions = convolutions;
    this.#pool = pool;
  }

  static async create(device: GPUDevice): Promise<DenoiseKernels> {
    const [wide, narrow, pool] = await Promise.all([
      build(device, 'convolve', convolutionProgram(SHAPES.wide), 'convolve'),
      build(device, 'convolve', convolutionProgram(SHAPES.narrow), 'convolve'),
      build(device, 'pool', poolProgram, 'pool_blocks'),
    ]);
    return new DenoiseKernels(device, { wide, narrow }, pool);
  }

  async encoder(transfer: Transfer, guides: Guides): Promise<GPUComputePipeline> {
    return this.#coder(`encode ${transfer} ${guides}`, inputProgram, 'encode_tile', { TRANSFER: TRANSFERS[transfer], GUIDES: guides });
  }

  async decoder(transfer: Transfer): Promise<GPUComputePipeline> {
    return this.#coder(`decode ${transfer}`, outputProgram, 'decode_tile', { TRANSFER: TRANSFERS[transfer] });
  }

  convolution(outBlocks: number): { readonly pipeline: GPUComputePipeline; readonly shape: ConvolutionShape } {
    const width: Width = outBlocks % SHAPES.wide.blocks === 0 ? 'wide' : 'narrow';
    return { pipeline: this.#convolutions[width], shape: SHAPES[width] };
  }

  get pool(): GPUComputePipeline {
    return this.#pool;
  }

  async #coder(label: string, code: string, entryPoint: string, constants: Record<string, number>): Promise<GPUComputePipeline> {
    const known = this.#coders.get(label);
    if (known) return known;
    const pipeline = await build(this.#device, label, code, entryPoint, constants);
    this.#coders.set(label, pipeline);
    return pipeline;
  }
}

function build(
  device: GPUDevice,
  label: string,
  code: string,
  entryPoint: string,
  constants: Record<string, number> = {},
): Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ label, code });
  return device.createComputePipelineAsync({ label, layout: 'auto', compute: { module, entryPoint, constants } });
}

/** Dispatches over an area of pixels, `acrossX` of them per invocation. */
export function dispatchPixels(pass: GPUComputePassEncoder, width: number, height: number, layers = 1, acrossX = 1): void {
  pass.dispatchWorkgroups(Math.ceil(width / (GROUP_X * acrossX)), Math.ceil(height / GROUP_Y), layers);
}
