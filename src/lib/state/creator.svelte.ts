/**
 * The desk of someone with a scene: what to order, what it would cost, and the picture as it comes
 * in. Ordering is the only verb here that reaches the network. This tab holds the scene and serves
 * it to the workers, so leaving is asked about while a picture is open.
 */
import { developAside } from '../image/darkroom.ts';
import type { Developed, Format } from '../image/develop.ts';
import type { ToneOperator, ToneOptions } from '../image/tonemap.ts';
import { isDenoiseName, QUALITIES, SIZES, type DenoiseName, type QualityName, type SizeName } from './choices.ts';
import { Denoising } from './denoising.svelte.ts';
import { estimate, secondsLeft, type Estimate } from './estimate.ts';
import { choicesOf, holdsLayers, pictureOf } from './job-files.ts';
import { keepLastPicture } from './last-picture.ts';
import { thinned } from './painter.ts';
import { Preview } from './preview.svelte.ts';
import { problem, type Problem } from './problem.ts';
import { JobPictures, rawFrame } from './raw-picture.ts';
import { recall, remember } from './remember.ts';
import { SceneDesk } from './scene-desk.svelte.ts';
import type { Connection } from './connection.svelte.ts';
import type { Policy } from '../protocol/control.ts';
import type { CreatorRole } from '../roles/creator.ts';
import type { CreatorJob } from '../roles/types.ts';

const BOUNCES = 8;
/** Longer side of the picture kept for the front door. */
const FRONT_SIDE_PX = 1280;

export class CreatorDesk {
  readonly desk: SceneDesk;
  readonly preview: Preview;
  sizeName = $state<SizeName>('screen');
  customWidth = $state(640);
  customHeight = $state(360);
  qualityName = $state<QualityName>('draft');
  customSamples = $state(32);
  /** Stops; changes how the picture is shown and saved, never what is traced. */
  exposure = $state(0);
  operator = $state<ToneOperator>('neutral');
  readonly tone: ToneOptions = $derived({ exposure: this.exposure, operator: this.operator });
  denoise = $state<DenoiseName>('off');
  /** What stands behind the scene becomes alpha. */
  transparent = $state(false);
  busy = $state('');
  /** An earlier visit of this browser left a picture open. */
  unfinished = $state(false);
  trouble = $state.raw<Problem | null>(null);
  job = $state.raw<CreatorJob | null>(null);
  version = $state(0);
  sentAtMs = $state(0);
  nowMs = $state(0);
  readonly width = $derived(this.sizeName === 'custom' ? this.customWidth : SIZES[this.sizeName].width);
  readonly height = $derived(this.sizeName === 'custom' ? this.customHeight : SIZES[this.sizeName].height);
  readonly samples = $derived(this.qualityName === 'custom' ? this.customSamples : QUALITIES[this.qualityName].samples);
  readonly sending = $derived(this.busy !== '' || this.job?.view.state === 'open');
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
    this.desk = new SceneDesk(() => connection.engine());
    this.preview = new Preview(() => connection.engine());
    this.previewDenoising = new Denoising(
      () => connection.engine(),
      () => ({ meanwhile: 'fast', atLast: 'fast' }),
    );
    this.denoising = new Denoising(
      () => connection.engine(),
      () => ({ meanwhile: 'fast', atLast: this.denoise === 'fast' ? 'fast' : 'final' }),
    );
    const kept = recall('browser', 'denoise');
    if (isDenoiseName(kept)) this.chooseDenoise(kept);
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

  estimate(policy: Policy): Estimate {
    return estimate({ width: this.width, height: this.height, samples: this.samples, bounces: BOUNCES }, policy, this.preview);
  }

  /** Traces the present view here, small; does nothing while a picture is being made by the network. */
  tracePreview(): void {
    const { files, summary, camera } = this.desk;
    if (!files || !summary || !camera || this.job) return this.preview.stop();
    const { width, height, transparent } = this;
    void this.preview.trace({ sceneRoot: summary.root, files, camera, transparent, width, height, bounces: BOUNCES });
  }

  /** Takes up a picture that was open when this tab was reloaded; notes one that another visit left open. */
  async resume(): Promise<void> {
    if (this.job || this.busy) return;
    if (recall('tab', 'job') === null) {
      this.unfinished = recall('browser', 'job') !== null;
      return;
    }
    await this.takeUp();
  }

  /** Finds the network and goes on with the newest open picture of this browser. */
  async takeUp(): Promise<void> {
    this.unfinished = false;
    this.busy = 'Taking up the picture again';
    try {
      const role = await this.#open();
      const jobs = await role.resume(new AbortController().signal);
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

  /** @param policy the price the estimate was shown at. */
  async send(policy: Policy): Promise<void> {
    const { files, summary, camera, title } = this.desk;
    if (!files || !summary || !camera || this.sending) return;
    this.trouble = null;
    this.busy = 'Finding the network';
    this.#submitting = new AbortController();
    const { signal } = this.#submitting;
    this.preview.stop();
    try {
      const role = await this.#open();
      if (signal.aborted) return this.#unsent('The order was not sent.');
      this.busy = 'Sending the order';
      const { capMicro } = this.estimate(policy);
      const { width, height, samples, transparent } = this;
      const outcome = await role.submit(signal, {
        title,
        files,
        summary,
        camera,
        transparent,
        width,
        height,
        samples,
        bounces: BOUNCES,
        seed: 0,
        capMicro,
      });
      if (outcome.ok) this.#begin(outcome.job);
      else this.#unsent(outcome.text);
    } catch (cause) {
      this.#unsent('The order could not be sent.', cause);
    }
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
    const { job } = this;
    if (!job) return null;
    const shown = this.denoising.shown(job.job);
    try {
      const layers = holdsLayers(format) ? ((await this.#role?.layers(job.job)) ?? null) : null;
      const picture = pictureOf(job, layers, holdsLayers(format) ? this.denoising.latest : shown);
      return await developAside(new AbortController().signal, picture, choicesOf(job, format, shown, this.tone, location.origin));
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
    this.#keepForFront(job).catch(() => undefined);
  }

  async #keepForFront(job: CreatorJob): Promise<void> {
    const { image, width, height } = thinned(job.image, job.order.width, job.order.height, FRONT_SIDE_PX);
    const small = { width, height, light: image, denoised: null, coverage: null, auxiliary: null, samples: job.order.samples };
    const file = await developAside(new AbortController().signal, small, choicesOf(job, 'png8', null, this.tone, location.origin));
    const picture = file && new Blob([file.bytes], { type: file.type });
    if (picture) await keepLastPicture({ title: job.order.title, atMs: Date.now(), file: picture });
  }

  #forget(): void {
    clearInterval(this.#ticker);
    remember('tab', 'job', null);
    remember('browser', 'job', null);
  }
}
