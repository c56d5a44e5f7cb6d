/**
 * One control connection: challenge, hello, then requests, each answered by exactly one `ack` or
 * `refused`. What does not parse, is too big or too fast is dropped and counted; nothing is believed
 * before the key is proven. If the store fails, the connection is closed rather than answered: the
 * client comes back and sends its unanswered envelopes again.
 */
import { and, desc, eq, inArray } from 'drizzle-orm';
import { fromHex, toHex } from '../protocol/bytes.ts';
import { helloBytes, parseClientMessage, PROTOCOL_VERSION, type ClientMessage, type ServerMessage } from '../protocol/control.ts';
import { CONTROL_MESSAGE_BYTES_MAX, WATCHES_PER_CONNECTION_MAX } from '../protocol/limits.ts';
import { otherVersion, versionSentence } from '../protocol/version.ts';
import type { Core } from './core.ts';
import { orderOf, viewJob } from './jobs.ts';
import { nodeVerify } from './keys.ts';
import { leaseView } from './leases.ts';
import { barred } from './lists.ts';
import { Notices } from './notices.ts';
import { lookAt } from './review.ts';
import { Inbox } from './inbox.ts';
import type { Scheduler } from './scheduler.ts';
import { sendOver, Session, type ControlLink } from './sessions.ts';
import { askDelivery } from './settle.ts';
import { jobs, leases } from './store/schema.ts';
import { submit, type SubmitOutcome } from './submit.ts';
import { yieldLease } from './yielding.ts';

/** How far back a returning peer is told what it may have missed, in leases. */
const MISSED_LEASES_MAX = 1_000;
/** To a worker that asks. */
const BLOCKED = 'Checkers found this key at fault too often: it gets no leases unless an appeal is granted.';

type Hello = Extract<ClientMessage, { type: 'hello' }>;

export class Connection {
  readonly #core: Core;
  readonly #scheduler: Scheduler;
  readonly #link: ControlLink;
  readonly #challenge: string;
  readonly #inbox: Inbox<ClientMessage>;
  #session: Session | null = null;
  #closed = false;

  constructor(core: Core, scheduler: Scheduler, link: ControlLink, track: (work: Promise<void>) => void) {
    this.#core = core;
    this.#scheduler = scheduler;
    this.#link = link;
    this.#challenge = toHex(core.random(32));
    this.#inbox = new Inbox(core.clock, (message, enter) => this.#handle(message, enter));
    link.onMessage((text) => track(this.#receive(text)));
    link.onClose(() => this.#left());
    if (!core.sessions.open(link, core.clock.nowMs())) {
      core.counters.count('connections-full');
      this.#closed = true;
      link.close();
      return;
    }
    this.#send({ type: 'challenge', challenge: this.#challenge, network: core.network, version: PROTOCOL_VERSION });
  }

  #send(message: ServerMessage): void {
    if (!this.#closed) sendOver(this.#link, this.#core.counters, message);
  }

  #left(): void {
    this.#closed = true;
    this.#core.sessions.closed(this.#link);
    if (!this.#session) return;
    this.#core.sessions.remove(this.#session);
    for (const job of this.#session.watching) this.#core.wake.job(job);
    this.#core.wake.match();
  }

  #drop(reason: string): Promise<void> {
    this.#core.counters.count(reason);
    return Promise.resolve();
  }

  #receive(text: string): Promise<void> {
    const { counters } = this.#core;
    const bytes = Buffer.byteLength(text);
    counters.in('control', bytes);
    if (this.#closed || this.#session?.gone) return Promise.resolve();
    if (bytes > CONTROL_MESSAGE_BYTES_MAX) return this.#drop('message-oversize');
    const overfull = this.#inbox.overfull();
    if (overfull) return this.#drop(overfull);
    const message = parseClientMessage(text);
    if (!message) return this.#misunderstood(text);
    if (this.#session) this.#session.lastSeenMs = this.#core.clock.nowMs();
    return this.#inbox.push(message);
  }

  /** A peer of another version is told so, for it can't know; whatever else does not parse is dropped. */
  #misunderstood(text: string): Promise<void> {
    const other = this.#session ? null : otherVersion(text, 'hello');
    if (!other) return this.#drop('message-malformed');
    this.#send({ type: 'refused', id: other.id, reason: 'version', text: versionSentence(PROTOCOL_VERSION, other.version) });
    return this.#drop('hello-version');
  }

  async #handle(message: ClientMessage, enter: () => void): Promise<void> {
    if (this.#closed || this.#session?.gone) return;
    try {
      if (message.type === 'hello') return await this.#hello(message);
      if (!this.#session) return await this.#drop('message-before-hello');
      await this.#request(this.#session, message, enter);
    } catch (error) {
      // Not answered on purpose: an unanswered envelope is sent again, a refused one is not.
      this.#core.counters.count('internal');
      this.#core.logger(`a ${message.type} request failed: ${error instanceof Error ? error.message : String(error)}`);
      this.#link.close();
    }
  }

  async #hello(hello: Hello): Promise<void> {
    const core = this.#core;
    const refused = (reason: string, text: string): void => {
      core.counters.count(reason);
      this.#send({ type: 'refused', id: hello.id, reason, text });
    };
    if (!hello.peer.startsWith(`${hello.key}-`)) return refused('hello-peer', 'The peer id does not begin with the key.');
    if (this.#session && this.#session.peer !== hello.peer)
      return refused('hello-again', 'This connection already speaks for another peer.');
    const bar = barred(core.lists, hello.key, this.#link.address);
    if (bar) return refused(bar.reason, bar.text);
    const proven = await nodeVerify(fromHex(hello.proof), helloBytes(core.network, this.#challenge, hello.peer), fromHex(hello.key));
    if (!proven) return refused('hello-proof', 'The proof does not match the key.');
    const known = this.#session;
    const session = known ?? new Session(this.#link, core.counters, { key: hello.key, peer: hello.peer, nowMs: core.clock.nowMs() });
    session.roles = new Set(hello.roles);
    session.adapter = hello.adapter;
    // Gone while its proof was looked at: a session of it would never be removed.
    if (this.#closed) return;
    this.#session = session;
    core.sessions.proven(this.#link);
    core.sessions.add(session);
    const { policy, iceServers, identity, clock } = core;
    this.#send({ type: 'welcome', id: hello.id, coordinatorKey: identity.key, policy, iceServers: [...iceServers], timeMs: clock.nowMs() });
    core.wake.balance(hello.key);
    core.wake.network();
    core.wake.match();
    if (!known) await this.#resume(session);
  }

  async #request(session: Session, message: Exclude<ClientMessage, Hello>, enter: () => void): Promise<void> {
    const core = this.#core;
    const ack = (): void => this.#send({ type: 'ack', id: message.id });
    switch (message.type) {
      case 'ping':
        return ack();
      case 'progress':
        return ack();
      case 'submit':
        return this.#submit(session, message, enter);
      case 'watch':
        return this.#watch(session, message);
      case 'have':
        session.blobs = new Set(message.blobs);
        return ack();
      case 'ask':
        return this.#ask(session, message);
      case 'yield':
        return yieldLease(core, session, message, (answer) => this.#send(answer));
      case 'cosigned':
        await core.witnesses.answer(session, message);
        return ack();
      case 'check-ready':
        return this.#checkReady(session, message);
      case 'look':
        return this.#look(session, message);
    }
  }

  /** The ask of a key that was found at fault too often stands as well: should an appeal clear it, it is served at once. */
  async #ask(session: Session, message: Extract<ClientMessage, { type: 'ask' }>): Promise<void> {
    session.leasesWanted = message.leases;
    session.asks++;
    session.stands = message.leases > 0;
    session.askMicro = message.priceMicro === undefined ? null : BigInt(message.priceMicro);
    session.bytesMax = message.bytesMax;
    session.holds = message.holds;
    const refused = message.leases > 0 && (await this.#scheduler.barred()).has(session.key);
    if (refused) this.#send({ type: 'refused', id: message.id, reason: 'worker-blocked', text: BLOCKED });
    else this.#send({ type: 'ack', id: message.id });
    this.#core.wake.match();
  }

  #checkReady(session: Session, message: Extract<ClientMessage, { type: 'check-ready' }>): void {
    if (!session.roles.has('checker') && (message.checks > 0 || message.nonceCommitments.length > 0)) {
      return this.#send({ type: 'refused', id: message.id, reason: 'not-a-checker', text: 'This connection is not a checker.' });
    }
    if (message.nonceCommitments.length > 0) session.commitments = new Set(message.nonceCommitments);
    session.checksWanted = message.checks;
    this.#send({ type: 'ack', id: message.id });
    this.#core.wake.match();
  }

  async #look(session: Session, { id, lease }: Extract<ClientMessage, { type: 'look' }>): Promise<void> {
    const looked = await lookAt(this.#core, session, lease, (job) => this.#scheduler.capabilities.of(job, session.key));
    if ('reason' in looked) return this.#send({ type: 'refused', id, reason: looked.reason, text: looked.text });
    this.#send({ type: 'ack', id });
    this.#send(looked);
  }

  async #submit(session: Session, { id, envelope }: Extract<ClientMessage, { type: 'submit' }>, enter: () => void): Promise<void> {
    const answer = (outcome: SubmitOutcome): void => {
      if (!outcome.ok) return this.#send({ type: 'refused', id, reason: outcome.reason, text: outcome.text });
      // Whoever orders a job serves it, until it goes.
      if (envelope.key === session.key && /^[0-9a-f]{32}$/.test(outcome.ref)) session.watching.add(outcome.ref);
      this.#send({ type: 'ack', id, ref: outcome.ref });
    };
    await submit(this.#core, envelope, answer, enter);
  }

  async #watch(session: Session, message: Extract<ClientMessage, { type: 'watch' }>): Promise<void> {
    const core = this.#core;
    const view = await viewJob(core, message.job);
    if (!view) return this.#send({ type: 'refused', id: message.id, reason: 'job-unknown', text: 'There is no such job.' });
    if (session.watching.size >= WATCHES_PER_CONNECTION_MAX) {
      return this.#send({
        type: 'refused',
        id: message.id,
        reason: 'watches',
        text: `One connection follows at most ${WATCHES_PER_CONNECTION_MAX} jobs.`,
      });
    }
    session.watching.add(message.job);
    this.#send({ type: 'ack', id: message.id });
    if (view.creator === session.key) await this.#serve(session, message.job);
    core.wake.job(message.job);
    core.wake.match();
  }

  /** A creator that (again) serves its job: what was decided since, what is still to be delivered, and the workers are told where. */
  async #serve(session: Session, id: string): Promise<void> {
    const core = this.#core;
    const job = await core.store.committed().jobs.get(id);
    if (!job) return;
    const ended = await core.store.db
      .select()
      .from(leases)
      .where(and(eq(leases.job, id), eq(leases.state, 'voided')))
      .orderBy(desc(leases.endedMs))
      .limit(MISSED_LEASES_MAX);
    for (const lease of ended.reverse()) session.send({ type: 'voided', lease: lease.id, reason: lease.reason ?? 'void' });
    const waiting = await core.store.db
      .select()
      .from(leases)
      .where(and(eq(leases.job, id), eq(leases.state, 'committed')));
    const notices = new Notices();
    for (const lease of waiting.filter((row) => !row.received)) {
      session.send({ type: 'committed', lease: leaseView(lease, orderOf(job)), root: lease.root!, workerPeer: lease.workerPeer });
      askDelivery(core, notices, lease, job);
    }
    notices.send(core);
  }

  /** Everything a returning peer may have missed: work it holds, films to deliver, and how its leases ended. */
  async #resume(session: Session): Promise<void> {
    const core = this.#core;
    await this.#scheduler.resend(session);
    const mine = eq(leases.workerPeer, session.peer);
    const ended = await core.store.db
      .select()
      .from(leases)
      .where(and(mine, inArray(leases.state, ['settled', 'voided', 'released'])))
      .orderBy(desc(leases.endedMs))
      .limit(MISSED_LEASES_MAX);
    for (const lease of ended.reverse()) {
      if (lease.state === 'settled') session.send({ type: 'settled', lease: lease.id, paidMicro: '0' });
      else session.send({ type: lease.state === 'voided' ? 'voided' : 'recalled', lease: lease.id, reason: lease.reason ?? 'over' });
    }
    const waiting = await core.store.db
      .select({ lease: leases, job: jobs })
      .from(leases)
      .innerJoin(jobs, eq(jobs.id, leases.job))
      .where(and(mine, eq(leases.state, 'committed'), eq(leases.received, false)));
    const notices = new Notices();
    for (const { lease, job } of waiting) askDelivery(core, notices, lease, job);
    notices.send(core);
  }
}
