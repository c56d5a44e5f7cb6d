/**
 * Leases settled a second, the whole of their lives: granted, committed, received, drawn, judged and
 * paid, each word signed and each on the disk, by clients in the same process without any network.
 */
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { nodeIdentity } from '#lib/server/keys.ts';
import { startEmbedded } from '#lib/server/store/embedded.ts';
import { openUrl } from '#lib/server/store/open.ts';
import { workBits } from '#lib/server/submit.ts';
import { randomBytes, sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { helloBytes, PROTOCOL_VERSION, type ClientMessage, type Role, type ServerMessage } from '#lib/protocol/control.ts';
import { seal, type Identity, type Purpose } from '#lib/protocol/envelope.ts';
import { packClasses } from '#lib/trust/weights.ts';
import { testOrder, TEST_POLICY, TEST_RULES } from '../../unit/server/harness.ts';

const WARM_LEASES = 512;
const LEASES = 4_096;
const WORKERS = 256;
const CHECKERS = 48;
const CREATORS = 16;
const PROOFS = 100;

export interface SettlementRate {
  readonly coordinators: number;
  readonly leases: number;
  readonly perSecond: number;
  /** Of this process, clients' signatures included; PostgreSQL's own are not. */
  readonly perCpuSecond: number;
  readonly proofMs: { readonly median: number; readonly worst: number };
}

export async function settlements(dataDir: string, count: number): Promise<SettlementRate> {
  const server = await startEmbedded(dataDir, () => {});
  const coordinators: Coordinator[] = [];
  for (let i = 0; i < count; i++) {
    const store = await openUrl({ url: server.url, description: 'bench', shared: true, log: () => {} });
    coordinators.push(await createCoordinator({ store, network: 'bench', policy: TEST_POLICY, rules: TEST_RULES }));
  }
  const load = new Load(coordinators);
  await load.begin();
  await load.settled(WARM_LEASES);
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  await load.settled(LEASES);
  const seconds = (performance.now() - at) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const proofMs = await proofs(coordinators[0]!);
  load.end();
  for (const coordinator of coordinators) await coordinator.close();
  await server.stop();
  return { coordinators: count, leases: LEASES, perSecond: LEASES / seconds, perCpuSecond: (LEASES * 1e6) / (user + system), proofMs };
}

async function proofs(coordinator: Coordinator): Promise<SettlementRate['proofMs']> {
  const times: number[] = [];
  const { logSize } = (await (await coordinator.http(new Request('http://c/api/status')))!.json()) as { logSize: number };
  for (let i = 0; i < PROOFS; i++) {
    const at = performance.now();
    const answer = await coordinator.http(new Request(`http://c/log/proof/${(i * 7_919) % (logSize - 50)}`));
    await answer!.text();
    times.push(performance.now() - at);
  }
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1]!, worst: times.at(-1)! };
}

class Load {
  readonly #coordinators: readonly Coordinator[];
  readonly #clients: Client[] = [];
  readonly #nonces = new Map<string, Bytes>();
  #done = 0;
  #seed = 0;
  #wake: () => void = () => {};

  constructor(coordinators: readonly Coordinator[]) {
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

  #at(i: number): Coordinator {
    return this.#coordinators[i % this.#coordinators.length]!;
  }

  /** Resolves when so many more are settled. */
  async settled(more: number): Promise<void> {
    const enough = this.#done + more;
    while (this.#done < enough) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  #client(coordinator: Coordinator, roles: readonly Role[], hear: (client: Client, event: ServerMessage) => void): Client {
    const client = new Client(coordinator, roles, (event) => hear(client, event));
    this.#clients.push(client);
    return client;
  }

  async #creator(coordinator: Coordinator): Promise<void> {
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

  #worker(coordinator: Coordinator): void {
    const ask = (client: Client): void => client.say({ type: 'ask', leases: 2, bytesMax: 1e9, holds: { bytes: 1e9, bindingBytes: 1e9 } });
    this.#client(coordinator, ['worker'], (client, event) => {
      if (event.type === 'welcome') ask(client);
      if (event.type === 'settled') {
        this.#done++;
        this.#wake();
      }
      if (event.type !== 'grant') return;
      const { lease } = event.lease;
      const made = { lease, root: toHex(sha256(utf8(lease))), segments: 5_000, sceneRoot: event.order.sceneRoot, shader: '0'.repeat(64) };
      const weights = packClasses(new Array<number>(16).fill(0));
      void client.submit('lease.commit', { ...made, adapterClass: 'test', traceMs: 1_000, weights }).then(() => ask(client));
    });
  }

  #checker(coordinator: Coordinator): void {
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

type Said = ClientMessage extends infer M ? (M extends { id: number } ? Omit<M, 'id'> : never) : never;

class Client {
  readonly ready: Promise<void>;
  readonly #identity: Identity = nodeIdentity(randomBytes(32));
  readonly #waiting = new Map<number, () => void>();
  readonly #beat: NodeJS.Timeout;
  #toServer: (text: string) => void = () => {};
  #gone: () => void = () => {};
  #id = 0;

  constructor(coordinator: Coordinator, roles: readonly Role[], hear: (event: ServerMessage) => void) {
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
    const link = {
      send: (text: string) => void setImmediate(() => void take(JSON.parse(text) as ServerMessage)),
      onMessage: (listener: (text: string) => void) => (this.#toServer = listener),
      onClose: (listener: () => void) => (this.#gone = listener),
      close: () => {},
    };
    coordinator.connect(link);
    this.#beat = setInterval(() => this.say({ type: 'ping' }), 1_000);
  }

  get key(): string {
    return this.#identity.key;
  }

  say(message: Said): void {
    this.#toServer(JSON.stringify({ ...message, id: ++this.#id }));
  }

  async submit(purpose: Purpose, body: unknown): Promise<void> {
    const envelope = await seal(this.#identity, { network: 'bench', purpose, body, atMs: Date.now() });
    const answered = new Promise<void>((resolve) => this.#waiting.set(this.#id + 1, resolve));
    this.say({ type: 'submit', envelope });
    await answered;
  }

  close(): void {
    clearInterval(this.#beat);
    this.#gone();
  }
}
