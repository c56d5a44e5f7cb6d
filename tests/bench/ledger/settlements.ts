/**
 * Leases settled a second, the whole of their lives: granted, committed, received, drawn, judged and
 * paid, each word signed and each on the disk. Each coordinator has a process of its own, the clients are in this one;
 * what one says to the other goes through a pipe.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeIdentity } from '#lib/server/keys.ts';
import { startEmbedded } from '#lib/server/store/embedded.ts';
import { workBits } from '#lib/server/submit.ts';
import { randomBytes, sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { helloBytes, PROTOCOL_VERSION, type ClientMessage, type Role, type ServerMessage } from '#lib/protocol/control.ts';
import { seal, type Identity, type Purpose } from '#lib/protocol/envelope.ts';
import { packClasses } from '#lib/trust/weights.ts';
import { testOrder, TEST_POLICY } from '../../unit/server/harness.ts';
import type { FromCoordinator, ToCoordinator } from './coordinator.ts';

const WARM_LEASES = 512;
const LEASES = 4_096;
const WORKERS = 256;
const CHECKERS = 48;
const CREATORS = 16;

export interface SettlementRate {
  readonly coordinators: number;
  readonly leases: number;
  readonly perSecond: number;
  /** Processor seconds of all coordinators, and of the clients, per thousand leases; PostgreSQL's own are in neither. */
  readonly coordinatorCpu: number;
  readonly clientCpu: number;
  readonly proofMs: { readonly median: number; readonly worst: number };
}

/** A coordinator in a process of its own. */
class Remote {
  readonly #child: ChildProcess;
  readonly #hear = new Map<number, (text: string) => void>();
  #texts: (readonly [link: number, text: string])[] = [];
  #answer: (message: FromCoordinator) => void = () => {};

  constructor() {
    const entry = fileURLToPath(new URL('./ledger-coordinator.js', import.meta.url));
    this.#child = fork(entry, [], { serialization: 'advanced' });
    this.#child.on('message', (message: FromCoordinator) => {
      if (message.type !== 'texts') return this.#answer(message);
      for (const [link, text] of message.texts) this.#hear.get(link)!(text);
    });
  }

  #tell(message: ToCoordinator): void {
    this.#child.send(message);
  }

  async #ask<T extends FromCoordinator['type']>(message: ToCoordinator): Promise<Extract<FromCoordinator, { type: T }>> {
    const answered = new Promise<FromCoordinator>((resolve) => (this.#answer = resolve));
    this.#tell(message);
    return (await answered) as Extract<FromCoordinator, { type: T }>;
  }

  start = (url: string, shared: boolean): Promise<unknown> => this.#ask<'started'>({ type: 'start', url, shared });
  end = (): Promise<unknown> => this.#ask<'ended'>({ type: 'end' });
  cpuSeconds = async (): Promise<number> => (await this.#ask<'usage'>({ type: 'usage' })).cpuSeconds;
  proofs = async (): Promise<readonly number[]> => (await this.#ask<'proofs'>({ type: 'proofs' })).ms;

  open(link: number, hear: (text: string) => void): void {
    this.#hear.set(link, hear);
    this.#tell({ type: 'open', link });
  }

  /** What is said in one turn travels together. */
  say(link: number, text: string): void {
    if (this.#texts.length === 0) setImmediate(() => this.#tell({ type: 'texts', texts: this.#texts.splice(0) }));
    this.#texts.push([link, text]);
  }

  close(link: number): void {
    this.#tell({ type: 'close', link });
  }
}

const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

export async function settlements(dataDir: string, count: number): Promise<SettlementRate> {
  const server = await startEmbedded(dataDir, () => {});
  const coordinators = Array.from({ length: count }, () => new Remote());
  for (const coordinator of coordinators) await coordinator.start(server.url, count > 1);
  const cpuSeconds = async (): Promise<number> => (await Promise.all(coordinators.map((one) => one.cpuSeconds()))).reduce((a, b) => a + b);
  const load = new Load(coordinators);
  await load.begin();
  await load.settled(WARM_LEASES);
  const [theirs, ours, at, done] = [await cpuSeconds(), ownCpuSeconds(), performance.now(), load.done];
  await load.settled(LEASES);
  const seconds = (performance.now() - at) / 1000;
  const leases = load.done - done;
  const [coordinatorCpu, clientCpu] = [(await cpuSeconds()) - theirs, ownCpuSeconds() - ours].map((cpu) => (cpu * 1000) / leases);
  const times = [...(await coordinators[0]!.proofs())].sort((a, b) => a - b);
  load.end();
  for (const coordinator of coordinators) await coordinator.end();
  await server.stop();
  const proofMs = { median: times[times.length >> 1]!, worst: times.at(-1)! };
  return { coordinators: count, leases, perSecond: leases / seconds, coordinatorCpu: coordinatorCpu!, clientCpu: clientCpu!, proofMs };
}

class Load {
  readonly #coordinators: readonly Remote[];
  readonly #clients: Client[] = [];
  readonly #nonces = new Map<string, Bytes>();
  /** Leases settled so far. */
  done = 0;
  #seed = 0;
  #wake: () => void = () => {};

  constructor(coordinators: readonly Remote[]) {
    this.#coordinators = coordinators;
  }

  async begin(): Promise<void> {
    for (let i = 0; i < CHECKERS; i++) this.#checker(this.#at(i));
    for (let i = 0; i < WORKERS; i++) this.#worker(this.#at(i));
    for (let i = 0; i < CREATORS; i++) await this.#creator(this.#at(i));
  }

  end(): void {
    for (const client of this.#clients) client.close();
  }

  #at(i: number): Remote {
    return this.#coordinators[i % this.#coordinators.length]!;
  }

  /** Resolves when so many more are settled. */
  async settled(more: number): Promise<void> {
    const enough = this.done + more;
    while (this.done < enough) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #client(coordinator: Remote, roles: readonly Role[], hear: (client: Client, event: ServerMessage) => void): Client {
    const client = new Client(coordinator, roles, (event) => hear(client, event));
    this.#clients.push(client);
    return client;
  }

  async #creator(coordinator: Remote): Promise<void> {
    const order = (client: Client): Promise<void> =>
      client.submit('job.submit', { order: testOrder({ width: 512, height: 512, samples: 64, seed: ++this.#seed, capMicro: '900000' }) });
    const creator = this.#client(coordinator, ['creator'], (client, event) => {
      if (event.type === 'committed')
        void client.submit('film.receipt', { lease: event.lease.lease, root: event.root, verdict: 'received' });
      if (event.type === 'job' && event.view.state === 'done') void order(client);
    });
    await creator.ready;
    let work = 0;
    while (workBits(creator.key, work.toString(16).padStart(16, '0')) < TEST_POLICY.grantWorkBits!) work++;
    await creator.submit('grant', { work: work.toString(16).padStart(16, '0') });
    await order(creator);
  }

  #worker(coordinator: Remote): void {
    const ask = (client: Client): void => client.say({ type: 'ask', leases: 2, bytesMax: 1e9, holds: { bytes: 1e9, bindingBytes: 1e9 } });
    this.#client(coordinator, ['worker'], (client, event) => {
      if (event.type === 'welcome') ask(client);
      if (event.type === 'settled') {
        this.done++;
        this.#wake();
      }
      if (event.type !== 'grant') return;
      const { lease } = event.lease;
      const made = { lease, root: toHex(sha256(utf8(lease))), segments: 5_000, sceneRoot: event.order.sceneRoot, shader: '0'.repeat(64) };
      const weights = packClasses(new Array<number>(16).fill(0));
      void client.submit('lease.commit', { ...made, adapterClass: 'test', traceMs: 1_000, weights }).then(() => ask(client));
    });
  }

  #checker(coordinator: Remote): void {
    const ready = (client: Client): void => {
      const fresh = Array.from({ length: 48 }, () => randomBytes(32));
      for (const nonce of fresh) this.#nonces.set(toHex(sha256(nonce)), nonce);
      client.say({ type: 'check-ready', checks: 16, nonceCommitments: fresh.map((nonce) => toHex(sha256(nonce))) });
    };
    let checks = 0;
    this.#client(coordinator, ['checker'], (client, event) => {
      if (event.type === 'welcome') ready(client);
      if (event.type !== 'check') return;
      if (++checks % 16 === 0) ready(client);
      const nonce = toHex(this.#nonces.get(event.nonceCommitment)!);
      const found = { verdict: 'pass', reason: 'agrees', paths: 256, pathsEqual: 256, pixelsWrong: 0, segments: 600, adapterClass: 'test' };
      void client.submit('check.verdict', { lease: event.lease.lease, root: event.root, nonce, ...found });
    });
  }
}

/** Of the connections so far. */
let links = 0;

type Said = ClientMessage extends infer M ? (M extends { id: number } ? Omit<M, 'id'> : never) : never;

class Client {
  readonly ready: Promise<void>;
  readonly #identity: Identity = nodeIdentity(randomBytes(32));
  readonly #waiting = new Map<number, () => void>();
  readonly #beat: NodeJS.Timeout;
  readonly #coordinator: Remote;
  readonly #link = links++;
  #id = 0;

  constructor(coordinator: Remote, roles: readonly Role[], hear: (event: ServerMessage) => void) {
    let welcomed = (): void => {};
    this.ready = new Promise((resolve) => (welcomed = resolve));
    const peer = `${this.key}-${toHex(randomBytes(4))}`;
    const take = async (event: ServerMessage): Promise<void> => {
      if (event.type === 'challenge') {
        const proof = toHex(await this.#identity.sign(helloBytes(event.network, event.challenge, peer)));
        this.say({ type: 'hello', version: PROTOCOL_VERSION, key: this.key, peer, proof, roles: [...roles], adapter: null });
      }
      if (event.type === 'ack' || event.type === 'refused') this.#waiting.get(event.id)?.();
      hear(event);
      if (event.type === 'welcome') welcomed();
    };
    this.#coordinator = coordinator;
    coordinator.open(this.#link, (text) => void take(JSON.parse(text) as ServerMessage));
    this.#beat = setInterval(() => this.say({ type: 'ping' }), 1_000);
  }

  get key(): string {
    return this.#identity.key;
  }

  say(message: Said): void {
    this.#coordinator.say(this.#link, JSON.stringify({ ...message, id: ++this.#id }));
  }

  async submit(purpose: Purpose, body: unknown): Promise<void> {
    const envelope = await seal(this.#identity, { network: 'bench', purpose, body, atMs: Date.now() });
    const answered = new Promise<void>((resolve) => this.#waiting.set(this.#id + 1, resolve));
    this.say({ type: 'submit', envelope });
    await answered;
  }

  close(): void {
    clearInterval(this.#beat);
    this.#coordinator.close(this.#link);
  }
}
