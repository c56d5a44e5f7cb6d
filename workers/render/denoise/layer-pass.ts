/**
 * One convolution on a device in one of the ways there are: holds its weights as that way reads them,
 * and encodes rectangles of it. Refuses to know tensors' lives or time: network.ts and pace.ts do.
 */
import { GEMM } from '#shaders/denoise/gemm.ts';
import { Convolution } from '#shaders/denoise/layout.ts';
import { WINOGRAD, WINOGRAD_STEP } from '#shaders/denoise/winograd.ts';
import { filled, group, uniform, write } from './buffers.ts';
import { dispatchPixels, SHAPES, type DenoiseKernels, type Kind } from './kernels.ts';
import { BLOCK, blocksOf, inPrecision, packBias, packWeights, packWinograd } from './packing.ts';
import type { Layer } from './unet.ts';

/** A rectangle of a layer of this width and height. */
export interface Band {
  readonly width: number;
  readonly height: number;
  /** Even. */
  readonly column: number;
  /** Even, unless it is the last. */
  readonly columns: number;
  readonly row: number;
  readonly rows: number;
}

/** Where a band is read and written, and room between (`scratchBytes` of it). */
export interface BandBuffers {
  readonly source: GPUBuffer;
  readonly target: GPUBuffer;
  /** First block of the target. */
  readonly targetBlock: number;
  readonly planes: GPUBuffer | null;
  readonly products: GPUBuffer | null;
}

/** Patches of one plane of a band, in whole steps. */
export const patchStride = (columns: number, rows: number): number =>
  Math.ceil((Math.ceil(columns / 2) * Math.ceil(rows / 2)) / WINOGRAD_STEP) * WINOGRAD_STEP;

export class LayerPass {
  readonly kind: Kind;
  readonly #device: GPUDevice;
  readonly #layer: Layer;
  readonly #pipelines: readonly GPUComputePipeline[];
  readonly #weights: GPUBuffer;
  readonly #bias: GPUBuffer;
  readonly #frame: GPUBuffer;

  private constructor(
    device: GPUDevice,
    precision: DenoiseKernels['precision'],
    layer: Layer,
    kind: Kind,
    pipelines: readonly GPUComputePipeline[],
  ) {
    this.kind = kind;
    this.#device = device;
    this.#layer = layer;
    this.#pipelines = pipelines;
    const packed = kind === 'winograd' ? packWinograd(layer) : packWeights(layer);
    this.#weights = filled(device, `${layer.name} weights`, inPrecision(packed, precision));
    this.#bias = filled(device, `${layer.name} bias`, packBias(layer));
    this.#frame = uniform(device, `${layer.name} frame`, Convolution);
  }

  /** Layers of a single block of outputs know one way only. */
  static async create(device: GPUDevice, kernels: DenoiseKernels, layer: Layer, kind: Kind): Promise<LayerPass> {
    if (blocksOf(layer.outputs) % SHAPES.strip.blocks > 0)
      return new LayerPass(device, kernels.precision, layer, 'direct', [await kernels.direct('last')]);
    const pipelines =
      kind === 'winograd'
        ? [kernels.winograd('spread'), kernels.winograd('multiply'), kernels.winograd('gather')]
        : [kind === 'gemm' ? kernels.gemm() : kernels.direct(kind)];
    return new LayerPass(device, kernels.precision, layer, kind, await Promise.all(pipelines));
  }

  /** Encodes a band. Its parameters are written to the queue now: encode and submit one band after the other. */
  encode(encoder: GPUCommandEncoder, band: Band, buffers: BandBuffers): void {
    const { inputs, outputs, fromChannel, after, name } = this.#layer;
    const [ins, outs] = [blocksOf(inputs), blocksOf(outputs)];
    const patches = Math.ceil(band.columns / 2) * Math.ceil(band.rows / 2);
    const stride = patchStride(band.columns, band.rows);
    write(this.#device, this.#frame, Convolution, {
      width: band.width,
      height: band.height,
      from_block: fromChannel / BLOCK,
      in_blocks: ins,
      to_block: buffers.targetBlock,
      out_blocks: outs,
      first_column: band.column,
      columns: band.columns,
      first_row: band.row,
      rows: band.rows,
      enlarge: Number(after === 'enlarge'),
      patches,
      patch_stride: stride,
    });
    const { source, target, planes, products } = buffers;
    const pass = encoder.beginComputePass({ label: name });
    if (this.kind === 'winograd') {
      const groups = Math.ceil(patches / WINOGRAD.workgroup);
      this.#bind(pass, 0, [source, planes!]);
      pass.dispatchWorkgroups(groups, ins);
      this.#bind(pass, 1, [planes!, this.#weights, products!]);
      pass.dispatchWorkgroups(stride / WINOGRAD_STEP, Math.ceil(outs / WINOGRAD.blocks / WINOGRAD.side), 16);
      this.#bind(pass, 2, [products!, this.#bias, target]);
      pass.dispatchWorkgroups(groups, outs);
    } else {
      this.#bind(pass, 0, [source, this.#weights, this.#bias, target]);
      if (this.kind === 'gemm')
        pass.dispatchWorkgroups(Math.ceil(band.columns / GEMM.width), Math.ceil(band.rows / GEMM.height), Math.ceil(outs / GEMM.blocks));
      else {
        const shape = outs % SHAPES.strip.blocks > 0 ? SHAPES.last : SHAPES[this.kind];
        dispatchPixels(pass, band.columns, band.rows, outs / shape.blocks, shape.pixels);
      }
    }
    pass.end();
  }

  destroy(): void {
    for (const buffer of [this.#weights, this.#bias, this.#frame]) buffer.destroy();
  }

  #bind(pass: GPUComputePassEncoder, stage: number, buffers: readonly GPUBuffer[]): void {
    const pipeline = this.#pipelines[stage]!;
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group(this.#device, pipeline.label, pipeline, [this.#frame, ...buffers]));
  }
}
