/**
 * A log made leaf by leaf, signed by everyone it names: what a coordinator could forge together with
 * creators, workers and checkers. Each method appends what an honest coordinator would; a test then
 * appends or changes what it would not.
 */
import { expect } from 'vitest';
import { signCheckpoint } from '#lib/ledger/checkpoint.ts';
import { encodeLeaf, escrowOf, MINT, TREASURY, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf, rootOf } from '#lib/ledger/merkle.ts';
import { verifyLog, type LogVerdict } from '#lib/ledger/verify.ts';
import { evenParts, jobPaths, leasePaths, splitPrice, workPrice } from '#lib/market/price.ts';
import { fromHex, sha256, toHex, type Bytes } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import { envelopeHash, identityFromSecret, seal, type Envelope, type Identity, type Purpose } from '#lib/protocol/envelope.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { impliedLeaves } from '#lib/ledger/draws.ts';
import type { Shown } from '#lib/trust/retrace.ts';
import { testOrder } from '../server/harness.ts';

export const NETWORK = 'forged';
/** One micro-token per segment. */
const PRICE = '1000000000';
const SHARES = { checkerShare: 80, feeShare: 20 };
const CHAIN_LENGTH = 64;

const party = (byte: number): Promise<Identity> => identityFromSecret(new Uint8Array(32).fill(byte));
export const coordinator = await party(1);
export const creator = await party(2);
export const worker = await party(3);
/** In ascending order of their keys. */
export const checkers = (await Promise.all([4, 5, 6].map(party))).toSorted((a, b) => (a.key < b.key ? -1 : 1));

const postings = (...lines: readonly (readonly [string, bigint])[]): [string, string][] =>
  lines.map(([account, micro]) => [account, String(micro)]);

export class Forge {
  readonly leaves: LogLeaf[] = [];
  readonly order: JobOrder;
  readonly links: string[];
  job = '';
  #nonce = 0;

  constructor(over: Partial<JobOrder> = {}) {
    this.order = testOrder({ capMicro: '100000', ...over });
    let link = sha256(Uint8Array.of(9));
    const links = [toHex(link)];
    for (let i = 0; i < CHAIN_LENGTH; i++) links.unshift(toHex((link = sha256(link))));
    this.links = links;
    this.leaves.push({ type: 'genesis', network: NETWORK, key: coordinator.key, atMs: 1 });
    this.leaves.push({ type: 'beacon', chain: 0, end: links[0]!, length: CHAIN_LENGTH });
  }

  /** Granted, opened, and in escrow. */
  static async opened(terms: Partial<Leaf<'job'>> = {}, over: Partial<JobOrder> = {}): Promise<Forge> {
    const forge = new Forge(over);
    await forge.grant(creator);
    await forge.open(terms);
    forge.leaves.push(forge.escrow());
    return forge;
  }

  async grant(by: Identity, micro = 1_000_000n): Promise<Leaf<'entry'>> {
    const said = await signed(by, 'grant', { work: '0'.repeat(16) });
    return this.add({ ...entry('grant'), ...said, postings: postings([MINT, -micro], [by.key, micro]) });
  }

  async open(terms: Partial<Leaf<'job'>> = {}): Promise<Leaf<'job'>> {
    const said = await signed(creator, 'job.submit', { order: this.order });
    this.job = said.request.slice(0, 32);
    const order = toHex(sha256(encodeCanonical(this.order)));
    const given = { capMicro: this.order.capMicro, pricePerWorkUnitMicro: PRICE, ...SHARES, paths: jobPaths(this.order), leaves: 4 };
    return this.add({ type: 'job', job: this.job, creator: creator.key, order, ...given, ...terms, ...said, atMs: 2 });
  }

  /** Made, not appended. */
  escrow(): Leaf<'entry'> {
    const cap = BigInt(this.order.capMicro);
    const { request } = this.leaves.find((leaf) => leaf.type === 'job' && leaf.job === this.job) as Leaf<'job'>;
    return { ...entry('escrow', this.job), request, postings: postings([creator.key, -cap], [escrowOf(this.job), cap]) };
  }

  /** @returns a nonce whose commitment is logged. */
  commitNonce(by: Identity): Bytes {
    const nonce = sha256(Uint8Array.of(7, this.#nonce++));
    this.leaves.push({ type: 'nonces', checker: by.key, commitments: [toHex(sha256(nonce))] });
    return nonce;
  }

  async commit(slot: number, over: Partial<Leaf<'commitment'>> = {}, by = worker): Promise<Leaf<'commitment'>> {
    const id = toHex(sha256(Uint8Array.of(slot, this.leaves.length)));
    const { lease, root, segments, sceneRoot } = {
      lease: id.slice(0, 32),
      root: id,
      segments: 101,
      sceneRoot: this.order.sceneRoot,
      ...over,
    };
    const body = { lease, root, segments, sceneRoot, shader: '0'.repeat(64), adapterClass: 'test' };
    const weights = over.weights === undefined ? {} : { weights: over.weights };
    const said = await signed(by, 'lease.commit', { ...body, ...weights, traceMs: 1 });
    const plan = { job: this.job, slot, paths: leasePaths(this.order, slot), leaves: 16 };
    return this.add({ type: 'commitment', worker: by.key, ...body, ...plan, ...over, ...said, atMs: 3 });
  }

  draw({ lease }: Leaf<'commitment'>, by: Identity, nonce: Bytes, over: Partial<Leaf<'draw'>> = {}): Leaf<'draw'> {
    const beacon = this.#link();
    const nonceCommitment = toHex(sha256(nonce));
    return this.add({ type: 'draw', lease, checker: by.key, nonceCommitment, chain: 0, beacon, count: 4, ...over, atMs: 4 });
  }

  async retraced({ lease }: Leaf<'commitment'>, by: Identity, nonce: Bytes, root: string): Promise<Leaf<'retraced'>> {
    const body = { lease, nonceCommitment: toHex(sha256(nonce)), root };
    const said = await signed(by, 'check.retrace', body);
    return this.add({ type: 'retraced', checker: by.key, ...body, chain: 0, beacon: this.#link(), ...said, atMs: 4 });
  }

  #link(): string {
    return this.links[1 + this.leaves.filter(({ type }) => type === 'draw' || type === 'retraced').length]!;
  }

  async verdict(
    commitment: Leaf<'commitment'>,
    by: Identity,
    nonce: Bytes,
    drawn: Leaf<'draw'>,
    verdict: 'pass' | 'fail' = 'pass',
    reason = verdict === 'pass' ? 'agrees' : 'light',
    shown?: Shown,
  ) {
    const { lease, root } = commitment;
    const body = { lease, root, nonce: toHex(nonce), verdict, reason, paths: 256, pathsEqual: 256, pixelsWrong: 0 };
    const said = await signed(by, 'check.verdict', { ...body, segments: 1, adapterClass: 'test', ...(shown && { shown }) });
    const indices = impliedLeaves(drawn, body.nonce, commitment);
    const shows = shown && { shows: true as const };
    return this.add({ type: 'verdict', checker: by.key, ...body, adapterClass: 'test', drawn: indices, ...shows, ...said, atMs: 5 });
  }

  async check(commitment: Leaf<'commitment'>, by: Identity, verdict: 'pass' | 'fail' = 'pass'): Promise<void> {
    const nonce = this.commitNonce(by);
    await this.verdict(commitment, by, nonce, this.draw(commitment, by, nonce), verdict);
  }

  async receipt({ lease, root }: Leaf<'commitment'>, by = creator): Promise<Leaf<'receipt'>> {
    const body = { lease, root, verdict: 'received' as const };
    return this.add({ type: 'receipt', ...body, ...(await signed(by, 'film.receipt', body)), atMs: 6 });
  }

  /** Made, not appended. @param passed keys that get their part, the first of them the odd micro-tokens. */
  settlement(commitment: Leaf<'commitment'>, passed: readonly Identity[]): Leaf<'entry'> {
    const { lease, paths, segments } = commitment;
    const [work, share] = [
      workPrice(segments, BigInt(PRICE)),
      (BigInt(this.order.capMicro) * BigInt(paths)) / BigInt(jobPaths(this.order)),
    ];
    const amount = work < share ? work : share;
    const split = splitPrice(amount, SHARES);
    const parts = evenParts(split.checkerMicro, passed.length);
    return {
      ...entry('settle', this.job, lease),
      postings: postings(
        [escrowOf(this.job), -amount],
        [commitment.worker, split.workerMicro],
        ...passed.map(({ key }, i) => [key, parts[i]!] as const),
        [TREASURY, split.feeMicro],
      ),
    };
  }

  /** One lease all the way, settled. */
  async lease(slot: number): Promise<Leaf<'commitment'>> {
    const commitment = await this.commit(slot);
    await this.check(commitment, checkers[0]!);
    await this.receipt(commitment);
    this.leaves.push(this.settlement(commitment, [checkers[0]!]));
    return commitment;
  }

  close(state: Leaf<'closed'>['state'] = 'cancelled'): void {
    this.leaves.push({ type: 'closed', job: this.job, state, atMs: 8 });
  }

  /** Made, not appended: all that is left of the escrow. */
  refund(lessMicro = 0n): Leaf<'entry'> {
    let left = -lessMicro;
    for (const leaf of this.leaves)
      if (leaf.type === 'entry') for (const [account, micro] of leaf.postings) if (account === escrowOf(this.job)) left += BigInt(micro);
    return { ...entry('refund', this.job), postings: postings([escrowOf(this.job), -left], [creator.key, left]) };
  }

  add<T extends LogLeaf>(leaf: T): T {
    this.leaves.push(leaf);
    return leaf;
  }

  async judge(origin = NETWORK): Promise<LogVerdict> {
    const bytes = this.leaves.map(encodeLeaf);
    const root = rootOf(bytes.map(hashLeaf));
    const note = await signCheckpoint(coordinator, fromHex(coordinator.key), { origin, size: bytes.length, root });
    return verifyLog(note, coordinator.key, bytes, nodeVerify);
  }
}

export const sound = async (forge: Forge): Promise<void> => expect(await forge.judge()).toMatchObject({ ok: true });

/** The last leaf is the false one, unless another is named. */
export const falls = async (forge: Forge, reason: string, line = forge.leaves.length - 1): Promise<void> =>
  expect(await forge.judge()).toEqual({ ok: false, line, reason });

export async function signed(
  by: Identity,
  purpose: Purpose,
  body: unknown,
  network = NETWORK,
): Promise<{ request: string; signed: Envelope }> {
  const envelope = await seal(by, { network, purpose, body, atMs: 1 });
  return { request: envelopeHash(envelope), signed: envelope };
}

const entry = (kind: Leaf<'entry'>['kind'], job: string | null = null, lease: string | null = null): Leaf<'entry'> => ({
  ...{ type: 'entry', kind, job, lease },
  ...{ request: null, signed: null, postings: [], atMs: 7 },
});
