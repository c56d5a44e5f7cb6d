/**
 * The first picture through a fresh network: the user's file or a shipped sample, ordered by this
 * process, traced and checked by the local agent, delivered over WebRTC, settled in the ledger.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import * as v from 'valibot';
import { DEFAULT_TONE } from '#lib/image/tonemap.ts';
import { utf8 } from '#lib/protocol/bytes.ts';
import { connectAgent } from './agent.ts';
import { CommandError } from './command.ts';
import { progressText, renderThroughNetwork } from './network-render.ts';
import { write, writePicture } from './outputs.ts';
import { projectRoot } from './paths.ts';
import { progressBar } from './progress.ts';
import { fetchReceipt } from './receipt.ts';
import { chooseCamera } from './camera-options.ts';
import { compileOrExplain, readSceneFiles } from './scene-files.ts';
import { ThreadEngine } from './thread-engine.ts';

/** Enough to see that it works, soon: a software adapter traces some ten thousand rays a second. */
const QUALITY = {
  hardware: { longSide: 960, samples: 64, bounces: 8 },
  software: { longSide: 192, samples: 4, bounces: 5 },
} as const;

const SampleSchema = v.object({
  name: v.string(),
  title: v.string(),
  file: v.string(),
  camera: v.number(),
  width: v.number(),
  height: v.number(),
});
type Sample = v.InferOutput<typeof SampleSchema>;

export interface FirstLightOptions {
  readonly origin: string;
  readonly data: string;
  /** The user's file; null for the first shipped sample. */
  readonly file: string | null;
  readonly software: boolean;
}

export interface FirstLight {
  readonly picture: string;
  readonly receipt: string;
  readonly job: string;
  readonly leases: number;
  readonly checks: number;
}

export const pictureFolder = (data: string): string => join(data, 'pictures');

/** @throws CommandError */
async function firstSample(): Promise<Sample> {
  const path = join(projectRoot(), 'static/samples/index.json');
  const parsed = v.safeParse(v.array(SampleSchema), JSON.parse(await readFile(path, 'utf8')));
  const first = parsed.success ? parsed.output[0] : undefined;
  if (!first) throw new CommandError(`${path} lists no sample`);
  return first;
}

/** Where the sample's picture would be, when an earlier start made it. */
export async function earlierPicture(data: string): Promise<string | null> {
  const { name } = await firstSample();
  const path = join(pictureFolder(data), `${name}.png`);
  return existsSync(path) ? path : null;
}

/** @returns null when the signal aborts. @throws CommandError */
export async function firstLight(signal: AbortSignal, options: FirstLightOptions): Promise<FirstLight | null> {
  const sample = options.file === null ? await firstSample() : null;
  const file = sample ? join(projectRoot(), 'static/samples', sample.file) : options.file!;
  const name = sample?.name ?? basename(file, extname(file));
  const files = await readSceneFiles({ file, environment: null, frameTimeS: 0, variant: null });
  const engine = await ThreadEngine.start();
  const summary = await compileOrExplain(signal, engine, files, file);
  const camera = chooseCamera(sample ? { kind: 'of-file', name: String(sample.camera) } : { kind: 'default' }, summary);
  const quality = QUALITY[options.software ? 'software' : 'hardware'];
  const size = fit(sample ?? { width: 3, height: 2 }, quality.longSide);
  const agent = await connectAgent({
    origin: options.origin,
    folder: options.data,
    engine,
    keyFile: join(options.data, 'keys/creator.key'),
  });
  const bar = progressBar();
  const wanted = {
    title: sample?.title ?? name,
    files,
    summary,
    camera,
    transparent: false,
    ...size,
    samples: quality.samples,
    bounces: quality.bounces,
    seed: 0,
  };
  const job = await renderThroughNetwork(signal, agent.context, options.origin, wanted, {
    onQuote: () => {},
    onChange: (now) => bar.update(now.view.settled / now.view.leases, progressText(now)),
  });
  bar.end();
  if (job) await mkdir(pictureFolder(options.data), { recursive: true });
  const picture = join(pictureFolder(options.data), `${name}.png`);
  const receipt = join(pictureFolder(options.data), `${name}.receipt.json`);
  if (job) {
    const { samples } = quality;
    await writePicture(
      { ...size, light: job.image, denoised: null, coverage: null, auxiliary: null, samples },
      { paths: [picture], auxiliaries: [], tone: DEFAULT_TONE, pngBits: 8, notes: {} },
    );
    await write(receipt, utf8(await fetchReceipt(options.origin, job.job)));
  }
  await agent.close();
  await engine.dispose();
  return job && { picture, receipt, job: job.job, leases: job.view.leases, checks: job.view.checks };
}

function fit(shape: { readonly width: number; readonly height: number }, longSide: number): { width: number; height: number } {
  const scale = longSide / Math.max(shape.width, shape.height);
  return { width: Math.round(shape.width * scale), height: Math.round(shape.height * scale) };
}
