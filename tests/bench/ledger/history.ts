/**
 * A log as a busy network writes it, made without a coordinator: for each lease a commitment, a draw, a
 * verdict, a receipt and a settlement, three of them signed by their authors. Sound, so that a replay
 * goes through to its end.
 */
import { signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { impliedLeaves } from '#lib/ledger/draws.ts';
import { encodeLeaf, escrowOf, MINT, TREASURY, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf } from '#lib/ledger/merkle.ts';
import { RootBuilder } from '#lib/ledger/verify.ts';
import { leaseCount } from '#lib/job/plan.ts';
import { jobPaths, leasePaths, leasePrice, splitPrice } from '#lib/market/price.ts';
import { fromHex, sha256, toHex, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import { envelopeHash, seal, type Envelope, type Identity, type Purpose } from '#lib/protocol/envelope.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { nodeIdentity } from '#lib/server/keys.ts';

const NETWORK = 'bench';
const LEASES_PER_JOB = 1_000;
const TERMS = { pricePerWorkUnitMicro: '1000000000', checkerShare: 80, feeShare: 20 };
const NONCES_PER_LEAF = 16;

const party = (seed: string): Identity => nodeIdentity(sha256(utf8(seed)));

export interface History {
  readonly key: string;
  readonly note: string;
  readonly leaves: readonly Bytes[];
  readonly signatures: number;
}

export async function makeHistory(leavesWanted: number): Promise<History> {
  const maker = new Maker();
  await maker.run(leavesWanted);
  const tree = new RootBuilder();
  for (const leaf of maker.leaves) tree.add(hashLeaf(leaf));
  const head = { origin: NETWORK, size: maker.leaves.length, root: tree.root() };
  const { coordinator, leaves, signatures } = maker;
  return { key: coordinator.key, note: await signCheckpoint(coordinator, fromHex(coordinator.key), head), leaves, signatures };
}

class Maker {
  readonly leaves: Bytes[] = [];
  readonly coordinator = party('coordinator');
  readonly #creator = party('creator');
  readonly #workers = Array.from({ length: 32 }, (_, i) => party(`worker ${i}`));
  readonly #checkers = Array.from({ length: 16 }, (_, i) => party(`checker ${i}`));
  readonly #nonces = new Map<string, Bytes[]>();
  #links: string[] = [];
  #chain = -1;
  #at = 0;
  signatures = 0;

  add<T extends LogLeaf>(leaf: T): T {
    this.leaves.push(encodeLeaf(leaf));
    return leaf;
  }

  async run(wanted: number): Promise<void> {
    this.add({ type: 'genesis', network: NETWORK, key: this.coordinator.key, atMs: 1 });
    const grant = await this.#signed(this.#creator, 'grant', { work: '0'.repeat(16) });
    const micro = 10n ** 17n;
    this.add({ ...entry('grant'), ...grant, postings: lines([MINT, -micro], [this.#creator.key, micro]) });
    while (this.leaves.length < wanted) await this.#job(wanted);
  }

  async #job(wanted: number): Promise<void> {
    const order = orderOf(this.#at);
    const said = await this.#signed(this.#creator, 'job.submit', { order });
    const job = said.request.slice(0, 32);
    const head = {
      type: 'job',
      job,
      creator: this.#creator.key,
      order: toHex(sha256(encodeCanonical(order))),
      capMicro: order.capMicro,
    } as const;
    const leaf = this.add({ ...head, ...TERMS, paths: jobPaths(order), leaves: 4, ...said, atMs: ++this.#at });
    const cap = BigInt(order.capMicro);
    this.add({ ...entry('escrow', job), request: said.request, postings: lines([this.#creator.key, -cap], [escrowOf(job), cap]) });
    const slots = Math.min(leaseCount(order), LEASES_PER_JOB);
    for (let slot = 0; slot < slots && this.leaves.length < wanted; slot++) await this.#lease(leaf, order, slot);
  }

  async #lease(job: Leaf<'job'>, order: JobOrder, slot: number): Promise<void> {
    const worker = this.#workers[this.#at % this.#workers.length]!;
    const checker = this.#checkers[(this.#at * 7) % this.#checkers.length]!;
    const root = toHex(sha256(utf8(`${job.job} ${slot}`)));
    const lease = root.slice(0, 32);
    const done = {
      lease,
      root,
      segments: 5 * leasePaths(order, slot) + (slot % 97),
      sceneRoot: order.sceneRoot,
      shader: '0'.repeat(64),
      adapterClass: 'bench/one/tint',
    };
    const said = await this.#signed(worker, 'lease.commit', { ...done, traceMs: 1_000 });
    const plan = { job: job.job, slot, worker: worker.key, paths: leasePaths(order, slot), leaves: 16 };
    const commitment = this.add({ type: 'commitment', ...done, ...plan, ...said, atMs: ++this.#at });
    await this.#check(commitment, checker);
    const received = { lease, root, verdict: 'received' as const };
    this.add({ type: 'receipt', ...received, ...(await this.#signed(this.#creator, 'film.receipt', received)), atMs: ++this.#at });
    this.#settle(job, commitment, checker);
  }

  async #check(commitment: Leaf<'commitment'>, checker: Identity): Promise<void> {
    const nonce = this.#nonce(checker);
    const beacon = this.#link();
    const nonceCommitment = toHex(sha256(nonce));
    const { lease, root } = commitment;
    const draw = this.add({
      type: 'draw',
      lease,
      checker: checker.key,
      nonceCommitment,
      chain: this.#chain,
      beacon,
      count: 4,
      atMs: ++this.#at,
    });
    const body = {
      lease,
      root,
      nonce: toHex(nonce),
      verdict: 'pass',
      reason: 'agrees',
      paths: 256,
      pathsEqual: 256,
      pixelsWrong: 0,
    } as const;
    const said = await this.#signed(checker, 'check.verdict', { ...body, segments: 600, adapterClass: 'bench/two/tint' });
    const drawn = impliedLeaves(draw, body.nonce, commitment);
    this.add({ type: 'verdict', checker: checker.key, ...body, adapterClass: 'bench/two/tint', drawn, ...said, atMs: ++this.#at });
  }

  #settle(
    { job, capMicro, paths: jobPaths, pricePerWorkUnitMicro, ...shares }: Leaf<'job'>,
    commitment: Leaf<'commitment'>,
    checker: Identity,
  ): void {
    const { segments, paths, lease, worker } = commitment;
    const price = { segments, paths, jobPaths, capMicro: BigInt(capMicro), pricePerWorkUnitMicro: BigInt(pricePerWorkUnitMicro) };
    const amount = leasePrice(price);
    const split = splitPrice(amount, shares);
    const postings = lines(
      [escrowOf(job), -amount],
      [worker, split.workerMicro],
      [checker.key, split.checkerMicro],
      [TREASURY, split.feeMicro],
    );
    this.add({ ...entry('settle', job, lease), postings });
  }

  #nonce(checker: Identity): Bytes {
    const left = this.#nonces.get(checker.key) ?? [];
    if (left.length === 0) {
      for (let i = 0; i < NONCES_PER_LEAF; i++) left.push(sha256(utf8(`${checker.key} ${this.leaves.length} ${i}`)));
      this.add({ type: 'nonces', checker: checker.key, commitments: left.map((nonce) => toHex(sha256(nonce))) });
      this.#nonces.set(checker.key, left);
    }
    return left.pop()!;
  }

  #link(): string {
    if (this.#links.length === 0) {
      let link = sha256(utf8(`chain ${this.#chain + 1}`));
      for (let i = 0; i < 4_096; i++) this.#links.push(toHex((link = i === 0 ? link : sha256(link))));
      const end = toHex(sha256(fromHex(this.#links.at(-1)!)));
      this.add({ type: 'beacon', chain: ++this.#chain, end, length: this.#links.length });
    }
    return this.#links.pop()!;
  }

  async #signed(by: Identity, purpose: Purpose, body: unknown): Promise<{ request: string; signed: Envelope }> {
    this.signatures++;
    const envelope = await seal(by, { network: NETWORK, purpose, body, atMs: 1 });
    return { request: envelopeHash(envelope), signed: envelope };
  }
}

const lines = (...postings: readonly (readonly [string, bigint])[]): [string, string][] =>
  postings.filter(([, micro]) => micro !== 0n).map(([account, micro]) => [account, String(micro)]);

const entry = (kind: Leaf<'entry'>['kind'], job: string | null = null, lease: string | null = null): Leaf<'entry'> => ({
  ...{ type: 'entry', kind, job, lease },
  ...{ request: null, signed: null, postings: [], atMs: 7 },
});

const orderOf = (seed: number): JobOrder => ({
  title: 'bench',
  scene: { hash: 'a'.repeat(64), bytes: 1_000 },
  environment: null,
  sceneRoot: 'b'.repeat(64),
  sceneNeeds: { bytes: 2_000, bindingBytes: 500 },
  frameTimeS: 0,
  variant: null,
  transparent: false,
  camera: { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
  width: 1024,
  height: 1024,
  tileSide: 32,
  samples: 64,
  passSamples: 64,
  bounces: 8,
  seed,
  capMicro: '100000000000',
});
