/** `pictor render`: one picture or the frames of a sequence, on this machine or through a network. */
import type { Notes } from '#lib/image/png.ts';
import { frameCount, type FrameRange } from '#lib/job/frames.ts';
import { utf8 } from '#lib/protocol/bytes.ts';
import { CommandError, EXIT_INTERRUPTED, EXIT_OK, type Command } from '../command.ts';
import { denoisePicture } from '../denoise-picture.ts';
import { catchInterrupts } from '../interrupt.ts';
import { write, writePicture, type OutputWishes, type Written } from '../outputs.ts';
import { readRenderOptions, type RenderOptions } from '../render-options.ts';
import { requireEncoders, sinkFor } from '../sequence.ts';
import { quoteFacts, quoteText } from '../network-quote.ts';
import { networkStudio } from '../network-studio.ts';
import { localStudio, momentAt, type FrameShot, type Moment, type Shot, type Studio } from '../studio.ts';
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
  --frames A..B         frames A to B instead of one picture, --fps N of them a second (default 24);
                        --out is then a .zip of pictures (.exr.zip and .pfm.zip hold such), an
                        .mp4 or .webm (by ffmpeg), or a name with # for the number
  --variant NAME        the material variant to show (KHR_materials_variants)
  --transparent         what stands behind everything becomes alpha instead of light: straight
                        in .png, premultiplied in .exr; .pfm has no alpha
  --aov NAMES           also write albedo,normal,depth,object,variance,samples,moment or all:
                        layers of each .exr, or NAME.pfm files beside the first picture when
                        there is none
  --denoise off|fast|final
                        clear the picture of grain; default off. An .exr holds both: the raw light
                        as its picture, the cleared one as the layer denoised
  --tonemap NAME        agx, neutral, aces or none, for .png and video; default neutral
  --exposure STOPS      for .png and video; default 0
  --bits 8|16           of each .png; default 8
  --seed N              default 0
  --count               count node visits, triangle tests, shading calls and texel reads per segment;
                        traces everything once more
  --network URL         let a network trace it; the coordinator's address
  --price TOKENS        the most it pays for a work unit there; default: what the cap leaves
  --noise PERCENT       grain at which a tile gets no more samples there, such as 3; --spp is the most
  --proven              only workers beyond their probation
  --at-cap WHAT         once the limit pays less than half of what the rays cost: finish what runs and
                        end, or cancel it at once; default finish
  --quote               say what the network would cost, how sure that is, the most it may cost and
                        who gets what; send nothing
  --json                one line of JSON on stdout: device, variant, samples, segments,
                        traceSeconds, compileSeconds, bytes and more

Through a network the receipt goes into each .png and .exr and beside the first picture, and the
same command run again goes on with a job that was left, or with the frames of a sequence
that are still missing. The key lies in .pictor/keys, or below PICTOR_DATA.

Examples:
  pictor render helmet.glb
  pictor render room.glb --out room.png --out room.exr --size 1920x1080 --spp 256
  pictor render room.glb --camera "By the window" --dof f1.8 --out room.exr --aov all
  pictor render shoe.glb --variant beach --transparent
  pictor render room.glb --spp 32 --denoise final --tonemap agx --exposure 0.5 --bits 16
  pictor render clock.glb --frames 0..47 --fps 24 --denoise fast --out clock.mp4
  pictor render shoe.glb --eye 0,1,3 --target 0,0.5,0 --vfov 35 --env studio.hdr
  pictor render room.glb --network http://127.0.0.1:8787
  pictor render room.glb --network http://127.0.0.1:8787 --noise 5 --spp 1024 --quote
`;

export const renderCommand: Command = {
  name: 'render',
  summary: 'render a scene, on this machine or through a network',
  help: HELP,
  run: async (args) => {
    const options = readRenderOptions(args);
    const interrupts = catchInterrupts();
    if (options.quote) return quote(interrupts.first, options);
    const report = await render(interrupts.first, options);
    if (!report) {
      process.stderr.write(`Interrupted; ${options.frames ? 'finished frames in files of their own stay' : 'nothing was written'}.\n`);
      return EXIT_INTERRUPTED;
    }
    if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const { path } of report.outputs) process.stdout.write(`${path}\n`);
    return EXIT_OK;
  },
};

async function quote(signal: AbortSignal, options: RenderOptions): Promise<number> {
  const engine = await ThreadEngine.start();
  const moment = await momentAt(signal, engine, options, options.frameTimeS);
  const studio = await networkStudio(engine, options, options.network!);
  const found = await studio.quote(signal, moment);
  await studio.close(false);
  await engine.dispose();
  if (!found) return EXIT_INTERRUPTED;
  process.stdout.write(options.json ? `${JSON.stringify(quoteFacts(found))}\n` : quoteText(found));
  return EXIT_OK;
}

type Report = Record<string, unknown> & { readonly outputs: readonly Written[] };

/** One way or the other: a picture, or the frames of a sequence. @returns null when the signal aborts. */
async function render(signal: AbortSignal, options: RenderOptions): Promise<Report | null> {
  const startedMs = performance.now();
  const { frames, outputs } = options;
  if (frames) requireEncoders(outputs);
  const engine = await ThreadEngine.start();
  const moment = await momentAt(signal, engine, options, options.frameTimeS);
  const { summary } = moment;
  const studio =
    options.network === null
      ? await localStudio(engine, options, summary.triangles)
      : await networkStudio(engine, options, options.network);
  const job = { signal, options, engine, studio };
  const done = frames ? await sequence(job, moment, frames) : await single(job, moment);
  await studio.close(done !== null);
  return (
    done && {
      ...studio.facts,
      width: options.width,
      height: options.height,
      samples: options.samples,
      compileSeconds: summary.compileSeconds,
      wallSeconds: (performance.now() - startedMs) / 1000,
      triangles: summary.triangles,
      sceneRoot: summary.root,
      ...done,
    }
  );
}

interface Job {
  readonly signal: AbortSignal;
  readonly options: RenderOptions;
  readonly engine: ThreadEngine;
  readonly studio: Studio;
}

const wishesOf = ({ outputs, auxiliaries, tone, pngBits }: RenderOptions, notes: Notes): OutputWishes => ({
  paths: outputs,
  auxiliaries,
  tone,
  pngBits,
  notes,
});

/** A picture as it will be written, with what goes into its files. */
interface Finished extends Shot {
  readonly notes: Notes;
  readonly models: readonly string[];
  readonly denoiseSeconds: number;
}

/** @returns null when the signal aborts. */
async function finish({ signal, options, engine }: Job, { sceneRoot, camera, shot }: Omit<FrameShot, 'frame'>): Promise<Finished | null> {
  const { seed, bounces, samples, denoise, transparent } = options;
  const done = denoise ? await denoisePicture(signal, engine, shot.picture, denoise) : null;
  if (denoise && !done) return null;
  const models = done?.models ?? [];
  // Nothing that differs from run to run: the same picture is the same file.
  const made = { sceneRoot, camera, samples, bounces, seed, transparent, denoised: models };
  const notes = { Software: 'Pictor', Render: JSON.stringify(made), ...(shot.receipt === null ? {} : { Receipt: shot.receipt }) };
  const { picture = shot.picture, trouble = null, seconds: denoiseSeconds = 0 } = done ?? {};
  return { ...shot, picture, notes, trouble: trouble ?? shot.trouble, models, denoiseSeconds };
}

async function single(job: Job, moment: Moment): Promise<Report | null> {
  const { options, signal, studio } = job;
  const shot = await studio.shoot(signal, moment);
  const done = shot && (await finish(job, { sceneRoot: moment.summary.root, camera: moment.camera, shot }));
  if (!done) return null;
  const outputs = await writePicture(done.picture, wishesOf(options, done.notes));
  const receipt = `${outputs[0]!.path.replace(/\.[a-z]+$/, '')}.receipt.json`;
  if (done.receipt !== null) await write(receipt, utf8(done.receipt));
  if (done.trouble !== null) throw new CommandError(`${done.trouble} The picture was written without that.`);
  const { segments, traceSeconds, facts, models, denoiseSeconds } = done;
  const denoising = options.denoise ? { denoised: models, denoiseSeconds } : {};
  return { segments, ...facts, traceSeconds, ...denoising, ...(done.receipt === null ? {} : { receipt }), outputs };
}

async function sequence(job: Job, start: Moment, range: FrameRange): Promise<Report | null> {
  const { options, signal, studio } = job;
  const sinks = options.outputs.map((path) => sinkFor(path, range.fps));
  const sums = { frames: 0, segments: 0, traceSeconds: 0, denoiseSeconds: 0 };
  try {
    for await (const taken of studio.reel(signal, start, range)) {
      const done = await finish(job, taken);
      if (!done) break;
      if (done.trouble !== null) throw new CommandError(`frame ${taken.frame}: ${done.trouble}`);
      for (const sink of sinks) await sink.add(done.picture, taken.frame, wishesOf(options, done.notes));
      sums.frames++;
      sums.segments += done.segments;
      sums.traceSeconds += done.traceSeconds;
      sums.denoiseSeconds += done.denoiseSeconds;
    }
    if (sums.frames < frameCount(range)) {
      for (const sink of sinks) await sink.abandon();
      return null;
    }
    const outputs: Written[] = [];
    for (const sink of sinks) outputs.push(...(await sink.finish()));
    return { ...sums, fps: range.fps, outputs };
  } catch (error) {
    for (const sink of sinks) await sink.abandon();
    throw error;
  }
}
