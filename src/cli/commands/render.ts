/** `pictor render`: one picture, on this machine or through a network. */
import { basename, join } from 'node:path';
import type { SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import { DEFAULT_TONE } from '#lib/image/tonemap.ts';
import type { Camera } from '#lib/protocol/order.ts';
import type { CreatorJob } from '#lib/roles/types.ts';
import { connectAgent } from '../agent.ts';
import { chooseCamera, withLens } from '../camera-options.ts';
import { EXIT_INTERRUPTED, EXIT_OK, type Command } from '../command.ts';
import { catchInterrupts } from '../interrupt.ts';
import { countLocally, renderLocally, type LocalJob } from '../local-render.ts';
import { progressText, renderThroughNetwork } from '../network-render.ts';
import { writePicture, type OutputWishes, type Written } from '../outputs.ts';
import { dataFolder } from '../paths.ts';
import { progressBar, si } from '../progress.ts';
import { saveReceipt } from '../receipt.ts';
import { readRenderOptions, type RenderOptions } from '../render-options.ts';
import { compileOrExplain, deviceText, probeOrExplain, readSceneFiles } from '../scene-files.ts';
import { ThreadEngine } from '../thread-engine.ts';

const HELP = `
Usage: pictor render FILE [options]

Path-traces a glTF scene (.glb, .gltf with the files beside it, or a .zip of either) and writes
the picture.
Without --network everything happens on this machine.

  --out PATH            .png (tone mapped), .exr or .pfm (raw linear radiance);
                        may be given several times; default: FILE's name with .png
  --env FILE            equirectangular environment, .hdr or .exr; --env-intensity X scales it
  --camera NAME|N       a camera of the file, by name or by number from 0;
                        default: its first, or a framing view
  --eye x,y,z --target x,y,z [--up x,y,z] [--vfov DEGREES]
                        a camera of your own, in glTF's coordinates
  --dof RADIUS[@DISTANCE], --dof fSTOP[@DISTANCE]
                        depth of field: lens radius in scene units, or f-stop on film 36 mm
                        wide with a metre per scene unit; sharp at DISTANCE from the eye,
                        default: at the target. Examples: 0.02@3.5, f2.8@3.5
  --size WxH            default 960x540
  --spp N               samples per pixel, default 64
  --bounces N           default 8
  --frame-time S        seconds into the animation, default 0
  --variant NAME        the material variant to show (KHR_materials_variants)
  --transparent         what stands behind everything becomes alpha instead of light: straight
                        in .png, premultiplied in .exr; .pfm has no alpha
  --aov NAMES           also write albedo,normal,depth,object,variance,samples,moment or
                        all: layers of each .exr, or NAME.pfm files beside the first picture when there is none
  --seed N              default 0
  --count               count node visits, triangle tests and shading calls per segment; traces
                        everything once more
  --network URL         let a network trace it; the coordinator's address
  --json                one line of JSON on stdout: device, variant, samples, segments,
                        traceSeconds, compileSeconds, bytes and more

Through a network the receipt is written beside the first picture, and the same command run again
goes on with a job that was left. The key lies in .pictor/keys, or below PICTOR_DATA.

Examples:
  pictor render helmet.glb
  pictor render room.glb --out room.png --out room.exr --size 1920x1080 --spp 256
  pictor render room.glb --camera "By the window" --dof f1.8 --out room.exr --aov all
  pictor render shoe.glb --variant beach --transparent
  pictor render shoe.glb --eye 0,1,3 --target 0,0.5,0 --vfov 35 --env studio.hdr
  pictor render room.glb --network http://127.0.0.1:8787
`;

export const renderCommand: Command = {
  name: 'render',
  summary: 'render a scene, on this machine or through a network',
  help: HELP,
  run: async (args) => {
    const options = readRenderOptions(args);
    const interrupts = catchInterrupts();
    const prepared = await prepare(interrupts.first, options);
    const report =
      options.network === null ? await local(interrupts.first, prepared) : await remote(interrupts.first, prepared, options.network);
    if (!report) {
      process.stderr.write('Interrupted; nothing was written.\n');
      return EXIT_INTERRUPTED;
    }
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const { path } of report.outputs) process.stdout.write(`${path}\n`);
    return EXIT_OK;
  },
};

interface Prepared {
  readonly options: RenderOptions;
  readonly startedMs: number;
  readonly engine: ThreadEngine;
  readonly files: SceneFiles;
  readonly summary: SceneSummary;
  readonly camera: Camera;
}

async function prepare(signal: AbortSignal, options: RenderOptions): Promise<Prepared> {
  const startedMs = performance.now();
  const files = await readSceneFiles(options);
  const engine = await ThreadEngine.start();
  const summary = await compileOrExplain(signal, engine, files, options.file);
  return { options, startedMs, engine, files, summary, camera: withLens(chooseCamera(options.camera, summary), options.lens, options) };
}

/** What `--json` prints, whoever traced. */
const commonReport = ({ options, startedMs, summary }: Prepared): Record<string, unknown> => ({
  width: options.width,
  height: options.height,
  samples: options.samples,
  compileSeconds: summary.compileSeconds,
  wallSeconds: (performance.now() - startedMs) / 1000,
  triangles: summary.triangles,
  sceneRoot: summary.root,
});

const wantsLayers = ({ auxiliaries, transparent }: RenderOptions): boolean => auxiliaries.length > 0 || transparent;

const wishesOf = ({ outputs, auxiliaries }: RenderOptions): OutputWishes => ({
  paths: outputs,
  auxiliaries,
  tone: DEFAULT_TONE,
  pngBits: 8,
  notes: {},
});

type Report = Record<string, unknown> & { readonly outputs: readonly Written[] };

async function local(signal: AbortSignal, prepared: Prepared): Promise<Report | null> {
  const { options, engine, summary, camera } = prepared;
  // After the scene: leaving while Dawn still compiles pipelines would crash instead of explaining a bad file.
  const device = await probeOrExplain(engine);
  const { width, height, bounces, seed, samples, transparent } = options;
  if (!options.json) process.stderr.write(`${options.file}: ${si(summary.triangles)} triangles, rendering on ${deviceText(device)}\n`);
  const bar = progressBar();
  const job = {
    sceneRoot: summary.root,
    frame: { camera, width, height, bounces, seed, transparent },
    samples,
    software: device.adapter.software,
    layers: wantsLayers(options),
  };
  const result = await renderLocally(signal, engine, job, (done, segments) => bar.update(done, `${si(segments)} rays`));
  bar.end();
  if (!result) return null;
  const counted = options.count ? await count(signal, engine, job, options.json) : {};
  if (!counted) return null;
  const outputs = await writePicture(result.picture, wishesOf(options));
  const { segments, traceSeconds } = result;
  if (!options.json) process.stderr.write(`${si(segments)} rays in ${traceSeconds.toFixed(1)} s (${si(segments / traceSeconds)} rays/s)\n`);
  const { name, software } = device.adapter;
  return {
    device: name,
    class: device.adapter.class,
    software,
    variant: engine.shader.slice(0, 16),
    segments,
    ...counted,
    traceSeconds,
    ...commonReport(prepared),
    pipelineSeconds: device.compileSeconds,
    bytes: summary.bytes,
    outputs,
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

async function remote(signal: AbortSignal, prepared: Prepared, origin: string): Promise<Report | null> {
  const { options, engine, files, summary, camera } = prepared;
  const folder = dataFolder();
  const agent = await connectAgent({ origin, folder, engine, keyFile: join(folder, 'keys/creator.key') });
  const { width, height, samples, bounces, seed, transparent } = options;
  const wanted = { title: basename(options.file), files, summary, camera, transparent, width, height, samples, bounces, seed };
  const bar = progressBar();
  const startedMs = performance.now();
  const onChange = (now: CreatorJob): void => bar.update(now.view.settled / now.view.leases, progressText(now));
  const job = await renderThroughNetwork(signal, agent.context, wanted, onChange, wantsLayers(options));
  bar.end();
  if (!job) {
    await agent.close();
    return null;
  }
  const coverage = (transparent && job.layers?.coverage) || null;
  const picture = { width, height, light: job.image, denoised: null, coverage, auxiliary: job.layers, samples };
  const outputs = await writePicture(picture, wishesOf(options));
  const receipt = `${outputs[0]!.path.replace(/\.[a-z]+$/, '')}.receipt.json`;
  await saveReceipt(origin, job.job, receipt);
  const { bytesIn, bytesOut } = agent.context.net.traffic;
  await agent.close();
  return {
    device: `network ${agent.context.control.network}`,
    variant: engine.shader.slice(0, 16),
    segments: job.view.segments,
    traceSeconds: (performance.now() - startedMs) / 1000,
    ...commonReport(prepared),
    bytes: bytesIn + bytesOut,
    bytesIn,
    bytesOut,
    job: job.job,
    workers: job.view.workers,
    checks: job.view.checks,
    redone: job.view.redone,
    spentMicro: job.view.spentMicro,
    receipt,
    outputs,
  };
}
