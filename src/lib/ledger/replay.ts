/**
 * Replays the log leaf by leaf and says what is false in it: money made or lost, a lease paid twice,
 * unreceived or before its check, a slot sold twice, a draw that somebody steered. It believes no
 * number it can compute itself, and keeps only what later leaves need. Signatures are not its
 * business: `signatureFault` holds each leaf to what its author signed before it comes here.
 */
import { leaseCount } from '../job/plan.ts';
import { REASONS_OF } from '../protocol/schema.ts';
import { jobPaths } from '../market/price.ts';
import { Rounds } from '../market/rounds.ts';
import { Draws, impliedLeaves } from './draws.ts';
import { Books } from './books.ts';
import { dueFault, endDue, payDue, type Due } from './due.ts';
import { aloneFault, closedFault, missedFault, receiptFault, voidFault, waiverFault } from './ends.ts';
import { appealedFault, appealFault, openedFault, wordFault } from './hearings.ts';
import { CHECKERS, escrowOf, heldOf, MINT, TREASURY, type Leaf, type LogLeaf } from './leaf.ts';
import { planFault } from './plan-fault.ts';
import { priceOf } from './lease-price.ts';
import type { JobState, LeaseState } from './postings.ts';
import { drawOf, Records } from './records.ts';
import { againFault, passFault, retraceFault } from './retraces.ts';
import { quietFault, unwantedFault } from './quiet.ts';
import { beatenBy, take, takenFault, turnFault, winnerOf } from './slots.ts';
import type { ReplaySummary } from './replay-summary.ts';
import { orderIn } from './signed.ts';

export type { ReplaySummary } from './replay-summary.ts';

export class Replay {
  readonly #key: string;
  readonly #jobs = new Map<string, JobState>();
  readonly #leases = new Map<string, LeaseState>();
  readonly #draws = new Draws();
  readonly #rounds = new Rounds();
  readonly #records = new Records();
  readonly #books = new Books(this.#jobs, this.#leases, this.#records);
  /** What the next leaf must be. */
  #due: Due | null = null;
  /** Hashes of signed requests: each is applied once. */
  readonly #requests = new Set<string>();
  #leaves = 0;
  readonly #counts = { draws: 0, verdicts: 0, settled: 0, voided: 0, faults: 0, drills: 0 };

  /** @param key the coordinator's public key, hex. */
  constructor(key: string) {
    this.#key = key;
  }

  /** @returns what is false about the next leaf, as a sentence, or null. */
  step(leaf: LogLeaf): string | null {
    const first = this.#leaves++ === 0;
    if (first !== (leaf.type === 'genesis')) return first ? 'The log does not begin with its founding.' : 'The log is founded twice.';
    const due = this.#due;
    this.#due = null;
    return dueFault(due, leaf) ?? this.#apply(leaf) ?? this.#requestFault(leaf);
  }

  summary(): ReplaySummary {
    return {
      leaves: this.#leaves,
      ...{ jobs: this.#jobs.size, commitments: this.#leases.size },
      entries: this.#books.entries,
      ...this.#counts,
      mintedMicro: String(-this.balance(MINT)),
      accounts: this.#books.accounts,
    };
  }

  balance(account: string): bigint {
    return this.#books.balance(account);
  }

  #apply(leaf: LogLeaf): string | null {
    switch (leaf.type) {
      case 'genesis':
        return leaf.key === this.#key ? null : 'The log was founded by another key.';
      case 'rules':
        return this.#records.enact(leaf);
      case 'round':
        return this.#rounds.step(leaf, leaf.atMs);
      case 'beacon':
        return this.#draws.publish(leaf);
      case 'nonces':
        return this.#draws.commit(leaf);
      case 'job':
        return this.#job(leaf);
      case 'quiet':
        return quietFault(leaf, this.#jobs.get(leaf.job));
      case 'commitment':
        return this.#commitment(leaf);
      case 'draw':
        return this.#draw(leaf);
      case 'retraced':
        return this.#draws.reveal(leaf) ?? retraceFault(leaf, this.#leases.get(leaf.lease));
      case 'verdict':
        return this.#verdict(leaf);
      case 'drill':
        return this.#drill(leaf);
      case 'appeal':
        return appealFault(leaf, this.#leases.get(leaf.lease));
      case 'word':
        return wordFault(leaf, this.#leases.get(leaf.lease), this.#records);
      case 'appealed':
        return this.#appealed(leaf);
      case 'receipt':
        return receiptFault(leaf, this.#leases.get(leaf.lease)) ?? this.#pay(this.#leases.get(leaf.lease)!);
      case 'waiver':
        return waiverFault(this.#leases.get(leaf.lease)) ?? this.#pay(this.#leases.get(leaf.lease)!);
      case 'missed':
        return missedFault(leaf, this.#leases.get(leaf.lease)) ?? this.#records.missed(leaf);
      case 'alone':
        return aloneFault(this.#leases.get(leaf.lease)) ?? this.#pay(this.#leases.get(leaf.lease)!);
      case 'void':
        return this.#void(leaf);
      case 'closed':
        return this.#closed(leaf);
      case 'entry':
        return this.#entry(leaf);
    }
  }

  #requestFault(leaf: LogLeaf): string | null {
    if (!('signed' in leaf) || leaf.signed === null || leaf.request === null) return null;
    if (this.#requests.has(leaf.request)) return 'A signed request is applied twice.';
    this.#requests.add(leaf.request);
    return null;
  }

  #job(leaf: Leaf<'job'>): string | null {
    if (this.#jobs.has(leaf.job)) return 'A job is opened twice.';
    const order = orderIn(leaf);
    if (!order) return 'The leaf of a job holds no order.';
    if (leaf.job !== leaf.request.slice(0, 32)) return 'A job is not named after its request.';
    if (leaf.paths !== jobPaths(order)) return 'A job has not the paths that its order implies.';
    if (leaf.leaves < 1) return 'The checks of a job draw no leaves.';
    if (leaf.checkerShare + leaf.feeShare > 1000) return 'The shares of a job exceed the whole.';
    const fresh = {
      escrowed: false,
      closed: false,
      refunded: false,
      spentMicro: 0n,
      settled: 0,
      taken: new Map<number, readonly LeaseState[]>(),
      verified: new Set<string>(),
      quiet: new Map<number, number>(),
    };
    this.#jobs.set(leaf.job, { leaf, order, slots: leaseCount(order), ...fresh });
    return null;
  }

  #commitment(leaf: Leaf<'commitment'>): string | null {
    const job = this.#jobs.get(leaf.job);
    if (!job) return 'A commitment for a job that was never opened.';
    if (this.#leases.has(leaf.lease)) return 'A lease is committed twice.';
    if (!job.escrowed) return 'A commitment before the escrow of its job was taken.';
    if (job.closed) return 'A commitment after its job was closed.';
    if (leaf.slot >= job.slots) return 'A commitment for a slot that its job does not have.';
    if (job.order.avoid?.includes(leaf.worker)) return 'A commitment of a worker that the creator of the job bars from it.';
    const fault = takenFault(leaf, job) ?? unwantedFault(leaf, job) ?? planFault(leaf, job.order) ?? this.#records.committed(leaf);
    if (fault) return fault;
    const price = priceOf(leaf, job, this.#rounds);
    if (typeof price === 'string') return price;
    const fresh = { second: false, passed: false, finders: null, receipt: 'none', missing: 0, end: null, reason: '' } as const;
    const later = { drill: null, forfeitMicro: 0n, hearing: null, opinions: [], said: [] };
    const lease = { commitment: leaf, job, price, draws: new Map(), traced: new Map(), ...fresh, ...later };
    this.#leases.set(leaf.lease, lease);
    take(lease);
    return this.#pay(lease);
  }

  #draw(leaf: Leaf<'draw'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    if (!lease) return 'A check is drawn before the lease is committed.';
    if (lease.end) return `A check is drawn of a lease that was ${lease.end}.`;
    if (lease.passed) return 'A check is drawn of a lease that has passed already.';
    if (leaf.checker === lease.commitment.worker) return 'A worker is drawn to check its own lease.';
    if (leaf.checker === lease.job.leaf.creator) return 'A creator is drawn to check its own job.';
    if (lease.job.order.avoid?.includes(leaf.checker)) return 'A checker is drawn that the creator of the job bars from it.';
    if ([...lease.draws.values()].some(({ answered }) => !answered)) return 'A check is drawn while another of the lease is not answered.';
    const again = this.#records.rules?.shownPasses ? againFault(leaf, lease) : null;
    const fault = again ?? turnFault(lease) ?? this.#draws.draw(leaf) ?? this.#records.drawn(leaf, lease);
    if (fault) return fault;
    lease.draws.set(leaf.nonceCommitment, { leaf, answered: false, retrace: null });
    this.#counts.draws++;
    return null;
  }

  #verdict(leaf: Leaf<'verdict'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    const drawn = lease && drawOf(lease, leaf.nonce);
    if (!lease || drawn?.leaf.checker !== leaf.checker) return 'A verdict without a draw of its checker and nonce.';
    if (drawn.answered) return 'A draw is answered twice.';
    if (lease.end) return `A verdict on a lease that was ${lease.end}.`;
    if (leaf.root !== lease.commitment.root) return 'A verdict on another root than the committed one.';
    if (lease.opinions.some(({ checker }) => checker === leaf.checker)) return 'A checker judges one lease twice.';
    if (!REASONS_OF[leaf.verdict].some((reason) => reason === leaf.reason)) return 'A verdict for a reason that does not bear it.';
    if (leaf.pathsEqual > leaf.paths) return 'A verdict finds more paths equal than it traced.';
    drawn.answered = true;
    lease.said.push({ verdict: leaf.verdict, reason: leaf.reason });
    const implied = impliedLeaves(drawn.leaf, leaf.nonce, lease.commitment);
    if (implied.join() !== leaf.drawn.join()) return 'The leaves of a verdict are not the ones its draw implies.';
    const shown = passFault(leaf, lease, drawn, this.#records.rules?.shownPasses === 1);
    if (shown) return shown;
    this.#counts.verdicts++;
    if (lease.drill) return this.#judgeDrill(leaf, lease);
    this.#records.judged(leaf, lease, drawn.leaf);
    if (!lease.finders) return this.#pay(lease);
    this.#due = { type: 'void', of: leaf.lease };
    return null;
  }

  #drill(leaf: Leaf<'drill'>): string | null {
    const fault = openedFault(leaf, this.#leases.get(leaf.lease));
    if (fault) return fault;
    this.#counts.drills++;
    this.#due = { type: 'verdict', of: leaf.lease };
    return null;
  }

  #judgeDrill(leaf: Leaf<'verdict'>, lease: LeaseState): string | null {
    if (leaf.verdict === 'unavailable') return 'A drill is opened before a checker has spoken.';
    this.#records.drilled(leaf, lease);
    const funds = this.balance(CHECKERS) + this.balance(TREASURY);
    this.#due = { type: lease.drill!.dueMicro > 0n && funds > 0n ? 'drill' : 'void', of: leaf.lease };
    return null;
  }

  #appealed(leaf: Leaf<'appealed'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    const fault = appealedFault(leaf, lease, this.#records);
    if (fault || leaf.outcome === 'denied') return fault;
    if (lease!.forfeitMicro > 0n && this.balance(TREASURY) > 0n) this.#due = { type: 'restore', of: leaf.lease };
    return null;
  }

  /** A lease that is to be paid now must be paid next, once another of its slot is over. */
  #pay(lease: LeaseState): null {
    const beaten = beatenBy(lease);
    this.#due = beaten ? { type: 'twin', of: beaten.commitment.lease } : payDue(lease);
    return null;
  }

  #void(leaf: Leaf<'void'>): string | null {
    const lease = this.#leases.get(leaf.lease);
    const fault = voidFault(leaf, lease);
    if (fault || !lease) return fault;
    this.#records.voided(lease);
    this.#counts.voided++;
    if (lease.finders) this.#counts.faults++;
    const forfeits = lease.finders !== null && this.balance(heldOf(lease.commitment.worker)) > 0n;
    const winner = winnerOf(lease);
    this.#due = forfeits ? { type: 'forfeit', of: leaf.lease } : ((winner && payDue(winner)) ?? this.#over(lease.job));
    return null;
  }

  #closed(leaf: Leaf<'closed'>): string | null {
    const job = this.#jobs.get(leaf.job);
    const fault = closedFault(leaf, job);
    if (!fault) this.#due = this.#over(job!);
    return fault;
  }

  #over(job: JobState): Due | null {
    return endDue(job, this.balance(escrowOf(job.leaf.job)));
  }

  #entry(leaf: Leaf<'entry'>): string | null {
    const fault = this.#books.enter(leaf);
    if (fault) return fault;
    if (leaf.kind === 'settle') this.#counts.settled++;
    if (leaf.kind === 'drill') this.#due = { type: 'void', of: leaf.lease! };
    if (leaf.kind === 'settle' || leaf.kind === 'forfeit') this.#due = this.#over(this.#jobs.get(leaf.job!)!);
    return null;
  }
}
