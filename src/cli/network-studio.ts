/**
 * The studio whose pictures a network traces: one creator, reached once. A sequence has some of its
 * frames under way at a time, and what is finished lies on disk until the files are written, so that
 * the same command run again goes on where it was left.
 */
import { basename, join } from 'node:path';
import type { Layers } from '#lib/job/layers.ts';
import { frameCount, framesOf, frameTimeS, type FrameRange } from '#lib/job/frames.ts';
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import type { JobView } from '#lib/protocol/control.ts';
import { CreatorRole } from '#lib/roles/creator.ts';
import { SequenceRun, type MomentOutcome, type SequenceEnd, type SequenceWish } from '#lib/roles/sequence.ts';
import type { CreatorJob } from '#lib/roles/types.ts';
import { connectAgent, type Agent } from './agent.ts';
import { CommandError } from './command.ts';
import { FileFrameStore } from './frame-files.ts';
import { quoteText, quoteThrough, type NetworkQuote } from './network-quote.ts';
import { policyOf, progressText, renderThroughNetwork } from './network-render.ts';
import { dataFolder } from './paths.ts';
import { progressBar } from './progress.ts';
import { fetchReceipt } from './receipt.ts';
import type { RenderOptions } from './render-options.ts';
import { momentAt, wantsLayers, type FrameShot, type Moment, type Shot, type Studio } from './studio.ts';
import type { ThreadEngine } from './thread-engine.ts';

/** What a network made of one order. */
interface Made {
  readonly job: string;
  readonly view: JobView;
  readonly light: Float32Array<ArrayBuffer>;
  readonly layers: Layers | null;
  readonly traceSeconds: number;
}

export interface NetworkStudio extends Studio {
  /** What all that is ordered would cost. @returns null when the signal aborts. @throws CommandError */
  quote(signal: AbortSignal, first: Moment): Promise<NetworkQuote | null>;
}

export async function networkStudio(engine: ThreadEngine, options: RenderOptions, origin: string): Promise<NetworkStudio> {
  const folder = dataFolder();
  const agent = await connectAgent({ origin, folder, engine, keyFile: join(folder, 'keys/creator.key') });
  const frames = new FileFrameStore(join(agent.folder, 'frames'));
  const network = { agent, engine, options, origin, frames };
  let sequence: string | null = null;
  return {
    facts: { variant: engine.shader.slice(0, 16) },
    quote: (signal, first) => quoteFor(signal, network, first),
    shoot: async (signal, moment) => {
      const bar = progressBar();
      const startedMs = performance.now();
      const onChange = (now: CreatorJob): void => bar.update(now.view.settled / now.view.leases, progressText(now));
      const wanted = { ...choiceOf(options), ...moment };
      const watcher = { onQuote: (found: NetworkQuote) => tell(options, found), onChange };
      const job = await renderThroughNetwork(signal, agent.context, origin, wanted, watcher, wantsLayers(options));
      bar.end();
      return job && shotOf(network, { ...job, light: job.image, traceSeconds: (performance.now() - startedMs) / 1000 });
    },
    reel: (signal, first, range) => {
      sequence = idOf(options, first, range);
      return networkReel(signal, network, first, range, sequence);
    },
    close: async (whole) => {
      if (whole && sequence) await frames.deleteFrames(sequence);
      await agent.close();
    },
  };
}

interface Network {
  readonly agent: Agent;
  readonly engine: ThreadEngine;
  readonly options: RenderOptions;
  readonly origin: string;
  readonly frames: FileFrameStore;
}

/** On stderr, where it is in no program's way. */
const tell = ({ json }: RenderOptions, found: NetworkQuote): void => void (json || process.stderr.write(quoteText(found)));

async function quoteFor(signal: AbortSignal, { agent, engine, options, origin }: Network, first: Moment): Promise<NetworkQuote | null> {
  const policy = await policyOf(signal, agent.context);
  const frames = options.frames ? frameCount(options.frames) : 1;
  return quoteThrough(signal, { engine, origin, policy }, { ...choiceOf(options), ...first }, frames);
}

const choiceOf = ({ file, width, height, samples, bounces, seed, transparent, terms }: RenderOptions) => ({
  title: basename(file),
  ...{ transparent, width, height, samples, bounces, seed, terms },
});

async function shotOf({ agent, options, origin }: Network, { job, view, light, layers, traceSeconds }: Made): Promise<Shot> {
  const { width, height, samples, transparent } = options;
  const { segments, workers, checks, redone, spentMicro } = view;
  const { bytesIn, bytesOut } = agent.context.net.traffic;
  const traffic = { bytes: bytesIn + bytesOut, bytesIn, bytesOut };
  const coverage = (transparent && layers?.coverage) || null;
  // A picture without its receipt is written all the same.
  const receipt = await fetchReceipt(origin, job).catch((error: unknown) => {
    if (error instanceof CommandError) return error;
    throw error;
  });
  return {
    picture: { width, height, light, denoised: null, coverage, auxiliary: layers, samples },
    segments,
    traceSeconds,
    facts: { device: `network ${agent.context.control.network}`, ...traffic, job, workers, checks, redone, spentMicro },
    receipt: typeof receipt === 'string' ? receipt : null,
    trouble: typeof receipt === 'string' ? null : receipt.message,
  };
}

/** The same command on the same scene is the same sequence. */
function idOf(options: RenderOptions, { files, summary }: Moment, { first, last, fps }: FrameRange): string {
  const { variant, camera, lens } = options;
  const hashes = [files.scene, ...(files.environment ? [files.environment.file] : [])].map(sha256);
  const wish = [...hashes, files.environment?.intensity ?? 1, summary.root, variant, camera, lens, first, last, fps];
  return toHex(sha256(encodeCanonical([...wish, choiceOf(options)]))).slice(0, 32);
}

async function* networkReel(
  signal: AbortSignal,
  network: Network,
  first: Moment,
  range: FrameRange,
  sequence: string,
): AsyncGenerator<FrameShot> {
  const { agent, options, frames } = network;
  const found = await quoteFor(signal, network, first);
  if (!found) return;
  tell(options, found);
  // Of one frame; what its rays cost is measured for each.
  const capMicro = found.quote.capMicro / BigInt(found.frames);
  const creator = new CreatorRole(agent.context);
  await creator.resume(signal);
  const moment: SequenceWish['moment'] = async (moved, frame) =>
    frame === range.first ? { ok: true, ...first } : momentOf(moved, network, range, frame);
  const run = new SequenceRun(creator, frames, { sequence, range, choice: { ...choiceOf(options), capMicro }, moment });
  const stop = new AbortController();
  const startedMs = performance.now();
  const ended = run.run(stop.signal);
  try {
    for (const frame of framesOf(range)) {
      if (!(await arrival(signal, run, frame, ended))) break;
      const made = (await frames.frame(sequence, frame))!;
      const shot = await shotOf(network, { ...made, traceSeconds: (performance.now() - startedMs) / 1000 / frameCount(range) });
      yield { frame, sceneRoot: made.order.sceneRoot, camera: made.order.camera, shot };
    }
  } finally {
    stop.abort();
    const { status } = await ended;
    // Nobody waits for the rest any more; what is finished stays for the next try.
    if (status !== 'done') await run.cancel();
    creator.close();
  }
}

async function momentOf(signal: AbortSignal, { engine, options }: Network, range: FrameRange, frame: number): Promise<MomentOutcome> {
  try {
    return { ok: true, ...(await momentAt(signal, engine, { ...options, quiet: true }, frameTimeS(range, frame))) };
  } catch (error) {
    if (error instanceof CommandError) return { ok: false, text: error.message };
    throw error;
  }
}

/** @returns false when the signal aborts before the frame is kept. @throws CommandError when it never will be. */
async function arrival(signal: AbortSignal, run: SequenceRun, frame: number, ended: Promise<SequenceEnd>): Promise<boolean> {
  const bar = progressBar();
  const here = (): boolean => run.frame(frame).state === 'done';
  let tell: () => void = () => {};
  const off = run.onChange(() => {
    bar.update(...progressOf(run));
    if (here()) tell();
  });
  const arrived = new Promise<void>((resolve) => (tell = resolve));
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  if (!here() && !signal.aborted) await Promise.race([arrived, aborted, ended]);
  off();
  bar.end();
  if (here() || signal.aborted) return here();
  const end = await ended;
  throw new CommandError(end.status === 'failed' ? `frame ${end.frame}: ${end.text}` : `frame ${frame} never came`);
}

/** Share of the whole, and one line. */
function progressOf(run: SequenceRun): [number, string] {
  const all = run.frames;
  const done = all.filter(({ state }) => state === 'done').length;
  const open = all.flatMap(({ job }) => (job ? [job.view] : []));
  const share = open.reduce((sum, { settled, leases }) => sum + settled / leases, done) / all.length;
  const workers = Math.max(0, ...open.map((view) => view.workers));
  const waits = open.find(({ reason }) => reason !== '')?.reason;
  const who = `${workers} ${workers === 1 ? 'worker' : 'workers'}`;
  return [share, `${done} of ${all.length} frames here, ${open.length} under way, ${who}${waits ? `, ${waits}` : ''}`];
}
