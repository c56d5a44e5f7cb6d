/**
 * The denoiser alone, in Node through Dawn: every way to convolve, and what the adapter would be
 * given, beside oidn-web with the same weights on the same device, interleaved; what either takes of
 * memory, and how near it comes to native Open Image Denoise. CPU seconds count on software
 * adapters, for these run in this process and others share the machine.
 */
import { fileWeights } from '#cli/denoise-weights.ts';
import { nodeGpu } from '#cli/node-gpu.ts';
import type { DenoiseRequest, DispatchTimes } from '#lib/gpu/engine.ts';
import { chooseKinds, softwareKindOf } from '#workers/render/denoise/choice.ts';
import { KINDS } from '#workers/render/denoise/kernels.ts';
import { parseTza } from '#workers/render/denoise/tza.ts';
import { planUNet } from '#workers/render/denoise/unet.ts';
import type { DenoiseModel } from '#workers/render/denoise/weights.ts';
import { Denoiser, type DenoiserOptions } from '#workers/render/denoiser.ts';
import { OidnWeb } from './denoise-peer.ts';
import { benchPicture, NATIVE_PX, qualityOf } from './denoise-quality.ts';
import type { DenoiseReport, DenoiseRow, Way } from './denoise-text.ts';
import type { BenchOptions } from './options.ts';
import { figure } from './table.ts';

const NEVER = new AbortController().signal;
/** After the first, which compiles; a processor takes its time. */
const ROUNDS = { gpu: 2, software: 1 } as const;
/** On a processor a picture of more pixels runs once, and oidn-web so many of its tiles. */
const WHOLE_PIXELS_MAX = NATIVE_PX ** 2;
const PEER_TILES = 2;
const HD = { width: 1920, height: 1080 } as const;

/** One of each size that oidn-web knows too. */
const MODELS: readonly { readonly model: DenoiseModel; readonly guides: 0 | 2 }[] = [
  { model: 'rt_hdr_calb_cnrm_small', guides: 2 },
  { model: 'rt_hdr', guides: 0 },
  { model: 'rt_hdr_calb_cnrm_large', guides: 2 },
];

interface Run {
  readonly image: Float32Array<ArrayBuffer> | null;
  /** Tiles of the picture, by how many of them ran. */
  readonly scale: number;
  readonly tiles: number;
  readonly dispatches: DispatchTimes | null;
}
interface Runner {
  readonly way: Way;
  /** Weights to the device; the first run of it compiles. */
  readonly open: () => Promise<(request: DenoiseRequest) => Promise<Run>>;
}

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export async function denoiseReport(options: BenchOptions, say: (text: string) => void): Promise<DenoiseReport> {
  const stage = await openStage();
  const { adapter, software, halves } = stage;
  const natural = { width: NATIVE_PX, height: NATIVE_PX };
  const sizes = options.size ? [options.size] : software ? [natural] : [natural, HD];
  const wanted = (way: Way): boolean => options.variants.length === 0 || options.variants.some((word) => way.includes(word));
  const rounds = software ? ROUNDS.software : ROUNDS.gpu;
  const rows: DenoiseRow[] = [];
  for (const size of sizes) {
    const request = benchPicture(size.width, size.height);
    const once = software && size.width * size.height > WHOLE_PIXELS_MAX;
    const ways: readonly Way[] = once ? ['chosen', 'oidn-web'] : [...KINDS, 'chosen', 'oidn-web'];
    for (const { model, guides } of MODELS) {
      if (options.scenes.length > 0 && !options.scenes.some((word) => model.endsWith(word))) continue;
      const gflop = gflopOf(await fileWeights(model), size);
      const runners = ways.filter(wanted).map((way) => runnerOf(stage, way, model, guides, once ? PEER_TILES : Infinity));
      for (const row of await interleaved(stage, runners, { model, guides, gflop }, request, once ? 0 : rounds)) {
        rows.push(row);
        say(`${size.width} × ${size.height}, ${model}, ${row.way}: ${figure(row.ms)} ms, ${figure(row.cpuSeconds)} CPU s`);
      }
    }
  }
  const { description, device } = adapter.info;
  return { adapter: description || device, software, precision: halves ? 'f16' : 'f32', rounds, rows };
}

interface Stage {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly software: boolean;
  readonly halves: boolean;
  readonly held: Held;
}

async function openStage(): Promise<Stage> {
  const gpu = await nodeGpu();
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('there is no WebGPU adapter');
  const { description, device: chip, architecture, isFallbackAdapter } = adapter.info;
  const software = isFallbackAdapter || /swiftshader|llvmpipe/i.test(`${description} ${chip} ${architecture}`);
  const halves = adapter.features.has('shader-f16') && !software;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: halves ? ['shader-f16'] : [],
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  return { adapter, device, software, halves, held: watchBuffers(device) };
}

/** Bytes of the buffers that live on a device. */
interface Held {
  now: number;
  most: number;
}

function watchBuffers(device: GPUDevice): Held {
  const held: Held = { now: 0, most: 0 };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    held.now += descriptor.size;
    held.most = Math.max(held.most, held.now);
    const destroy = buffer.destroy.bind(buffer);
    let there = true;
    buffer.destroy = () => {
      if (there) held.now -= descriptor.size;
      there = false;
      return destroy();
    };
    return buffer;
  };
  return held;
}

function runnerOf(stage: Stage, way: Way, model: DenoiseModel, guides: 0 | 2, peerTiles: number): Runner {
  const { adapter, device, software, halves } = stage;
  if (way === 'oidn-web') {
    const open: Runner['open'] = async () => {
      const peer = await OidnWeb.create(device, adapter.info, await fileWeights(model), guides, { halves, software });
      return async (request) => {
        const { image, tiles, tilesDone } = await peer.run(request, peerTiles);
        return { image, tiles, scale: tiles / tilesDone, dispatches: null };
      };
    };
    return { way, open };
  }
  const chosen: DenoiserOptions['choose'] = software
    ? async () => softwareKindOf(`${adapter.info.description} ${adapter.info.device}`)
    : (layers, kernels) => chooseKinds(layers, { device, kernels, store: undefined, key: '', now: () => performance.now() });
  const open: Runner['open'] = async () => {
    const denoiser = new Denoiser(device, fileWeights, {
      precision: halves ? 'f16' : 'f32',
      choose: way === 'chosen' ? chosen : async () => () => way,
    });
    return async (request) => {
      const result = await denoiser.run(NEVER, request, undefined, [{ model, transfer: 'light', guides, layer: 'color' }]);
      if (!result.ok) throw new Error(result.text);
      return { image: result.image, tiles: denoiser.last.tiles, scale: 1, dispatches: denoiser.last.dispatches };
    };
  };
  return { way, open };
}

/** Round by round, so that whatever else the machine does falls on all of them; the first round compiles. */
async function interleaved(
  { held }: Stage,
  runners: readonly Runner[],
  { model, guides, gflop }: { readonly model: DenoiseModel; readonly guides: 0 | 2; readonly gflop: number },
  request: DenoiseRequest,
  rounds: number,
): Promise<readonly DenoiseRow[]> {
  const rows: DenoiseRow[] = [];
  const runs: ((request: DenoiseRequest) => Promise<Run>)[] = [];
  const { width, height } = request;
  for (const { way, open } of runners) {
    const before = held.now;
    held.most = held.now;
    const run = await open();
    const { ms, cpu, found } = await timed(run, request);
    const megabytes = (held.most - before) / 1e6;
    const whole = found.image && width === NATIVE_PX && height === NATIVE_PX ? { request, image: found.image } : null;
    const quality = await qualityOf(model, guides, whole, async (small) => (await run(small)).image);
    const { tiles, scale, dispatches } = found;
    runs.push(run);
    rows.push({
      model,
      way,
      width,
      height,
      gflop,
      ms,
      cpuSeconds: cpu,
      firstCpuSeconds: cpu,
      quality,
      megabytes,
      tiles,
      scale,
      dispatches,
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, run] of runs.entries()) {
      const { ms, cpu, found } = await timed(run, request);
      const row = rows[i]!;
      const best = round === 0 ? { ms, cpuSeconds: cpu } : { ms: Math.min(row.ms, ms), cpuSeconds: Math.min(row.cpuSeconds, cpu) };
      rows[i] = { ...row, ...best, dispatches: found.dispatches };
    }
  }
  return rows;
}

async function timed(run: (request: DenoiseRequest) => Promise<Run>, request: DenoiseRequest) {
  const [startMs, startCpu] = [performance.now(), cpuSeconds()];
  const found = await run(request);
  return { ms: (performance.now() - startMs) * found.scale, cpu: (cpuSeconds() - startCpu) * found.scale, found };
}

/** 2 per multiplication, over the whole picture, without overlap of tiles. */
function gflopOf(weights: Uint8Array, { width, height }: { readonly width: number; readonly height: number }): number {
  const { layers } = planUNet(parseTza(weights));
  const perPixel = layers.reduce((sum, { inputs, outputs, level }) => sum + (inputs * outputs * 9) / 4 ** level, 0);
  return (2 * perPixel * width * height) / 1e9;
}
