/**
 * A checker: commits to nonces, is drawn by the coordinator, opens the drawn leaves at the worker,
 * re-traces the same paths and signs what it found. Counts every billed segment of the lease.
 * Refuses to judge what it could not see: an unreachable worker is `unavailable`, never `fail`.
 */
import type { DeviceReport } from '../gpu/engine.ts';
import { randomBytes, toHex } from '../protocol/bytes.ts';
import type { CheckVerdictBody } from '../protocol/bodies.ts';
import { CHECK_NONCES_PER_CHECKER_MAX } from '../protocol/limits.ts';
import { nonceCommitment } from '../trust/draw.ts';
import { CheckRun, NOTHING_SEEN, type Finding, type Retraced } from './check-run.ts';
import { Emitter, Observable } from './observable.ts';
import { sharedOf, type Shared } from './shared.ts';
import type { CheckerStatus, CheckRecord, ControlEvent, RoleContext } from './types.ts';
import { witnessFor, type Witness } from './witness.ts';

type Check = Extract<ControlEvent, { type: 'check' }>;

const RECORDS_MAX = 50;
/** Checks held at a time: one at hand, one waiting. */
const CHECKS_MAX = 2;
const RECOVERY_MS = 2_000;
/** Fresh nonces the coordinator should hold. */
const NONCES_AHEAD = 8;

const OFF: CheckerStatus = { state: 'off', reason: 'Not checking.', passed: 0, failed: 0, unavailable: 0, records: [] };

export class CheckerRole {
  /** Cosigns the log's checkpoints while it checks. */
  readonly witness: Witness;
  readonly #context: RoleContext;
  readonly #shared: Shared;
  readonly #status = new Observable<CheckerStatus>(OFF);
  readonly #records = new Emitter<CheckRecord>();
  /** Commitment → nonce, both hex, until used. */
  readonly #nonces = new Map<string, string>();
  /** Nonce commitment → the answer to its check's promise, until the check is over. */
  readonly #retraced = new Map<string, Retraced>();
  #queue: Check[] = [];
  #current: { readonly lease: string; readonly stop: AbortController } | null = null;
  #over: Promise<void> = Promise.resolve();
  #looping = false;
  #on = false;
  #adapterClass = '';

  constructor(context: RoleContext) {
    this.#context = context;
    this.#shared = sharedOf(context);
    this.witness = witnessFor(context, () => this.#on);
    context.control.on((event) => this.#onEvent(event));
    context.control.onChange(() => this.#tell());
  }

  get status(): CheckerStatus {
    return this.#status.value;
  }

  onStatus(listener: (status: CheckerStatus) => void): () => void {
    return this.#status.on(listener);
  }

  onRecord(listener: (record: CheckRecord) => void): () => void {
    return this.#records.on(listener);
  }

  /** Probes the device and offers to check. @returns the device's report; `ok: false` leaves the role off. */
  async start(): Promise<DeviceReport> {
    this.#on = true;
    this.#set({ state: 'connecting', reason: 'Starting the GPU.' });
    const report = await this.#context.engine.probe();
    if (!report.ok) {
      this.#on = false;
      this.#set({ state: 'off', reason: report.text });
      return report;
    }
    this.#adapterClass = report.adapter.class;
    if (!this.#on) return report;
    this.#shared.play('checker', report.adapter);
    this.#offer();
    this.#tell();
    return report;
  }

  /** Ends at once; checks not finished go to somebody else. */
  async stop(): Promise<void> {
    if (!this.#on) return;
    this.#on = false;
    this.#queue = [];
    this.#current?.stop.abort();
    this.#offer();
    await this.#over;
    this.#shared.rest('checker');
    this.#tell();
  }

  #onEvent(event: ControlEvent): void {
    if (!this.#on) return;
    switch (event.type) {
      case 'welcome':
        // Nonces drawn for checks that never arrived must not use up the supply.
        this.#renew(1);
        return this.#offer();
      case 'check':
        return this.#onCheck(event);
      case 'retraced':
        if (this.#nonces.has(event.nonceCommitment)) this.#retraced.set(event.nonceCommitment, event);
        return;
      case 'check-withdrawn':
        this.#queue = this.#queue.filter((check) => check.lease.lease !== event.lease);
        if (this.#current?.lease === event.lease) this.#current.stop.abort();
        return;
    }
  }

  #onCheck(check: Check): void {
    const { lease } = check.lease;
    if (this.#current?.lease === lease || this.#queue.some((other) => other.lease.lease === lease)) return;
    this.#queue.push(check);
    if (!this.#looping) this.#over = this.#loop();
  }

  /** Presence, and all unused commitments: said again after a reconnect, they change nothing. */
  #offer(): void {
    if (!this.#adapterClass) return;
    if (this.#on) this.#renew(NONCES_AHEAD - this.#nonces.size);
    const checks = this.#on ? CHECKS_MAX : 0;
    void this.#context.control.request({ type: 'check-ready', checks, nonceCommitments: this.#on ? [...this.#nonces.keys()] : [] });
  }

  /** The oldest go beyond the bound: only checks that were lost on the way leave any behind. */
  #renew(fresh: number): void {
    for (let i = 0; i < fresh; i++) {
      const nonce = randomBytes(32);
      this.#nonces.set(toHex(nonceCommitment(nonce)), toHex(nonce));
    }
    for (const oldest of this.#nonces.keys()) {
      if (this.#nonces.size <= CHECK_NONCES_PER_CHECKER_MAX) return;
      this.#nonces.delete(oldest);
      this.#retraced.delete(oldest);
    }
  }

  async #loop(): Promise<void> {
    this.#looping = true;
    for (let check = this.#queue.shift(); check; check = this.#queue.shift()) {
      const nonce = this.#nonces.get(check.nonceCommitment);
      // A commitment of an earlier page: its nonce is gone, and with it the right to this draw.
      if (nonce === undefined) continue;
      const stop = new AbortController();
      this.#current = { lease: check.lease.lease, stop };
      const show = (state: CheckerStatus['state'], reason: string): void => this.#set({ state, reason });
      const run = new CheckRun(this.#context, this.#shared, check, nonce, show, () => this.#retraced.get(check.nonceCommitment));
      const finding = await run.run(stop.signal).catch(() => this.#recover(stop.signal, check));
      this.#current = null;
      if (finding) this.#finish(check, nonce, finding);
      this.#offer();
    }
    this.#looping = false;
    this.#tell();
  }

  /** Something failed that should not: nothing was seen, and after a moment the next check is taken. */
  async #recover(signal: AbortSignal, check: Check): Promise<Finding | null> {
    this.#set({
      state: 'waiting',
      reason: 'Something went wrong with this check: it goes to somebody else, and checking goes on in a moment.',
    });
    this.#shared.scenes.forget(check.order.sceneRoot);
    await this.#context.clock.sleep(signal, RECOVERY_MS);
    return signal.aborted ? null : { ...NOTHING_SEEN, verdict: 'unavailable', reason: 'scene' };
  }

  #finish(check: Check, nonce: string, finding: Finding): void {
    const { verdict, reason, paths, pathsEqual, pixelsWrong, segments, biasPpm, sample, shown } = finding;
    this.#nonces.delete(check.nonceCommitment);
    this.#retraced.delete(check.nonceCommitment);
    const body: CheckVerdictBody = {
      ...{ lease: check.lease.lease, root: check.root, nonce, verdict, reason },
      ...{ paths, pathsEqual, pixelsWrong, segments, biasPpm, adapterClass: this.#adapterClass, ...(shown && { shown }) },
    };
    void this.#context.control.submit('check.verdict', body);
    const record: CheckRecord = {
      ...{ lease: check.lease.lease, job: check.lease.job, title: check.order.title, verdict, reason },
      ...{ paths, pathsEqual, pixelsWrong, atMs: this.#context.clock.nowMs(), sample },
    };
    const { passed, failed, unavailable, records } = this.status;
    this.#set({
      passed: passed + Number(verdict === 'pass'),
      failed: failed + Number(verdict === 'fail'),
      unavailable: unavailable + Number(verdict === 'unavailable'),
      records: [record, ...records].slice(0, RECORDS_MAX),
    });
    this.#records.emit(record);
  }

  #tell(): void {
    if (this.#current || this.#looping) return;
    if (!this.#on) return this.#set({ state: 'off', reason: OFF.reason });
    if (!this.#context.control.connected) return this.#set({ state: 'connecting', reason: 'Looking for the coordinator.' });
    this.#set({ state: 'waiting', reason: 'Ready: waiting to be drawn.' });
  }

  #set(change: Partial<CheckerStatus>): void {
    this.#status.set({ ...this.status, ...change });
  }
}
