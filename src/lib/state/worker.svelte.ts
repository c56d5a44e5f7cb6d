/**
 * The desk of someone who lends a GPU: one switch, one word, and the picture being worked on. It is
 * off until a person starts it; a reload of the same tab takes up again what was on, a new tab
 * does not.
 */
import { AskDesk } from './ask-desk.svelte.ts';
import { Frame, passOf } from './frame.ts';
import { GpuShare } from './gpu-share.svelte.ts';
import { problem, type Problem } from './problem.ts';
import { recall, remember } from './remember.ts';
import { Appeals } from './review-appeal.svelte.ts';
import { WakeLock } from './wake-lock.ts';
import { OFF } from '../roles/worker-words.ts';
import type { Connection } from './connection.svelte.ts';
import type { Engine } from '../gpu/engine.ts';
import type { FilmEvent, WorkerStatus } from '../roles/types.ts';
import type { WorkerRole } from '../roles/worker.ts';

const IDLE: WorkerStatus = { ...OFF, reason: 'The GPU is idle.' };

const WORDS: Readonly<Record<WorkerStatus['state'], string>> = {
  off: 'Off',
  connecting: 'Connecting',
  waiting: 'Waiting for work',
  fetching: 'Fetching scene',
  rendering: 'Rendering',
  delivering: 'Delivering',
  finishing: 'Finishing',
  paused: 'Paused',
  restarting: 'Lost the GPU: restarting',
};

export class WorkerDesk {
  status = $state.raw<WorkerStatus>(IDLE);
  trouble = $state.raw<Problem | null>(null);
  /** The picture last worked on; `version` grows with every film. */
  frame = $state.raw<Frame | null>(null);
  version = $state(0);
  title = $state('');
  resumed = $state(false);
  readonly share = new GpuShare();
  readonly ask = new AskDesk(() => this.#role?.reprice());
  readonly appeals: Appeals;
  readonly on = $derived(this.status.state !== 'off');
  readonly word = $derived(WORDS[this.status.state]);
  readonly #connection: Connection;
  readonly #wake = new WakeLock();
  #role: WorkerRole | null = null;
  #job = '';

  constructor(connection: Connection) {
    this.#connection = connection;
    this.appeals = new Appeals(connection);
  }

  /** Takes up work again after a reload of this tab. */
  resume(): void {
    this.share.recall();
    this.ask.recall();
    if (recall('tab', 'work') !== 'on') return;
    this.resumed = true;
    void this.start();
  }

  async start(): Promise<void> {
    if (this.on) return;
    this.trouble = null;
    this.status = { ...this.status, state: 'connecting', reason: 'Getting the GPU ready and finding the network.' };
    remember('tab', 'work', 'on');
    this.#wake.hold();
    try {
      const { role, engine } = await this.#open();
      // A person may have pressed Stop while the connection was being made.
      if (!this.on) return;
      this.share.lend(engine);
      const device = await role.start();
      if (!device.ok) this.trouble = problem(device.text, 'Nothing was begun.', 'Reload the page; if it stays, restart the browser.');
    } catch (cause) {
      this.#rest();
      this.trouble = problem(
        'This tab could not start working.',
        'Nothing was begun.',
        'Check the connection and press Start again.',
        cause,
      );
    }
  }

  async finish(): Promise<void> {
    remember('tab', 'work', null);
    this.resumed = false;
    if (!this.#role) return this.#rest();
    await this.#role.finish();
  }

  async stop(): Promise<void> {
    remember('tab', 'work', null);
    this.resumed = false;
    this.#wake.release();
    if (!this.#role) return this.#rest();
    await this.#role.stop();
    this.#show(this.#role.status);
  }

  #rest(): void {
    this.#letGo();
    this.status = { ...this.status, state: 'off', reason: IDLE.reason, lease: null, segmentsPerSecond: 0, workUnitsPerSecond: 0 };
  }

  /** Nothing of this machine is lent any more. */
  #letGo(): void {
    remember('tab', 'work', null);
    this.#wake.release();
    this.share.keep();
  }

  async #open(): Promise<{ readonly role: WorkerRole; readonly engine: Engine }> {
    const [context, { WorkerRole: Role }] = await Promise.all([this.#connection.open(), import('../roles/worker.ts')]);
    if (!this.#role) {
      this.#role = new Role({ ...context, ask: this.ask.ask });
      this.#role.onStatus((status) => this.#show(status));
      this.#role.onFilm((event) => this.#develop(event));
    }
    return { role: this.#role, engine: context.engine };
  }

  #show(status: WorkerStatus): void {
    // Stopped with films still on their way, the role says so; otherwise there is one thing to say.
    const idle = status.state === 'off' && status.leasesPending === 0;
    this.status = idle ? { ...status, reason: IDLE.reason } : status;
    if (status.lease) this.#mount(status.lease.order.title, status.lease.lease.job, status.lease.order);
    if (status.state === 'off') this.#letGo();
  }

  #mount(title: string, job: string, size: { readonly width: number; readonly height: number }): Frame {
    if (!this.frame || this.#job !== job) this.frame = new Frame(size.width, size.height);
    this.#job = job;
    this.title = title;
    return this.frame;
  }

  #develop({ lease, order, rect, light }: FilmEvent): void {
    const pass = passOf(order, lease.pass);
    if (pass && this.#mount(order.title, lease.job, order).add(rect, pass, light)) this.version++;
  }
}
