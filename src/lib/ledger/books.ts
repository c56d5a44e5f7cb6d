/**
 * The money of a replayed log: balances as the sums of their postings, and for each kind of entry what
 * must have come before it and which postings it must have. Refuses what is not exactly that.
 */
import { withheld } from '../trust/standing.ts';
import type { Funds } from './fees.ts';
import { CHECKERS, heldOf, MINT, TREASURY, type Leaf } from './leaf.ts';
import {
  drillFault,
  escrowFault,
  isOwn,
  forfeitFault,
  grantFault,
  refundFault,
  releasedWorker,
  restoreFault,
  settlementFault,
  splitOf,
  type JobState,
  type LeaseState,
} from './postings.ts';
import type { Records } from './records.ts';

export class Books {
  entries = 0;
  readonly #balances = new Map<string, bigint>();
  readonly #granted = new Set<string>();
  readonly #jobs: ReadonlyMap<string, JobState>;
  readonly #leases: ReadonlyMap<string, LeaseState>;
  readonly #records: Records;

  constructor(jobs: ReadonlyMap<string, JobState>, leases: ReadonlyMap<string, LeaseState>, records: Records) {
    this.#jobs = jobs;
    this.#leases = leases;
    this.#records = records;
  }

  get accounts(): number {
    return this.#balances.size;
  }

  balance(account: string): bigint {
    return this.#balances.get(account) ?? 0n;
  }

  /** @returns what is false about an entry, as a sentence, or null. */
  enter(leaf: Leaf<'entry'>): string | null {
    let sum = 0n;
    for (const [, micro] of leaf.postings) sum += BigInt(micro);
    if (sum !== 0n) return `The postings of a ${leaf.kind} sum to ${sum}, not to zero.`;
    const fault = this.#kinds[leaf.kind](leaf);
    if (fault) return fault;
    for (const [account, micro] of leaf.postings) {
      const balance = this.balance(account) + BigInt(micro);
      if (balance < 0n && account !== MINT) return `The account ${account} goes below zero.`;
      this.#balances.set(account, balance);
    }
    this.entries++;
    return null;
  }

  readonly #kinds: Record<Leaf<'entry'>['kind'], (leaf: Leaf<'entry'>) => string | null> = {
    grant: (leaf) => {
      const fault = grantFault(leaf);
      if (fault) return fault;
      const { key } = leaf.signed!;
      if (this.#granted.has(key)) return 'A key is granted its first tokens twice.';
      this.#granted.add(key);
      return null;
    },
    escrow: (leaf) => {
      const job = this.#jobOf(leaf);
      if (!job) return 'An escrow for a job that was never opened.';
      if (job.escrowed) return 'The escrow of a job is taken twice.';
      job.escrowed = true;
      return escrowFault(leaf, job);
    },
    settle: (leaf) => this.#settle(leaf),
    refund: (leaf) => {
      const job = this.#jobOf(leaf);
      if (!job?.closed || job.refunded) return 'A refund for a job that is open or refunded already.';
      if (job.taken.size > job.settled) return 'A refund while a lease of the job is undecided.';
      job.refunded = true;
      return refundFault(leaf, job);
    },
    forfeit: (leaf) => {
      const lease = leaf.lease === null ? undefined : this.#leases.get(leaf.lease);
      const { rules } = this.#records;
      if (lease?.end !== 'voided' || !rules) return 'A forfeit without a fault.';
      lease.forfeitMicro = this.balance(heldOf(lease.commitment.worker));
      return forfeitFault(leaf, lease, lease.forfeitMicro, rules);
    },
    drill: (leaf) => {
      const lease = this.#leaseOf(leaf);
      if (!lease) return 'A drill is paid that was none.';
      return drillFault(leaf, lease, this.#funds());
    },
    restore: (leaf) => {
      const lease = this.#leaseOf(leaf);
      return lease ? restoreFault(leaf, lease, this.balance(TREASURY)) : 'Earnings are restored without an appeal that was granted.';
    },
    release: (leaf) => {
      const worker = releasedWorker(leaf, (key) => this.balance(heldOf(key)));
      if (worker === null) return 'A release that does not pay one worker all that was held of it.';
      if (!this.#records.mayRelease(worker, leaf.atMs)) return 'A release before its time.';
      this.#records.released(worker);
      return null;
    },
  };

  #settle(leaf: Leaf<'entry'>): string | null {
    const lease = leaf.lease === null ? undefined : this.#leases.get(leaf.lease);
    if (!lease) return 'A lease is settled that was never committed.';
    if (lease.end === 'settled') return 'A lease is settled twice.';
    if (lease.end === 'voided') return 'A lease is settled after it was voided.';
    const own = isOwn(lease);
    if (!own && !lease.opinions.some(({ verdict }) => verdict === 'pass')) return 'A lease is settled before a checker passed it.';
    if (!own && !lease.passed) return 'A lease is settled though its checkers disagree.';
    if (lease.receipt === 'none') return 'A lease is settled without a receipt or a waiver.';
    const { worker } = lease.commitment;
    const split = splitOf(lease);
    const { workerMicro } = split;
    const { rules } = this.#records;
    const kept = rules ? withheld(this.#records.standing(worker), this.balance(heldOf(worker)), workerMicro, rules) : 0n;
    const fault = settlementFault(
      leaf,
      lease,
      split,
      kept,
      (checker) => this.#records.factor(checker),
      rules?.auditPay ?? 0,
      this.#funds(),
    );
    if (fault) return fault;
    this.#records.settled(worker, own ? null : workerMicro, leaf.atMs);
    lease.end = 'settled';
    lease.job.settled++;
    lease.job.verified.delete(leaf.lease!);
    lease.job.spentMicro += split.amountMicro;
    return null;
  }

  #funds(): Funds {
    return { checkersMicro: this.balance(CHECKERS), treasuryMicro: this.balance(TREASURY) };
  }

  #leaseOf(leaf: Leaf<'entry'>): LeaseState | undefined {
    return leaf.lease === null ? undefined : this.#leases.get(leaf.lease);
  }

  #jobOf(leaf: Leaf<'entry'>): JobState | undefined {
    return leaf.job === null ? undefined : this.#jobs.get(leaf.job);
  }
}
