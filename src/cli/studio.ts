/**
 * Takes pictures of a scene at one moment after another: by this machine's engine, or by a network
 * that is reached once. A studio only exposes; developing and denoising come after it.
 */
import { basename, join } from 'node:path';
import type { SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import type { Picture } from '#lib/image/develop.ts';
import type { Camera } from '#lib/protocol/order.ts';
import type { CreatorJob } from '#lib/roles/types.ts';
import { connectAgent } from './agent.ts';
import { chooseCamera, withLens } from './camera-options.ts';
import { CommandError } from './command.ts';
import { countLocally, renderLocally, type LocalJob } from './local-render.ts';
import { progressText, renderThroughNetwork } from './network-render.ts';
import { dataFolder } from './paths.ts';
import { progressBar, si } from './progress.ts';
import { fetchReceipt } from './receipt.ts';
import type { RenderOptions } from './render-options.ts';
import { compileOrExplain, deviceText, probeOrExplain, readSceneFiles } from './scene-files.ts';
import type { ThreadEngine } from './thread-engine.ts';

/** A scene as it stands at one moment. */
export interface Moment {
  readonly files: SceneFiles;
  readonly summary: SceneSummary;
  readonly camera: Camera;
}

export interface Shot {
  readonly picture: Picture;
  readonly segments: number;
  readonly traceSeconds: number;
  /** What only this way of tracing can tell, for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** JSON; null for a picture that no network traced. */
  readonly receipt: string | null;
  /** What went wrong after the picture was there, in a sentence. */
  readonly trouble: string | null;
}

export interface Studio {
  /** What stays the same from shot to shot, for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** @returns null when the signal aborts. @throws CommandError */
  shoot(signal: AbortSignal, moment: Moment): Promise<Shot | null>;
  close(): Promise<void>;
}

/** @param options `quiet` leaves out the file's warnings. @throws CommandError */
export async function momentAt(
  signal: AbortSignal,
  engine: ThreadEngine,
  options: RenderOptions & { readonly quiet?: boolean },
  frameTimeS: number,
): Promise<Moment> {
  const files = await readSceneFiles({ ...options, frameTimeS });
  const summary = await compileOrExplain(signal, engine, files, options.file, options.quiet);
  return { files, summary, camera: withLens(chooseCamera(options.camera, summary), options.lens, options) };
}

/** Denoising is guided by what the films tell beside light. */
const wantsLayers = ({ auxiliaries, transparent, denoise }: RenderOptions): boolean =>
  auxiliaries.length > 0 || transparent || denoise !== null;

/** @throws CommandError when there is no device. */
export async function localStudio(engine: ThreadEngine, options: RenderOptions, triangles: number): Promise<Studio> {
  // After the scene: leaving while Dawn still compiles pipelines would crash instead of explaining a bad file.
  const device = await probeOrExplain(engine);
  const { name, software } = device.adapter;
  if (!options.json) process.stderr.write(`${options.file}: ${si(triangles)} triangles, rendering on ${deviceText(device)}\n`);
  const { width, height, bounces, seed, samples, transparent } = options;
  return {
    facts: {
      device: name,
      class: device.adapter.class,
      software,
      variant: engine.shader.slice(0, 16),
      pipelineSeconds: device.compileSeconds,
    },
    shoot: async (signal, { summary, camera }) => {
      const frame = { camera, width, height, bounces, seed, transparent };
      const job = { sceneRoot: summary.root, frame, samples, software, layers: wantsLayers(options) };
      const bar = progressBar();
      const result = await renderLocally(signal, engine, job, (done, segments) => bar.update(done, `${si(segments)} rays`));
      bar.end();
      const counted = result && options.count ? await count(signal, engine, job, options.json) : {};
      if (!result || !counted) return null;
      const { segments, traceSeconds } = result;
      if (!options.json)
        process.stderr.write(`${si(segments)} rays in ${traceSeconds.toFixed(1)} s (${si(segments / traceSeconds)} rays/s)\n`);
      return { ...result, facts: { ...counted, bytes: summary.bytes }, receipt: null, trouble: null };
    },
    close: async () => undefined,
  };
}

/** Per segment, as `--json` prints it. @returns null when the signal aborts. */
async function count(signal: AbortSignal, engine: ThreadEngine, job: LocalJob, quiet: boolean): Promise<Record<string, number> | null> {
  const bar = progressBar();
  const counters = await countLocally(signal, engine, job, (done) => bar.update(done, 'counting'));
  bar.end();
  if (!counters) return null;
  const { segments, nodeVisits, triangleTests, shadingCalls } = counters;
  const per = (total: number): string => (total / segments).toFixed(2);
  if (!quiet)
    process.stderr.write(
      `per segment: ${per(nodeVisits)} node visits, ${per(triangleTests)} triangle tests, ${per(shadingCalls)} shading calls (of ${si(segments)} segments)\n`,
    );
  return {
    nodeVisitsPerSegment: nodeVisits / segments,
    triangleTestsPerSegment: triangleTests / segments,
    shadingCallsPerSegment: shadingCalls / segments,
  };
}

export async function networkStudio(engine: ThreadEngine, options: RenderOptions, origin: string): Promise<Studio> {
  const folder = dataFolder();
  const agent = await connectAgent({ origin, folder, engine, keyFile: join(folder, 'keys/creator.key') });
  const { width, height, samples, bounces, seed, transparent } = options;
  return {
    facts: { variant: engine.shader.slice(0, 16) },
    shoot: async (signal, moment) => {
      const wanted = { title: basename(options.file), ...moment, transparent, width, height, samples, bounces, seed };
      const bar = progressBar();
      const startedMs = performance.now();
      const onChange = (now: CreatorJob): void => bar.update(now.view.settled / now.view.leases, progressText(now));
      const job = await renderThroughNetwork(signal, agent.context, wanted, onChange, wantsLayers(options));
      bar.end();
      if (!job) return null;
      const { segments, workers, checks, redone, spentMicro } = job.view;
      const { bytesIn, bytesOut } = agent.context.net.traffic;
      const traffic = { bytes: bytesIn + bytesOut, bytesIn, bytesOut };
      const coverage = (transparent && job.layers?.coverage) || null;
      // A picture without its receipt is written all the same.
      const receipt = await fetchReceipt(origin, job.job).catch((error: unknown) => {
        if (error instanceof CommandError) return error;
        throw error;
      });
      return {
        picture: { width, height, light: job.image, denoised: null, coverage, auxiliary: job.layers, samples },
        segments,
        traceSeconds: (performance.now() - startedMs) / 1000,
        facts: { device: `network ${agent.context.control.network}`, ...traffic, job: job.job, workers, checks, redone, spentMicro },
        receipt: typeof receipt === 'string' ? receipt : null,
        trouble: typeof receipt === 'string' ? null : receipt.message,
      };
    },
    close: () => agent.close(),
  };
}
