/**
 * The desk of someone whose sequence is being made: which frames are here, which are under way, and
 * the one that is looked at, raw or denoised. Frames come and go by `SequenceRun`; the browser keeps
 * them until the sequence is put away, so a reload loses none.
 */
import type { Developed, Format } from '../image/develop.ts';
import type { ToneOptions } from '../image/tonemap.ts';
import { frameCount, framesOf } from '../job/frames.ts';
import type { Layers } from '../job/layers.ts';
import { FRAME_BYTES_PER_PIXEL, type SequenceStore, type StoredFrame, type Thumb } from '../roles/frame-store.ts';
import { wishOf, type SequencePlan } from '../roles/sequence-plan.ts';
import { SequenceRun, type SequenceEnd } from '../roles/sequence.ts';
import type { SceneFiles } from '../gpu/engine.ts';
import type { JobView } from '../protocol/control.ts';
import type { CreatorRole } from '../roles/creator.ts';
import type { CreatorJob, RoleContext } from '../roles/types.ts';
import { Denoising, type Most } from './denoising.svelte.ts';
import { bytes } from './format.ts';
import { jobOfFrame } from './frame-picture.ts';
import { fileOf } from './job-files.ts';
import { forgetSequence, noteSequence } from './kept-sequences.ts';
import { problem, type Problem } from './problem.ts';
import { JobPictures } from './raw-picture.ts';
import { remember } from './remember.ts';
import { SequenceExport } from './sequence-export.svelte.ts';

/** One frame on the filmstrip. */
export interface FrameMark {
  readonly frame: number;
  readonly state: 'waiting' | 'ordering' | 'open' | 'done';
  /** Of its leases that are settled. */
  readonly share: number;
  readonly view: JobView | null;
  readonly thumb: Thumb | null;
}

/** The way to the network, once it is there. */
export interface Way {
  readonly context: RoleContext;
  readonly role: CreatorRole;
}

/** What an order of a sequence holds beside its files. */
export type Wanted = Omit<SequencePlan, 'sequence' | 'scene' | 'environment' | 'variant' | 'state' | 'createdMs'>;

export class SequenceDesk {
  plan = $state.raw<SequencePlan | null>(null);
  marks = $state.raw<readonly FrameMark[]>([]);
  selected = $state(0);
  /** The frame that is looked at follows the work. */
  following = $state(true);
  shown = $state.raw<CreatorJob | null>(null);
  version = $state(0);
  /** Frames are being ordered. */
  running = $state(false);
  trouble = $state.raw<Problem | null>(null);
  startedMs = $state(0);
  doneAtStart = $state(0);
  readonly done = $derived(this.marks.filter(({ state }) => state === 'done').length);
  readonly denoising: Denoising;
  readonly files: SequenceExport;
  readonly #context: () => Promise<Way>;
  #way: Way | null = null;
  #run: SequenceRun | null = null;
  #stop = new AbortController();
  #ended: Promise<unknown> = Promise.resolve();
  /** Of the frame that is shown. */
  #layers: () => Promise<Layers | null> = async () => null;
  #pictures: JobPictures | null = null;

  constructor(way: () => Promise<Way>, engine: ConstructorParameters<typeof Denoising>[0], most: () => Most) {
    this.#context = way;
    this.denoising = new Denoising(engine, most);
    this.files = new SequenceExport(engine, (frame) => this.frame(frame));
  }

  /** Begins a new one; throws when the network can't be reached. @returns a sentence when there is no room for it. */
  async start(wanted: Wanted, files: SceneFiles): Promise<string | null> {
    const needed = frameCount(wanted.range) * wanted.width * wanted.height * FRAME_BYTES_PER_PIXEL;
    const room = await roomBytes();
    if (needed > room)
      return `The finished frames would take ${bytes(needed)} and this browser has ${bytes(room)} left for this site: choose fewer frames or fewer pixels.`;
    const { context, role } = (this.#way = await this.#context());
    const { environment } = files;
    const plan: SequencePlan = {
      ...wanted,
      sequence: crypto.randomUUID().replaceAll('-', ''),
      scene: await role.keep(files.scene),
      environment: environment && { ...(await role.keep(environment.file)), intensity: environment.intensity },
      variant: files.variant,
      state: 'open',
      createdMs: Date.now(),
    };
    await storeOf(context).putPlan(plan);
    await this.#lay(plan, files);
    this.goOn();
    return null;
  }

  /** Takes up a sequence of an earlier page; its creator's jobs are taken up before. @returns false when it is not here. */
  async takeUp(sequence: string): Promise<boolean> {
    const { context } = (this.#way = await this.#context());
    const plan = await storeOf(context).plan(sequence);
    if (!plan) {
      remember('tab', 'sequence', null);
      forgetSequence(sequence);
      return false;
    }
    await this.#lay(plan, null);
    if (plan.state === 'open') this.goOn();
    return true;
  }

  /** Orders what is missing. */
  goOn(): void {
    if (!this.#run || this.running) return;
    this.trouble = null;
    this.running = true;
    this.startedMs = Date.now();
    this.doneAtStart = this.done;
    this.#stop = new AbortController();
    void this.#mark('open');
    this.#ended = this.#run.run(this.#stop.signal).then(
      (end) => this.#end(end),
      (cause: unknown) => this.#fail('The sequence stopped unexpectedly.', cause),
    );
  }

  /** Ends what is open: finished frames stay, and the rest of the caps comes back. */
  async cancel(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    const refused = (await this.#run?.cancel()) ?? null;
    if (refused) this.trouble = problem(refused, 'Finished frames stay here.', 'Try again, or leave the page open.');
    await this.#mark('stopped');
  }

  /** Back to the desk; the frames stay in this browser. */
  close(): void {
    this.denoising.clear();
    this.#show(null);
    this.plan = null;
    this.marks = [];
    this.trouble = null;
    this.#run = null;
    remember('tab', 'sequence', null);
  }

  /** Puts the sequence away, with its frames. */
  async leave(): Promise<void> {
    const { plan } = this;
    await this.#run?.cancel();
    await this.#run?.clear();
    if (plan && this.#way) await storeOf(this.#way.context).deletePlan(plan.sequence);
    if (plan) forgetSequence(plan.sequence);
    this.close();
  }

  /** A person looks at one frame. */
  select(frame: number): void {
    this.following = false;
    void this.#look(frame);
  }

  follow(): void {
    this.following = true;
    this.#followWork();
  }

  /** A finished frame with all that is kept of it. */
  async frame(frame: number): Promise<StoredFrame | null> {
    return this.plan && this.#way ? storeOf(this.#way.context).frame(this.plan.sequence, frame) : null;
  }

  /** The frame that is shown, as it is now; null while there is none. */
  async file(format: Format, tone: ToneOptions): Promise<Developed | null> {
    const { shown, denoising } = this;
    if (!shown) return null;
    try {
      return await fileOf(shown, format, { layers: this.#layers, denoising, tone });
    } catch (cause) {
      this.trouble = problem('The file could not be written.', 'The picture stays here.', 'Try again, or choose another format.', cause);
      return null;
    }
  }

  async #lay(plan: SequencePlan, files: SceneFiles | null): Promise<void> {
    const { context, role } = this.#way!;
    this.plan = plan;
    this.trouble = null;
    remember('tab', 'sequence', plan.sequence);
    noteSequence({ sequence: plan.sequence, title: plan.title, frames: frameCount(plan.range) });
    const run = new SequenceRun(role, storeOf(context), wishOf(plan, context, files));
    this.#run = run;
    run.onChange((frame) => void this.#changed(frame));
    await run.load();
    const heads = await storeOf(context).heads(plan.sequence);
    this.marks = framesOf(plan.range).map((frame) => {
      const head = heads.find((one) => one.frame === frame);
      return head ? { frame, state: 'done', share: 1, view: head.view, thumb: head.thumb } : this.#markOf(frame);
    });
    this.following = true;
    await this.#look(plan.range.first);
    this.#followWork();
  }

  #markOf(frame: number): FrameMark {
    const { state, job } = this.#run!.frame(frame);
    const view = job?.view ?? null;
    return { frame, state, share: view ? view.settled / view.leases : 0, view, thumb: null };
  }

  async #changed(frame: number): Promise<void> {
    const { plan } = this;
    if (!plan || !this.#run || !this.#way) return;
    let mark = this.#markOf(frame);
    if (mark.state === 'done') {
      const head = await storeOf(this.#way.context).head(plan.sequence, frame);
      if (this.plan?.sequence !== plan.sequence) return;
      if (head) mark = { ...mark, share: 1, view: head.view, thumb: head.thumb };
    }
    this.marks = this.marks.with(frame - plan.range.first, mark);
    if (frame === this.selected) await this.#look(frame);
    this.#followWork();
  }

  /** To the first frame that has light and is not done; when all are, to the last. */
  #followWork(): void {
    if (!this.following || !this.plan) return;
    const lit = this.marks.find(({ state, share }) => state === 'open' && share > 0);
    const newest = lit ?? this.marks.findLast(({ state }) => state === 'done');
    if (newest && newest.frame !== this.selected) void this.#look(newest.frame);
  }

  async #look(frame: number): Promise<void> {
    this.selected = frame;
    const open = this.#run?.frame(frame).job ?? null;
    if (open) {
      const role = this.#way!.role;
      return this.#show(open, () => role.layers(open.job));
    }
    const stored = await this.frame(frame);
    // Another one was picked meanwhile.
    if (this.selected !== frame) return;
    if (stored) this.#show(jobOfFrame(stored), async () => stored.layers);
    else this.#show(null);
  }

  #show(job: CreatorJob | null, layers: () => Promise<Layers | null> = async () => null): void {
    this.#layers = layers;
    const other = this.shown?.job !== job?.job || this.shown?.view.state !== job?.view.state;
    if (!this.#pictures || other) this.#pictures = new JobPictures(layers);
    this.shown = job;
    this.version++;
    if (job) this.denoising.take(this.#pictures.of(job));
  }

  #end(end: SequenceEnd): void {
    this.running = false;
    if (end.status === 'done') void this.#mark('done');
    if (end.status !== 'failed') return;
    void this.#mark('stopped');
    const what = `Frame ${end.frame} could not be made: ${end.text}`;
    this.trouble = problem(what, 'Finished frames stay here; frames under way go on.', 'Go on to order what is missing again.');
  }

  #fail(what: string, cause: unknown): void {
    this.running = false;
    this.trouble = problem(what, 'Finished frames stay here.', 'Go on to order what is missing again.', cause);
  }

  async #mark(state: SequencePlan['state']): Promise<void> {
    if (!this.plan || this.plan.state === state || !this.#way) return;
    this.plan = { ...this.plan, state };
    await storeOf(this.#way.context).putPlan(this.plan);
  }
}

const storeOf = (context: RoleContext): SequenceStore => {
  if (!context.sequences) throw new Error('this context keeps no sequences');
  return context.sequences;
};

/** What the browser lets this site keep beyond what it has; no bound where it does not say. */
async function roomBytes(): Promise<number> {
  const { quota, usage } = (await navigator.storage?.estimate()) ?? {};
  return quota === undefined ? Number.POSITIVE_INFINITY : quota - (usage ?? 0);
}
