/**
 * Clients of a real coordinator, in memory: what a creator, a worker and a checker say over the
 * control socket, spelled out. Time stands still unless a test moves it.
 */
import { createCoordinator, type Coordinator, type CoordinatorOptions } from '#lib/server/coordinator.ts';
import type { Clock } from '#lib/server/clock.ts';
import { ManualClock } from './manual-clock.ts';
import { TEST_POLICY, TEST_RULES, testOrder } from './terms.ts';
import type { ControlLink } from '#lib/server/sessions.ts';
import { randomBytes, sha256, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import { helloBytes, parseServerMessage, PROTOCOL_VERSION, type Role, type ServerMessage } from '#lib/protocol/control.ts';
import { identityFromSecret, seal, type Envelope, type Identity, type Purpose } from '#lib/protocol/envelope.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { workBits } from '#lib/server/submit.ts';
import { packClasses } from '#lib/trust/weights.ts';

export type Message<T extends ServerMessage['type']> = Extract<ServerMessage, { type: T }>;

export { TEST_POLICY, TEST_RULES, testOrder };

const STEP_MS = 500;

export interface World {
  readonly coordinator: Coordinator;
  readonly clock: ManualClock;
  /** Moves time in steps that a client's pings would follow, letting the coordinator act after each. */
  pass(ms: number): Promise<void>;
  /** All clients go, and time enough passes for what they held to be given up. */
  leave(): Promise<void>;
  join(roles: readonly Role[], identity?: Identity, session?: string): Promise<Client>;
}

export async function world(options: Partial<CoordinatorOptions> = {}): Promise<World> {
  const clock = (options.clock as ManualClock | undefined) ?? new ManualClock();
  const terms = { policy: { ...TEST_POLICY, ...options.policy }, rules: { ...TEST_RULES, ...options.rules } };
  const coordinator = await createCoordinator({ network: 'test', ...options, ...terms, clock });
  const clients: Client[] = [];
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      await coordinator.idle();
    }
  };
  return {
    coordinator,
    clock,
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= STEP_MS) {
        for (const client of clients) if (client.alive) client.ping();
        clock.advance(Math.min(left, STEP_MS));
        await settle();
      }
    },
    leave: async () => {
      for (const client of clients.splice(0)) client.disconnect();
      // The first round after a jump is the coordinator's own silence, and decides nothing.
      for (const ms of [30_000, 1_000]) {
        clock.advance(ms);
        await settle();
      }
    },
    join: async (roles, identity, session) => {
      const client = new Client(
        coordinator,
        identity ?? (await identityFromSecret(randomBytes(32))),
        session ?? toHex(randomBytes(4)),
        clock,
        settle,
      );
      clients.push(client);
      await client.hello(roles);
      return client;
    },
  };
}

export class Client {
  readonly identity: Identity;
  readonly peer: string;
  readonly received: ServerMessage[] = [];
  /** Does this client still send pings? */
  alive = true;
  closed = false;
  readonly nonces = new Map<string, Bytes>();
  readonly #clock: Clock;
  readonly #settle: () => Promise<void>;
  #toServer: (text: string) => void = () => {};
  #serverClosed: () => void = () => {};
  #id = 0;

  constructor(coordinator: Coordinator, identity: Identity, session: string, clock: Clock, settle: () => Promise<void>) {
    this.identity = identity;
    this.peer = `${identity.key}-${session}`;
    this.#clock = clock;
    this.#settle = settle;
    const link: ControlLink = {
      send: (text) => {
        const message = parseServerMessage(text);
        if (!message) throw new Error(`the coordinator sent something that is no message: ${text}`);
        this.received.push(message);
      },
      onMessage: (listener) => (this.#toServer = listener),
      onClose: (listener) => (this.#serverClosed = listener),
      close: () => this.disconnect(),
    };
    coordinator.connect(link);
  }

  get key(): string {
    return this.identity.key;
  }

  /** The connection breaks. */
  disconnect(): void {
    if (this.closed) return;
    this.closed = true;
    this.alive = false;
    this.#serverClosed();
  }

  raw(text: string): void {
    this.#toServer(text);
  }

  ping(): void {
    this.raw(JSON.stringify({ type: 'ping', id: ++this.#id }));
  }

  async request(message: Record<string, unknown>): Promise<Message<'ack'> | Message<'refused'> | Message<'welcome'>> {
    const id = ++this.#id;
    this.raw(JSON.stringify({ ...message, id }));
    await this.#settle();
    const answer = this.received.find((m) => (m.type === 'ack' || m.type === 'refused' || m.type === 'welcome') && m.id === id);
    if (!answer) throw new Error(`no answer to ${JSON.stringify(message)}`);
    return answer as Message<'ack'>;
  }

  async hello(roles: readonly Role[]): Promise<Message<'welcome'> | Message<'refused'>> {
    const challenge = this.last('challenge')!;
    const proof = toHex(await this.identity.sign(helloBytes(challenge.network, challenge.challenge, this.peer)));
    return (await this.request({
      type: 'hello',
      version: PROTOCOL_VERSION,
      key: this.key,
      peer: this.peer,
      proof,
      roles,
      adapter: null,
    })) as Message<'welcome'>;
  }

  seal(purpose: Purpose, body: unknown): Promise<Envelope> {
    return seal(this.identity, { network: 'test', purpose, body, atMs: this.#clock.nowMs() });
  }

  async submit(purpose: Purpose, body: unknown): Promise<Message<'ack'> | Message<'refused'>> {
    return this.send(await this.seal(purpose, body));
  }

  async send(envelope: Envelope): Promise<Message<'ack'> | Message<'refused'>> {
    return (await this.request({ type: 'submit', envelope })) as Message<'ack'>;
  }

  all<T extends ServerMessage['type']>(type: T): Message<T>[] {
    return this.received.filter((message): message is Message<T> => message.type === type);
  }

  last<T extends ServerMessage['type']>(type: T): Message<T> | undefined {
    return this.all(type).at(-1);
  }

  // ---- what the roles do -------------------------------------------------------------------

  async grant(): Promise<Message<'ack'> | Message<'refused'>> {
    for (let i = 0; ; i++) {
      const work = i.toString(16).padStart(16, '0');
      if (workBits(this.key, work) >= 4) return this.submit('grant', { work });
    }
  }

  /** @returns the job's id. */
  async order(order: JobOrder): Promise<string> {
    const answer = await this.submit('job.submit', { order });
    if (answer.type !== 'ack') throw new Error(answer.text);
    return answer.ref!;
  }

  /** @param priceMicro the least it takes for a work unit. */
  ask(leases: number, priceMicro?: string): Promise<unknown> {
    const price = priceMicro === undefined ? {} : { priceMicro };
    return this.request({ type: 'ask', leases, bytesMax: 1e9, holds: { bytes: 1e9, bindingBytes: 1e9 }, ...price });
  }

  async checkReady(checks: number, nonces = 16): Promise<void> {
    const fresh = Array.from({ length: nonces }, () => randomBytes(32));
    for (const nonce of fresh) this.nonces.set(toHex(sha256(nonce)), nonce);
    await this.request({ type: 'check-ready', checks, nonceCommitments: fresh.map((nonce) => toHex(sha256(nonce))) });
  }

  commitBody(grant: Message<'grant'>, over: Record<string, unknown> = {}): Record<string, unknown> {
    const root = toHex(sha256(new TextEncoder().encode(grant.lease.lease)));
    return {
      lease: grant.lease.lease,
      root,
      segments: 5_000,
      sceneRoot: grant.order.sceneRoot,
      shader: '0'.repeat(64),
      adapterClass: 'test',
      traceMs: 1_000,
      weights: packClasses(new Array<number>(16).fill(0)),
      ...over,
    };
  }

  commit(grant: Message<'grant'>, over: Record<string, unknown> = {}): Promise<Message<'ack'> | Message<'refused'>> {
    return this.submit('lease.commit', this.commitBody(grant, over));
  }

  receipt(
    committed: Message<'committed'>,
    verdict: 'received' | 'corrupt' | 'missing' = 'received',
  ): Promise<Message<'ack'> | Message<'refused'>> {
    return this.submit('film.receipt', { lease: committed.lease.lease, root: committed.root, verdict });
  }

  verdictBody(check: Message<'check'>, verdict: 'pass' | 'fail' | 'unavailable'): Record<string, unknown> {
    const reason = { pass: 'agrees', fail: 'signatures', unavailable: 'unreachable' }[verdict];
    const nonce = toHex(this.nonces.get(check.nonceCommitment) ?? new Uint8Array(32));
    return {
      lease: check.lease.lease,
      root: check.root,
      nonce,
      verdict,
      reason,
      paths: 256,
      pathsEqual: 256,
      pixelsWrong: 0,
      segments: 600,
      adapterClass: 'test',
    };
  }

  verdict(check: Message<'check'>, verdict: 'pass' | 'fail' | 'unavailable' = 'pass'): Promise<Message<'ack'> | Message<'refused'>> {
    return this.submit('check.verdict', this.verdictBody(check, verdict));
  }
}

/** A funded creator that has ordered a job, a worker and a checker that are ready. */
export async function road(
  w: World,
  order: JobOrder = testOrder(),
): Promise<{ creator: Client; worker: Client; checker: Client; job: string }> {
  const creator = await w.join(['creator']);
  await creator.grant();
  const job = await creator.order(order);
  const worker = await w.join(['worker']);
  const checker = await w.join(['checker']);
  await checker.checkReady(4);
  return { creator, worker, checker, job };
}

/** One lease all the way: asked, granted, committed, received, checked. @returns its id. */
export async function oneLease(creator: Client, worker: Client, checker: Client): Promise<string> {
  await worker.ask(1);
  const grant = worker.last('grant')!;
  await worker.commit(grant);
  await creator.receipt(creator.last('committed')!);
  await checker.verdict(checker.last('check')!);
  return grant.lease.lease;
}
