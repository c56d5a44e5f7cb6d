/**
 * The denoiser alone, in Node through Dawn: every way to convolve, and what the adapter would be
 * given, beside oidn-web with the same weights on the same device, interleaved; and how near either
 * comes to native Open Image Denoise where its pictures lie beside the checkout. CPU seconds count
 * on software adapters, for these run in this process and others share the machine.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileWeights } from '#cli/denoise-weights.ts';
import { nodeGpu } from '#cli/node-gpu.ts';
import type { DenoiseRequest } from '#lib/gpu/engine.ts';
import { readPfm } from '#lib/image/pfm.ts';
import { chooseKinds, softwareKind } from '#workers/render/denoise/choice.ts';
import { KINDS, type Kind } from '#workers/render/denoise/kernels.ts';
import { planUNet } from '#workers/render/denoise/unet.ts';
import { parseTza } from '#workers/render/denoise/tza.ts';
import type { DenoiseModel } from '#workers/render/denoise/weights.ts';
import { Denoiser, type DenoiserOptions, type Step } from '#workers/render/denoiser.ts';
import { OidnWeb } from './denoise-peer.ts';
import type { BenchOptions } from './options.ts';
import { ROOT } from './scenes.ts';
import { figure, markdown, times } from './table.ts';

const SHARED = resolve(ROOT, '../shared/reference/oidn');
const NEVER = new AbortController().signal;
const ROUNDS = 2;

/** One of each size that oidn-web knows too. */
const MODELS: readonly { readonly model: DenoiseModel; readonly guides: 0 | 2 }[] = [
  { model: 'rt_hdr_calb_cnrm_small', guides: 2 },
  { model: 'rt_hdr', guides: 0 },
  { model: 'rt_hdr_calb_cnrm_large', guides: 2 },
];
type Way = Kind | 'chosen' | 'oidn-web';

export interface DenoiseRow {
  readonly model: string;
  readonly way: Way;
  readonly gflop: number;
  /** Best of the rounds. */
  readonly ms: number;
  readonly cpuSeconds: number;
  /** First run with compilation, CPU seconds. */
  readonly firstCpuSeconds: number;
  /** Against native Open Image Denoise, decibels in its transfer space; null where it was not compared. */
  readonly psnr: number | null;
  readonly longestDispatchMs: number | null;
  readonly megabytes: number | null;
}

export interface DenoiseReport {
  readonly adapter: string;
  readonly software: boolean;
  readonly precision: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly rows: readonly DenoiseRow[];
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The shared picture, else a made one, cut or repeated to a size. */
function picture(width: number, height: number): DenoiseRequest {
  const file = (name: string): Float32Array | null => {
    const path = join(SHARED, `${name}.pfm`);
    if (!existsSync(path)) return null;
    const read = readPfm(readFileSync(path), { sidePx: 4096, pixels: 1 << 24 });
    return read.ok ? read.image.values : null;
  };
  const sized = (name: string): Float32Array<ArrayBuffer> => {
    const values = file(name);
    const out = new Float32Array(width * height * 3);
    for (let p = 0; p < width * height; p++) {
      const from = ((Math.floor(p / width) % 512) * 512 + ((p % width) % 512)) * 3;
      for (let c = 0; c < 3; c++) out[p * 3 + c] = values ? values[from + c]! : ((Math.imul(p * 3 + c, 2654435761) >>> 8) % 1024) / 1024;
    }
    return out;
  };
  return { width, height, color: sized('color'), albedo: sized('albedo'), normal: sized('normal'), guides: 'clean', quality: 'final' };
}

export async function denoiseReport(options: BenchOptions, say: (text: string) => void): Promise<DenoiseReport> {
  const gpu = await nodeGpu();
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('there is no WebGPU adapter');
  const { description, device: chip, isFallbackAdapter } = adapter.info;
  const software = isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${description} ${chip} ${adapter.info.architecture}`);
  const halves = adapter.features.has('shader-f16') && !software;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: halves ? ['shader-f16'] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  const size = options.size ?? (software ? { width: 128, height: 128 } : { width: 512, height: 512 });
  const request = picture(size.width, size.height);
  const precision = halves ? 'f16' : 'f32';
  const chosen: DenoiserOptions['choose'] = software
    ? async () => softwareKind
    : (layers, kernels) => chooseKinds(layers, { device, kernels, store: undefined, key: '', now: () => performance.now() });
  const ways: readonly Way[] = [...KINDS, 'chosen', 'oidn-web'];
  const wanted = (word: string): boolean => options.variants.length === 0 || options.variants.some((one) => word.includes(one));
  const rows: DenoiseRow[] = [];
  for (const { model, guides } of MODELS) {
    if (options.scenes.length > 0 && !options.scenes.some((word) => model.endsWith(word))) continue;
    const gflop = gflopOf(await fileWeights(model), size);
    const runs: { readonly way: Way; readonly run: () => Promise<RunFigures> }[] = [];
    for (const way of ways.filter(wanted)) {
      const denoiser =
        way === 'oidn-web'
          ? await OidnWeb.create(device, adapter.info, await fileWeights(model), guides, halves)
          : ours(device, way === 'chosen' ? chosen : async () => () => way, precision, model, guides);
      runs.push({ way, run: () => denoiser.run(request) });
    }
    const found = await interleaved(runs);
    for (const { way } of runs) {
      const row = { model, way, gflop, ...found.get(way)! };
      rows.push(row);
      say(`${model}, ${way}: ${figure(row.ms)} ms, ${figure(row.cpuSeconds)} CPU s, first ${figure(row.firstCpuSeconds)} CPU s`);
    }
  }
  return { adapter: description || chip, software, precision, size, rows };
}

interface RunFigures {
  readonly longestDispatchMs: number | null;
  readonly megabytes: number | null;
}

function ours(device: GPUDevice, choose: DenoiserOptions['choose'], precision: 'f16' | 'f32', model: DenoiseModel, guides: 0 | 2) {
  const denoiser = new Denoiser(device, fileWeights, { precision, ...(choose ? { choose } : {}) });
  const steps: readonly Step[] = [{ model, transfer: 'light', guides, layer: 'color' }];
  return {
    run: async (request: DenoiseRequest): Promise<RunFigures> => {
      const result = await denoiser.run(NEVER, request, undefined, steps);
      if (!result.ok) throw new Error(result.text);
      return { longestDispatchMs: denoiser.last.longestDispatchMs, megabytes: denoiser.last.bytes / 1e6 };
    },
  };
}

type Timed = Omit<DenoiseRow, 'model' | 'way' | 'gflop'>;

/** Round by round, so that whatever else the machine does falls on all of them. */
async function interleaved(runs: readonly { readonly way: Way; readonly run: () => Promise<RunFigures> }[]): Promise<Map<Way, Timed>> {
  const found = new Map<Way, Timed>();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { way, run } of runs) {
      const [startMs, startCpu] = [performance.now(), cpuSeconds()];
      const figures = await run();
      const [ms, cpu] = [performance.now() - startMs, cpuSeconds() - startCpu];
      const before = found.get(way);
      // The first round compiles.
      const [bestMs, bestCpu] = round < 2 || !before ? [ms, cpu] : [Math.min(before.ms, ms), Math.min(before.cpuSeconds, cpu)];
      found.set(way, { ms: bestMs, cpuSeconds: bestCpu, firstCpuSeconds: before?.firstCpuSeconds ?? cpu, psnr: null, ...figures });
    }
  }
  return found;
}

/** 2 per multiplication, over the whole picture, without overlap of tiles. */
function gflopOf(weights: Uint8Array, { width, height }: { readonly width: number; readonly height: number }): number {
  const { layers } = planUNet(parseTza(weights));
  const perPixel = layers.reduce((sum, { inputs, outputs, level }) => sum + (inputs * outputs * 9) / 4 ** level, 0);
  return (2 * perPixel * width * height) / 1e9;
}

export function denoiseText(report: DenoiseReport): string {
  const { width, height } = report.size;
  const peer = (model: string): DenoiseRow | undefined => report.rows.find((row) => row.model === model && row.way === 'oidn-web');
  const time = (row: DenoiseRow): number => (report.software ? row.cpuSeconds * 1000 : row.ms);
  const rate = report.software ? 'GFLOP per CPU s' : 'GFLOP/s';
  const head = ['model', 'way', 'ms', 'CPU s', rate, 'first run, CPU s', 'of oidn-web’s time', 'longest dispatch, ms', 'MB'];
  const cells = report.rows.map((row) => [
    row.model,
    row.way,
    figure(row.ms),
    figure(row.cpuSeconds),
    figure((row.gflop * 1000) / time(row)),
    figure(row.firstCpuSeconds),
    row.way === 'oidn-web' ? '–' : times(time(row) / time(peer(row.model) ?? row)),
    figure(row.longestDispatchMs),
    figure(row.megabytes),
  ]);
  return `${width} × ${height}, ${report.precision}, best of ${ROUNDS}.\n\n${markdown(head, cells)}`;
}
