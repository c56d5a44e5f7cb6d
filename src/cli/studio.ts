/**
 * Takes pictures of a scene at one moment after another: by this machine's engine, or by a network
 * that is reached once (network-studio.ts). A studio only exposes; developing and denoising come after it.
 */
import type { SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import type { Picture } from '#lib/image/develop.ts';
import { framesOf, frameTimeS, type FrameRange } from '#lib/job/frames.ts';
import type { Camera } from '#lib/protocol/order.ts';
import { chooseCamera, withLens } from './camera-options.ts';
import { countLocally, renderLocally, type LocalJob } from './local-render.ts';
import { progressBar, si } from './progress.ts';
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

/** A shot with what goes into the notes of its file. */
export interface FrameShot {
  readonly frame: number;
  readonly sceneRoot: string;
  readonly camera: Camera;
  readonly shot: Shot;
}

export interface Studio {
  /** What stays the same from shot to shot, for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** @returns null when the signal aborts. @throws CommandError */
  shoot(signal: AbortSignal, moment: Moment): Promise<Shot | null>;
  /** Frame after frame, in order; ends early when the signal aborts. @param first the moment of the first frame. @throws CommandError */
  reel(signal: AbortSignal, first: Moment, range: FrameRange): AsyncGenerator<FrameShot>;
  /** @param whole everything is written: nothing need be kept for another try. */
  close(whole: boolean): Promise<void>;
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
export const wantsLayers = ({ auxiliaries, transparent, denoise }: RenderOptions): boolean =>
  auxiliaries.length > 0 || transparent || denoise !== null;

/** @throws CommandError when there is no device. */
export async function localStudio(engine: ThreadEngine, options: RenderOptions, triangles: number): Promise<Studio> {
  // After the scene: leaving while Dawn still compiles pipelines would crash instead of explaining a bad file.
  const device = await probeOrExplain(engine);
  const { name, software } = device.adapter;
  if (!options.json) process.stderr.write(`${options.file}: ${si(triangles)} triangles, rendering on ${deviceText(device)}\n`);
  const { width, height, bounces, seed, samples, transparent } = options;
  const shoot: Studio['shoot'] = async (signal, { summary, camera }) => {
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
  };
  return {
    facts: {
      device: name,
      class: device.adapter.class,
      software,
      variant: engine.shader.slice(0, 16),
      pipelineSeconds: device.compileSeconds,
    },
    shoot,
    reel: (signal, first, range) => localReel(signal, { engine, options, shoot }, first, range),
    close: async () => undefined,
  };
}

interface LocalReel {
  readonly engine: ThreadEngine;
  readonly options: RenderOptions;
  readonly shoot: Studio['shoot'];
}

async function* localReel(
  signal: AbortSignal,
  { engine, options, shoot }: LocalReel,
  first: Moment,
  range: FrameRange,
): AsyncGenerator<FrameShot> {
  for (const frame of framesOf(range)) {
    if (!options.json) process.stderr.write(`frame ${frame} of ${range.first}..${range.last}\n`);
    const still = { ...options, quiet: true };
    const moment = frame === range.first ? first : await momentAt(signal, engine, still, frameTimeS(range, frame));
    const shot = await shoot(signal, moment);
    if (!shot) return;
    yield { frame, sceneRoot: moment.summary.root, camera: moment.camera, shot };
  }
}

/** Per segment, as `--json` prints it. @returns null when the signal aborts. */
async function count(signal: AbortSignal, engine: ThreadEngine, job: LocalJob, quiet: boolean): Promise<Record<string, number> | null> {
  const bar = progressBar();
  const counters = await countLocally(signal, engine, job, (done) => bar.update(done, 'counting'));
  bar.end();
  if (!counters) return null;
  const { segments, nodeVisits, triangleTests, shadingCalls, texelReads } = counters;
  const per = (total: number): string => (total / segments).toFixed(2);
  if (!quiet)
    process.stderr.write(
      `per segment: ${per(nodeVisits)} node visits, ${per(triangleTests)} triangle tests, ${per(shadingCalls)} shading calls, ${per(texelReads)} texel reads (of ${si(segments)} segments)\n`,
    );
  return {
    nodeVisitsPerSegment: nodeVisits / segments,
    triangleTestsPerSegment: triangleTests / segments,
    shadingCallsPerSegment: shadingCalls / segments,
    texelReadsPerSegment: texelReads / segments,
  };
}
