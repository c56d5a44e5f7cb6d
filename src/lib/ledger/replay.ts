/**
 * Replays the log leaf by leaf and says what is false in it: money made or lost, a lease paid twice or
 * before its check, a draw that nobody could recompute. It believes no number it can compute itself,
 * and keeps only what later leaves need.
 */
import { fromHex, sha256, toHex } from '../protocol/bytes.ts';
import { nonceCommitment, drawLeaves, drawSeed } from '../trust/draw.ts';
import { evenParts, leasePrice, splitPrice } from '../market/price.ts';
import { escrowOf, MINT, TREASURY, type LogLeaf } from './leaf.ts';

type Leaf<T extends LogLeaf['type']> = Extract<LogLeaf, { type: T }>;

interface Drawn {
  readonly leaf: Leaf<'draw'>;
  answered: boolean;
}

interface LeaseState {
  readonly commitment: Leaf<'commitment'>;
  readonly draws: Map<string, Drawn>;
  readonly passed: string[];
  end: 'settled' | 'void' | null;
}

interface JobState {
  readonly leaf: Leaf<'job'>;
  closed: boolean;
  refunded: boolean;
}

export interface ReplaySummary {
  readonly leaves: number;
  readonly entries: number;
  readonly jobs: number;
  readonly commitments: number;
  readonly draws: number;
  readonly verdicts: number;
  readonly settled: number;
  readonly voided: number;
  /** Micro-tokens ever granted. */
  readonly mintedMicro: string;
  readonly accounts: number;
}

export class Replay {
  readonly #key: string;
  readonly #balances = new Map<string, bigint>();
  readonly #granted = new Set<string>();
  readonly #jobs = new Map<string, JobState>();
  readonly #leases = new Map<string, LeaseState>();
  /** Chain → the link revealed last, and how many are left. */
  readonly #beacons = new Map<number, { last: string; left: number }>();
  /** Nonce commitment → its checker; gone once drawn. */
  readonly #nonces = new Map<string, string>();
  #leaves = 0;
  readonly #counts = { entries: 0, draws: 0, verdicts: 0, settled: 0, voided: 0 };

  /** @param key the coordinator's public key, hex. */
  constructor(key: string) {
    this.#key = key;
  }

  /** @returns what is false about the next leaf, as a sentence, or null. */
  step(leaf: LogLeaf): string | null {
    const first = this.#leaves++ === 0;
    if (first !== (leaf.type === 'genesis')) return first ? 'The log does not begin with its founding.' : 'The log is founded twice.';
    switch (leaf.type) {
      case 'genesis':
        return leaf.key === this.#key ? null : 'The log was founded by another key.';
      case 'beacon':
        return this.#beacon(leaf);
      case 'nonces':
        for (const commitment of leaf.commitments) this.#nonces.set(commitment, leaf.checker);
        return null;
      case 'job':
        return this.#job(leaf);
      case 'commitment':
        return this.#commitment(leaf);
      case 'draw':
        return this.#draw(leaf);
      case 'verdict':
        return this.#verdict(leaf);
      case 'receipt':
        return this.#leases.has(leaf.lease) ? null : 'A receipt for a lease that was never committed.';
      case 'waiver':
        return this.#leases.has(leaf.lease) ? null : 'A waiver for a lease that was never committed.';
      case 'void':
        return this.#void(leaf);
      case 'closed':
        return this.#closed(leaf);
      case 'entry':
        return this.#entry(leaf);
    }
  }

  summary(): ReplaySummary {
    return {
      leaves: this.#leaves,
      jobs: this.#jobs.size,
      commitments: this.#leases.size,
      ...this.#counts,
      mintedMicro: String(-(this.#balances.get(MINT) ?? 0n)),
      accounts: this.#balances.size,
    };
  }

  balance(account: string): bigint {
    return this.#balances.get(account) ?? 0n;
  }

  #beacon(leaf: Leaf<'beacon'>): string | null {
    if (this.#beacons.has(leaf.chain)) return `Beacon chain ${leaf.chain} is published twice.`;
    this.#beacons.set(leaf.chain, { last: leaf.end, left: leaf.length });
    return null;
  }

  #job(leaf: Leaf<'job'>): string | null {
    if (this.#jobs.has(leaf.job)) return 'A job is opened twice.';
    this.#jobs.set(leaf.job, { leaf, closed: false, refunded: false });
    return null;
  }

  #commitment(leaf: Leaf<'commitment'>): string | null {
    if (!this.#jobs.has(leaf.job)) return 'A commitment for a job that was never opened.';
    if (this.#leases.has(leaf.lease)) return 'A lease is committed twice.';
    this.#leases.set(leaf.lease, { commitment: leaf, draws: new Map(), passed: [], end: null });
    return null;
  }

  #draw(leaf: Leaf<'draw'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    if (!lease) return 'A check is drawn before the lease is committed.';
    if (leaf.checker === lease.commitment.worker) return 'A worker is drawn to check its own lease.';
    if (this.#nonces.get(leaf.nonceCommitment) !== leaf.checker)
      return 'A check is drawn with a nonce that its checker had not committed to, or that was used before.';
    this.#nonces.delete(leaf.nonceCommitment);
    const chain = this.#beacons.get(leaf.chain);
    if (!chain || chain.left === 0) return 'A check is drawn with a beacon that was not published.';
    if (toHex(sha256(fromHex(leaf.beacon))) !== chain.last) return 'The beacon of a draw is not the next link of its chain.';
    chain.last = leaf.beacon;
    chain.left--;
    lease.draws.set(leaf.nonceCommitment, { leaf, answered: false });
    this.#counts.draws++;
    return null;
  }

  #verdict(leaf: Leaf<'verdict'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    const drawn = lease?.draws.get(toHex(nonceCommitment(fromHex(leaf.nonce))));
    if (!lease || drawn?.leaf.checker !== leaf.checker) return 'A verdict without a draw of its checker and nonce.';
    if (drawn.answered) return 'A draw is answered twice.';
    drawn.answered = true;
    const { root, leaves } = lease.commitment;
    const expected = drawLeaves(
      drawSeed({ beacon: drawn.leaf.beacon, nonce: leaf.nonce, lease: leaf.lease, root }),
      leaves,
      drawn.leaf.count,
    );
    if (expected.join() !== leaf.drawn.join()) return 'The leaves of a verdict are not the ones its draw implies.';
    if (leaf.verdict === 'pass') lease.passed.push(leaf.checker);
    this.#counts.verdicts++;
    return null;
  }

  #void(leaf: Leaf<'void'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    if (!lease) return 'A lease is voided that was never committed.';
    if (lease.end) return `A lease is voided after it was ${lease.end === 'void' ? 'voided' : 'settled'}.`;
    lease.end = 'void';
    this.#counts.voided++;
    return null;
  }

  #closed(leaf: Leaf<'closed'>): string | null {
    const job = this.#jobs.get(leaf.job);
    if (!job || job.closed) return 'A job is closed that is not open.';
    job.closed = true;
    return null;
  }

  #entry(leaf: Leaf<'entry'>): string | null {
    let sum = 0n;
    for (const [, micro] of leaf.postings) sum += BigInt(micro);
    if (sum !== 0n) return `The postings of a ${leaf.kind} sum to ${sum}, not to zero.`;
    for (const [account, micro] of leaf.postings) {
      const balance = (this.#balances.get(account) ?? 0n) + BigInt(micro);
      if (balance < 0n && account !== MINT) return `The account ${account} goes below zero.`;
      this.#balances.set(account, balance);
    }
    this.#counts.entries++;
    return this.#kinds[leaf.kind](leaf);
  }

  readonly #kinds: Record<Leaf<'entry'>['kind'], (leaf: Leaf<'entry'>) => string | null> = {
    grant: (leaf) => {
      const account = leaf.postings.find(([name]) => name !== MINT)?.[0];
      if (!account || leaf.postings.length !== 2 || !leaf.postings.some(([name]) => name === MINT))
        return 'A grant that does not come from the mint.';
      if (this.#granted.has(account)) return 'A key is granted its first tokens twice.';
      this.#granted.add(account);
      return null;
    },
    escrow: (leaf) => {
      const job = leaf.job === null ? undefined : this.#jobs.get(leaf.job);
      if (!job) return 'An escrow for a job that was never opened.';
      return expects(leaf, [
        [job.leaf.creator, -BigInt(job.leaf.capMicro)],
        [escrowOf(job.leaf.job), BigInt(job.leaf.capMicro)],
      ])
        ? null
        : 'An escrow is not the cap of its job.';
    },
    settle: (leaf) => this.#settle(leaf),
    refund: (leaf) => {
      const job = leaf.job === null ? undefined : this.#jobs.get(leaf.job);
      if (!job?.closed || job.refunded) return 'A refund for a job that is open or refunded already.';
      job.refunded = true;
      const names = leaf.postings.map(([name]) => name).sort();
      const good = names.join() === [escrowOf(job.leaf.job), job.leaf.creator].sort().join() && this.balance(escrowOf(job.leaf.job)) === 0n;
      return good ? null : 'A refund does not return all of the escrow to the creator.';
    },
  };

  #settle(leaf: Leaf<'entry'>): string | null {
    const lease = leaf.lease === null ? undefined : this.#leases.get(leaf.lease);
    if (!lease) return 'A lease is settled that was never committed.';
    if (lease.end === 'settled') return 'A lease is settled twice.';
    if (lease.end === 'void') return 'A lease is settled after it was voided.';
    if (lease.passed.length === 0) return 'A lease is settled before a checker passed it.';
    const { commitment, passed } = lease;
    const job = this.#jobs.get(commitment.job)!.leaf;
    if (leaf.job !== job.job) return 'A lease is settled from another job.';
    const amount = leasePrice({
      segments: commitment.segments,
      paths: commitment.paths,
      jobPaths: job.paths,
      capMicro: BigInt(job.capMicro),
      pricePerWorkUnitMicro: BigInt(job.pricePerWorkUnitMicro),
    });
    const split = splitPrice(amount, job);
    const parts = evenParts(split.checkerMicro, passed.length);
    const checkers = passed.map((key, i) => [key, parts[i]!] as const);
    const expected = [
      [escrowOf(job.job), -amount],
      [commitment.worker, split.workerMicro],
      ...checkers,
      [TREASURY, split.feeMicro],
    ] as const;
    if (!expects(leaf, expected)) return 'A lease is settled for another amount, or to others, than its work and terms imply.';
    lease.end = 'settled';
    this.#counts.settled++;
    return null;
  }
}

/** Are the postings exactly these, with amounts of one account added up and zeros left out? */
function expects(leaf: Leaf<'entry'>, lines: readonly (readonly [string, bigint])[]): boolean {
  const sums = new Map<string, bigint>();
  for (const [account, micro] of lines) sums.set(account, (sums.get(account) ?? 0n) + micro);
  const left = new Map([...sums].filter(([, micro]) => micro !== 0n));
  for (const [account, micro] of leaf.postings) {
    if (left.get(account) !== BigInt(micro)) return false;
    left.delete(account);
  }
  return left.size === 0;
}
