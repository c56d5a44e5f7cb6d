/**
 * The desk of someone with a scene: what to order, what it would cost, and the picture as it comes
 * in. Ordering is the only verb here that reaches the network. This tab holds the scene and serves
 * it to the workers, so leaving is asked about while a picture is open.
 */
import type { Developed, Format } from '../image/develop.ts';
import type { ToneOperator, ToneOptions } from '../image/tonemap.ts';
import { isDenoiseName, type DenoiseName } from './choices.ts';
import { Denoising, type Most } from './denoising.svelte.ts';
import { keepForFront } from './front-picture.ts';
import { fileOf } from './job-files.ts';
import { MarketDesk } from './market.svelte.ts';
import { Motion } from './motion.svelte.ts';
import { OrderChoice } from './order-choice.svelte.ts';
import { Preview } from './preview.svelte.ts';
import { problem, type Problem } from './problem.ts';
import { JobPictures, rawFrame } from './raw-picture.ts';
import { recall, remember } from './remember.ts';
import { SceneDesk } from './scene-desk.svelte.ts';
import { secondsLeft } from './seconds-left.ts';
import { SequenceDesk, type Way } from './sequence.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { SceneFiles } from '../gpu/engine.ts';
import type { FrameRange } from '../job/frames.ts';
import type { Layers } from '../job/layers.ts';
import { timesQuote, type Quote } from '../market/estimate.ts';
import type { Policy } from '../protocol/control.ts';
import { MARKET_ROUND_MS } from '../protocol/limits.ts';
import type { Camera } from '../protocol/order.ts';
import type { CreatorRole } from '../roles/creator.ts';
import type { CreatorJob } from '../roles/types.ts';

export class CreatorDesk {
  readonly desk: SceneDesk;
  readonly preview: Preview;
  readonly motion = new Motion();
  readonly sequence: SequenceDesk;
  /** Prices for quotes; asked while a page shows them. */
  readonly market = new MarketDesk(MARKET_ROUND_MS);
  readonly choice: OrderChoice;
  /** Stops; changes how the picture is shown and saved, never what is traced. */
  exposure = $state(0);
  operator = $state<ToneOperator>('neutral');
  readonly tone: ToneOptions = $derived({ exposure: this.exposure, operator: this.operator });
  denoise = $state<DenoiseName>('off');
  busy = $state('');
  /** An earlier visit of this browser left a picture open. */
  unfinished = $state(false);
  trouble = $state.raw<Problem | null>(null);
  job = $state.raw<CreatorJob | null>(null);
  version = $state(0);
  sentAtMs = $state(0);
  nowMs = $state(0);
  readonly secondsLeft: number | null = $derived.by(() => {
    if (!this.job || this.job.view.state !== 'open') return null;
    return secondsLeft(this.job.view.settled, this.job.view.leases, (this.nowMs - this.sentAtMs) / 1000);
  });
  /** Of the preview, and of the job's picture. */
  readonly previewDenoising: Denoising;
  readonly denoising: Denoising;
  readonly #connection: Connection;
  #pictures: JobPictures | null = null;
  #role: CreatorRole | null = null;
  #submitting = new AbortController();
  #ticker: ReturnType<typeof setInterval> | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.desk = new SceneDesk(
      () => connection.engine(),
      ({ animationSeconds }) => this.motion.begin(animationSeconds),
    );
    this.preview = new Preview(() => connection.engine());
    this.choice = new OrderChoice(this.preview, this.market);
    const engine = (): ReturnType<Connection['engine']> => connection.engine();
    const most = (): Most => ({ meanwhile: 'fast', atLast: this.denoise === 'fast' ? 'fast' : 'final' });
    this.previewDenoising = new Denoising(engine, () => ({ meanwhile: 'fast', atLast: 'fast' }));
    this.denoising = new Denoising(engine, most);
    this.sequence = new SequenceDesk(() => this.#openWay(), engine, most);
    const kept = recall('browser', 'denoise');
    if (isDenoiseName(kept)) this.chooseDenoise(kept);
  }

  /** Something is on its way to the network, or being made by it. */
  get sending(): boolean {
    return this.busy !== '' || this.job?.view.state === 'open' || this.sequence.running;
  }

  /** What the next order asks for; the preview shows it at once. */
  chooseDenoise(name: DenoiseName): void {
    this.denoise = name;
    remember('browser', 'denoise', name === 'off' ? null : name);
    this.previewDenoising.want(name !== 'off');
  }

  /** The preview as it is now, for its denoiser; told after each pass. */
  denoisePreview(): void {
    const { frame, samples, running } = this.preview;
    if (frame) this.previewDenoising.take(rawFrame(frame, samples, !running));
  }

  /** Of all that is ordered: one picture, or each frame of a sequence; null while there is no scene. */
  quote(policy: Policy): Quote | null {
    const { summary } = this.desk;
    return summary && timesQuote(this.choice.quote(policy, summary.needs), this.motion.frames);
  }

  /** Traces the present view here, small; does nothing while a picture is being made by the network. */
  tracePreview(): void {
    const { files, summary, camera } = this.desk;
    if (!files || !summary || !camera || this.job) return this.preview.stop();
    const { width, height, transparent, bounces } = this.choice;
    void this.preview.trace({ sceneRoot: summary.root, files, camera, transparent, width, height, bounces });
  }

  /** Takes up a picture that was open when this tab was reloaded; notes one that another visit left open. */
  async resume(): Promise<void> {
    if (this.job || this.busy) return;
    if (this.sequence.plan) return;
    const sequence = recall('tab', 'sequence');
    if (sequence === null && recall('tab', 'job') === null) {
      this.unfinished = recall('browser', 'job') !== null;
      return;
    }
    await this.takeUp(sequence);
  }

  /** Finds the network and goes on with a sequence that is kept here, or else with the newest open picture of this browser. */
  async takeUp(sequence: string | null = null): Promise<void> {
    this.unfinished = false;
    this.busy = 'Taking up the picture again';
    try {
      const role = await this.#open();
      const jobs = (await role.resume(new AbortController().signal)).filter(({ place }) => !place);
      if (sequence !== null && (await this.sequence.takeUp(sequence))) {
        this.sequence.denoising.want(this.denoise !== 'off');
        this.busy = '';
        return;
      }
      const open = jobs.findLast((job) => job.view.state === 'open') ?? jobs.findLast((job) => job.job === recall('browser', 'job'));
      this.busy = '';
      if (open) this.#begin(open.job);
      else this.#forget();
    } catch (cause) {
      this.busy = '';
      this.trouble = problem(
        'The picture of the last visit could not be taken up.',
        'It is kept in this browser.',
        'Check the connection and reload the page.',
        cause,
      );
    }
  }

  /** @param policy that the quote was shown at. */
  async send(policy: Policy): Promise<void> {
    const { files, summary, camera, title } = this.desk;
    if (!files || !summary || !camera || this.sending || this.choice.fault) return;
    this.trouble = null;
    this.busy = 'Finding the network';
    this.#submitting = new AbortController();
    const { signal } = this.#submitting;
    this.preview.stop();
    try {
      const role = await this.#open();
      if (signal.aborted) return this.#unsent('The order was not sent.');
      this.busy = 'Sending the order';
      const { chosen } = this.choice;
      const { capMicro } = this.choice.quote(policy, summary.needs);
      if (this.motion.range) return await this.#sendSequence(this.motion.range, { title, files, camera, capMicro });
      const outcome = await role.submit(signal, { title, files, summary, camera, ...chosen, capMicro });
      if (outcome.ok) this.#begin(outcome.job);
      else this.#unsent(outcome.text);
    } catch (cause) {
      this.#unsent('The order could not be sent.', cause);
    }
  }

  async #sendSequence(
    range: FrameRange,
    { title, files, camera, capMicro }: { title: string; files: SceneFiles; camera: Camera; capMicro: bigint },
  ): Promise<void> {
    const { cameraIndex, lens } = this.desk;
    const seen = { cameraIndex: cameraIndex < 0 ? null : cameraIndex, camera, lens };
    const wanted = { title, range, ...seen, ...this.choice.chosen, capMicro: capMicro.toString() };
    const refused = await this.sequence.start(wanted, files);
    if (refused) return this.#unsent(refused);
    this.sequence.denoising.want(this.denoise !== 'off');
    this.busy = '';
  }

  /** Ends the open job: what is finished stays paid and stays on the canvas, the rest of the cap comes back. */
  async cancel(): Promise<void> {
    this.#submitting.abort();
    if (!this.#role || this.job?.view.state !== 'open') return;
    const outcome = await this.#role.cancel(this.job.job);
    if (outcome.status === 'ok') return;
    const what = outcome.status === 'refused' ? outcome.text : 'The connection was closed before the order was cancelled.';
    this.trouble = problem(what, 'The picture so far stays here.', 'Download it and put it away, or leave the page open and try again.');
  }

  /** Puts the picture away and goes back to the scene. */
  leave(): void {
    this.#forget();
    this.denoising.clear();
    this.job = null;
    this.busy = '';
    this.trouble = null;
  }

  /** What has come in so far: PNG and PFM as it is shown, EXR with all that is known of it; null while there is no picture. */
  async file(format: Format): Promise<Developed | null> {
    const { job, denoising, tone } = this;
    if (!job) return null;
    try {
      const layers = async (): Promise<Layers | null> => (await this.#role?.layers(job.job)) ?? null;
      return await fileOf(job, format, { layers, denoising, tone });
    } catch (cause) {
      this.trouble = problem('The file could not be written.', 'The picture stays here.', 'Try again, or choose another format.', cause);
      return null;
    }
  }

  #unsent(what: string, cause?: unknown): void {
    this.busy = '';
    this.trouble = problem(what, 'The scene stays on the desk; nothing was charged.', 'Send it again when you are ready.', cause);
  }

  #begin(job: string): void {
    this.busy = '';
    this.sentAtMs = Date.now();
    this.nowMs = this.sentAtMs;
    const role = this.#role;
    this.job = role?.job(job) ?? null;
    this.version++;
    this.denoising.clear();
    this.#pictures = new JobPictures(async () => (await role?.layers(job)) ?? null);
    this.denoising.want(this.denoise !== 'off');
    if (this.job) this.denoising.take(this.#pictures.of(this.job));
    remember('tab', 'job', job);
    remember('browser', 'job', job);
    clearInterval(this.#ticker);
    this.#ticker = setInterval(() => (this.nowMs = Date.now()), 1_000);
  }

  async #openWay(): Promise<Way> {
    const [role, context] = await Promise.all([this.#open(), this.#connection.open()]);
    return { role, context };
  }

  async #open(): Promise<CreatorRole> {
    if (this.#role) return this.#role;
    const [context, { CreatorRole: Role }] = await Promise.all([this.#connection.open(), import('../roles/creator.ts')]);
    const role = new Role(context);
    role.onJob((job) => this.#show(job));
    this.#role = role;
    return role;
  }

  #show(job: CreatorJob): void {
    if (this.job?.job !== job.job) return;
    this.job = job;
    this.version++;
    if (this.#pictures) this.denoising.take(this.#pictures.of(job));
    if (job.view.state === 'open') return;
    this.#forget();
    if (job.view.state !== 'done') return;
    // Without it the front door shows a shipped picture.
    keepForFront(job, this.tone).catch(() => undefined);
  }

  #forget(): void {
    clearInterval(this.#ticker);
    remember('tab', 'job', null);
    remember('browser', 'job', null);
  }
}
