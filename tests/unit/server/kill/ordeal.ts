/**
 * A coordinator and its PostgreSQL under load, killed again and again at random points, and everything
 * that was acknowledged written down by the clients, who live on. Afterwards all of it must be in the
 * log, once, and the log must extend every checkpoint that a witness cosigned.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'vite';
import { controlSocket } from '#cli/control-socket.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { parseCheckpoint } from '#lib/ledger/checkpoint.ts';
import { decodeLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf } from '#lib/ledger/merkle.ts';
import { parseAddCheckpoint } from '#lib/ledger/witnessing.ts';
import { RootBuilder, verifyLog, type LogVerdict } from '#lib/ledger/verify.ts';
import { randomBytes, sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { envelopeHash, type Purpose } from '#lib/protocol/envelope.ts';
import { ControlClient } from '#lib/roles/control-client.ts';
import { systemClock } from '#lib/roles/clock.ts';
import { MemoryWitnessStore, Witness } from '#lib/roles/witness.ts';
import { nodeIdentity, replayVerify } from '#lib/server/keys.ts';
import { packClasses } from '#lib/trust/weights.ts';
import { workBits } from '#lib/server/submit.ts';
import { testOrder, TEST_POLICY } from '../harness.ts';

export interface OrdealReport {
  readonly kills: { readonly coordinator: number; readonly postgres: number };
  /** Requests that were acknowledged, and those of them that the log lacks. */
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly cosigned: number;
  /** Cosigned sizes whose root is not the log's. */
  readonly contradicted: readonly number[];
  readonly verdict: LogVerdict;
}

const ENTRY = 'tests/.out/kill/coordinator.js';

/** @param say told of every kill. */
export async function ordeal(
  dataDir: string,
  kills: number,
  random: () => number,
  say: (text: string) => void = () => {},
): Promise<OrdealReport> {
  await bundle();
  const site = new Site(dataDir, await freePort());
  await site.start();
  say('the coordinator serves');
  const clients = new Load(site.origin);
  const done = { coordinator: 0, postgres: 0 };
  for (let i = 0; i < kills; i++) {
    await clients.progress();
    await new Promise((resolve) => setTimeout(resolve, random() * 400));
    const which = random() < 0.6 ? 'coordinator' : 'postgres';
    await (which === 'coordinator' ? site.killCoordinator() : site.killPostgres());
    done[which]++;
    say(`${i + 1}: ${which} killed`);
  }
  await clients.progress();
  await clients.progress();
  const report = { kills: done, ...(await clients.report()) };
  await clients.close();
  await site.stop();
  return report;
}

/** Plain JavaScript starts in a fraction of the time. */
async function bundle(): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      ssr: true,
      target: 'node20',
      outDir: 'tests/.out/kill',
      minify: false,
      rollupOptions: {
        input: { coordinator: 'tests/unit/server/kill/coordinator.ts' },
        output: { format: 'es', entryFileNames: '[name].js' },
      },
    },
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return address && typeof address === 'object' ? address.port : 0;
}

class Site {
  readonly origin: string;
  readonly #dataDir: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  constructor(dataDir: string, port: number) {
    this.#dataDir = dataDir;
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const child = fork(ENTRY, [this.#dataDir, String(this.#port)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child = child;
    const [first] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
    if (first !== 'ready') throw new Error('the coordinator did not start');
  }

  async killCoordinator(): Promise<void> {
    const child = this.#child!;
    child.kill('SIGKILL');
    await once(child, 'exit');
    await this.start();
  }

  /** The coordinator's watch starts it again. */
  async killPostgres(): Promise<void> {
    const pid = Number(readFileSync(join(this.#dataDir, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  async stop(): Promise<void> {
    this.#child!.send('stop');
    await once(this.#child!, 'exit');
  }
}

/** A creator, two workers and two checkers that do what they are asked, at once and for ever. */
class Load {
  readonly #origin: string;
  readonly #acknowledged = new Set<string>();
  readonly #cosigned = new Map<number, string>();
  readonly #clients: ControlClient[] = [];
  readonly #nonces = new Map<string, Bytes>();
  readonly #answered = new Set<string>();
  /** Leases; one is told again after every reconnect. */
  readonly #settled = new Set<string>();
  #seed = 0;

  constructor(origin: string) {
    this.#origin = origin;
    void this.#creator();
    for (let i = 0; i < 2; i++) this.#worker();
    for (let i = 0; i < 2; i++) this.#checker();
  }

  #client(roles: ConstructorParameters<typeof ControlClient>[0]['roles']): { client: ControlClient; key: string; witness: Witness } {
    const identity = nodeIdentity(randomBytes(32));
    const peer = `${identity.key}-${toHex(randomBytes(4))}`;
    const client = new ControlClient({
      connect: controlSocket(this.#origin),
      identity,
      peer,
      clock: systemClock,
      ...(roles ? { roles } : {}),
    });
    this.#clients.push(client);
    return { client, key: identity.key, witness: new Witness({ identity, store: new MemoryWitnessStore(), clock: systemClock }) };
  }

  /** Sent until it is acknowledged; only then it is written down. */
  async #submit(client: ControlClient, purpose: Purpose, body: unknown): Promise<boolean> {
    const envelope = await client.seal(purpose, body);
    const outcome = await client.submitSealed(envelope);
    if (outcome.status === 'ok' && purpose !== 'film.receipt') this.#acknowledged.add(envelopeHash(envelope));
    return outcome.status === 'ok';
  }

  async #creator(): Promise<void> {
    const { client, key } = this.#client(['creator']);
    client.on((event) => {
      if (event.type === 'committed' && !this.#answered.has(event.root)) {
        this.#answered.add(event.root);
        void this.#submit(client, 'film.receipt', { lease: event.lease.lease, root: event.root, verdict: 'received' });
      }
      // Told again after every reconnect: only the last job's end asks for another.
      if (event.type === 'job' && event.view.state === 'done' && event.view.job === this.#jobs.at(-1)) void this.#order(client);
      if (event.type === 'welcome') for (const job of this.#jobs.slice(-2)) void client.request({ type: 'watch', job });
    });
    let work = 0;
    while (workBits(key, work.toString(16).padStart(16, '0')) < TEST_POLICY.grantWorkBits!) work++;
    await this.#submit(client, 'grant', { work: work.toString(16).padStart(16, '0') });
    await this.#order(client);
  }

  readonly #jobs: string[] = [];
  #ordering = false;

  async #order(client: ControlClient): Promise<void> {
    if (this.#ordering) return;
    this.#ordering = true;
    const order = testOrder({ width: 256, height: 256, samples: 8, seed: ++this.#seed, capMicro: '200000' });
    const outcome = await client.submit('job.submit', { order });
    if (outcome.status === 'ok' && outcome.ref !== null) this.#jobs.push(outcome.ref);
    this.#ordering = false;
  }

  #worker(): void {
    const { client } = this.#client(['worker']);
    const ask = (): unknown => client.request({ type: 'ask', leases: 2, bytesMax: 1e9, holds: { bytes: 1e9, bindingBytes: 1e9 } });
    client.on((event) => {
      if (event.type === 'welcome') ask();
      if (event.type === 'settled') this.#settled.add(event.lease);
      if (event.type !== 'grant' || this.#answered.has(event.lease.lease)) return;
      this.#answered.add(event.lease.lease);
      const { lease } = event.lease;
      const made = { lease, root: toHex(sha256(utf8(lease))), segments: 5_000, sceneRoot: event.order.sceneRoot, shader: '0'.repeat(64) };
      const weights = packClasses(new Array<number>(16).fill(0));
      void this.#submit(client, 'lease.commit', { ...made, adapterClass: 'test', traceMs: 1_000, weights }).then(ask);
    });
  }

  #checker(): void {
    const { client, witness } = this.#client(['checker']);
    const ready = (): void => {
      const fresh = Array.from({ length: 16 }, () => randomBytes(32));
      for (const nonce of fresh) this.#nonces.set(toHex(sha256(nonce)), nonce);
      void client.request({ type: 'check-ready', checks: 8, nonceCommitments: fresh.map((nonce) => toHex(sha256(nonce))) });
    };
    let checks = 0;
    client.on((event) => {
      if (event.type === 'welcome') ready();
      if (event.type === 'checkpoint') void this.#witness(client, witness, event.body);
      if (event.type !== 'check' || this.#answered.has(event.nonceCommitment)) return;
      this.#answered.add(event.nonceCommitment);
      if (++checks % 8 === 0) ready();
      const nonce = toHex(this.#nonces.get(event.nonceCommitment) ?? new Uint8Array(32));
      const found = { verdict: 'pass', reason: 'agrees', paths: 256, pathsEqual: 256, pixelsWrong: 0, segments: 600, adapterClass: 'test' };
      void this.#submit(client, 'check.verdict', { lease: event.lease.lease, root: event.root, nonce, ...found });
    });
  }

  async #witness(client: ControlClient, witness: Witness, body: string): Promise<void> {
    const answer = await witness.add({ origin: client.network, key: client.coordinatorKey }, body);
    const head = parseCheckpoint(parseAddCheckpoint(body)!.note)!;
    if (answer.status === 200) this.#cosigned.set(head.size, toHex(head.root));
    await client.request({ type: 'cosigned', ...answer });
  }

  /** Resolves when some leases were settled since: the network works again. */
  async progress(): Promise<void> {
    const wanted = this.#settled.size + 2;
    for (let i = 0; i < 9_000 && this.#settled.size < wanted; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.#settled.size < wanted) throw new Error(`nothing is settled any more, after ${this.#settled.size} leases`);
  }

  async report(): Promise<Omit<OrdealReport, 'kills'>> {
    const acknowledged = [...this.#acknowledged];
    // What is acknowledged from here on may be younger than the checkpoint.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const log = await fetchLog(AbortSignal.timeout(60_000), this.#origin, fetch);
    if (!log.ok) throw new Error(log.reason);
    const verdict = await verifyLog(log.checkpoint, this.#clients[0]!.coordinatorKey, log.leaves, replayVerify);
    const requests = new Set<string>();
    const tree = new RootBuilder();
    const contradicted: number[] = [];
    for (const bytes of log.leaves) {
      const leaf = decodeLeaf(bytes)!;
      if ('request' in leaf && leaf.request !== null) requests.add(leaf.request);
      tree.add(hashLeaf(bytes));
      const root = this.#cosigned.get(tree.size);
      if (root !== undefined && root !== toHex(tree.root())) contradicted.push(tree.size);
    }
    const lost = acknowledged.filter((request) => !requests.has(request));
    return { acknowledged: acknowledged.length, lost, cosigned: this.#cosigned.size, contradicted, verdict };
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}
