/**
 * Replays what trust follows from: the rules in force, workers' standings, checkers' grades, who
 * checked whom. The same pure transitions as the coordinator's, so that a draw of too few leaves, a
 * fault let off or a fee for a lie is a false line. Before the log's first rules it asks for nothing.
 */
import { fromHex, toHex } from '../protocol/bytes.ts';
import { Pairs } from '../trust/affinity.ts';
import { OBSERVATIONS_MAX, type Observation } from '../trust/aggregate.ts';
import { drawSeed, nonceCommitment, secondAuditFalls } from '../trust/draw.ts';
import { decide, escalatedPpm, lessonsOf, type Outcome } from '../trust/escalation.ts';
import { drillLesson } from '../trust/drill.ts';
import { answered, graded, mayBeDrawn, mayReview, missed, payFactor, UNGRADED, type Grades } from '../trust/grading.ts';
import type { TrustRules } from '../trust/rules.ts';
import {
  blocked,
  challengeOf,
  cleared,
  doubted,
  faulted,
  NEWCOMER,
  observed,
  released,
  settled,
  type Standing,
} from '../trust/standing.ts';
import type { Leaf } from './leaf.ts';
import { amountOf, splitOf, type DrawState, type LeaseState } from './postings.ts';

export class Records {
  rules: TrustRules | null = null;
  readonly #standings = new Map<string, Standing>();
  readonly #grades = new Map<string, Grades>();
  /** Of each worker, since its last doubt or fault. */
  readonly #seen = new Map<string, Observation[]>();
  readonly #pairs = new Pairs();
  /** When a worker was last paid; how many of its leases are undecided. */
  readonly #lastMs = new Map<string, number>();
  readonly #open = new Map<string, number>();

  standing(worker: string): Standing {
    return this.#standings.get(worker) ?? NEWCOMER;
  }

  enact({ type: _type, atMs: _atMs, ...rules }: Leaf<'rules'>): null {
    this.rules = rules;
    return null;
  }

  committed({ worker, weights }: Leaf<'commitment'>): string | null {
    if (this.rules && blocked(this.standing(worker), this.rules)) return 'A commitment of a worker that is blocked.';
    if (this.rules && weights === undefined) return 'A commitment does not say what its leaves can tell.';
    this.#open.set(worker, (this.#open.get(worker) ?? 0) + 1);
    return null;
  }

  drawn(leaf: Leaf<'draw'>, { commitment, job, opinions }: LeaseState): string | null {
    const wrong = 'A check draws more or fewer leaves than the checks of its job do.';
    if (!this.rules) return leaf.count === job.leaf.leaves && leaf.auditPpm === undefined ? null : wrong;
    const { worker } = commitment;
    const { count, auditPpm } = challengeOf(this.standing(worker), job.leaf.leaves, this.rules);
    if (leaf.count !== count || leaf.auditPpm !== escalatedPpm(auditPpm, opinions))
      return 'A check draws more or fewer leaves than its worker’s record asks for.';
    if (!mayBeDrawn(this.#gradesOf(leaf.checker))) return 'A checker is drawn that was wrong too often.';
    if (this.#pairs.mutual(leaf.checker, worker, leaf.atMs, this.rules.pairMs))
      return 'A checker is drawn whose own leases its worker checks.';
    this.#pairs.note(leaf.checker, worker, leaf.atMs);
    return null;
  }

  missed({ checker }: Leaf<'missed'>): null {
    this.#grades.set(checker, missed(this.#gradesOf(checker)));
    return null;
  }

  /** A verdict whose draw is in order; the lease learns what follows from it. */
  judged(leaf: Leaf<'verdict'>, lease: LeaseState, draw: Leaf<'draw'>): void {
    const { checker, verdict, nonce, paths, pathsEqual } = leaf;
    if (this.rules) this.#grades.set(checker, answered(this.#gradesOf(checker)));
    if (verdict === 'unavailable') return;
    const first = lease.opinions.length === 0;
    const whole = leaf.drawn.length === lease.commitment.leaves;
    lease.opinions.push({ checker, adapterClass: leaf.adapterClass ?? '', verdict, whole });
    lease.traced.set(checker, leaf.drawn.length);
    if (!this.rules) {
      const fails = lease.opinions.filter((opinion) => opinion.verdict === 'fail').length;
      lease.passed = lease.opinions.length - fails >= (fails === 0 ? 1 : 2);
      return;
    }
    const { root, worker } = lease.commitment;
    if (first)
      lease.second = secondAuditFalls(drawSeed({ beacon: draw.beacon, nonce, lease: leaf.lease, root }), this.rules.secondAuditPpm);
    if (paths > 0 && this.#observe(worker, { checker, paths, pathsEqual, biasPpm: leaf.biasPpm ?? 0 }, this.rules)) {
      lease.finders = [checker];
      return;
    }
    const outcome = this.#outcome(lease, this.rules);
    for (const lesson of lessonsOf(lease.opinions, outcome))
      this.#grades.set(lesson.checker, graded(this.#gradesOf(lesson.checker), lesson));
    lease.passed = outcome.state === 'pass';
    if (outcome.state !== 'fault') return;
    lease.finders = lease.opinions.filter((opinion) => opinion.verdict === 'fail').map((opinion) => opinion.checker);
    this.#begin(worker, faulted(this.standing(worker)));
  }

  /** The verdict on a drill: it grades its checker and says nothing of the worker. */
  drilled(leaf: Leaf<'verdict'>, lease: LeaseState): void {
    const { checker, drawn, verdict } = leaf;
    if (!lease.drill || verdict === 'unavailable') return;
    let grades = answered(this.#gradesOf(checker));
    const lesson = drillLesson(lease.drill.tells, drawn, verdict);
    if (lesson) grades = graded(grades, lesson);
    this.#grades.set(checker, grades);
    lease.opinions.push({ checker, adapterClass: leaf.adapterClass ?? '', verdict, whole: drawn.length === lease.commitment.leaves });
    const due = lesson?.right === false ? 0n : (splitOf(lease).checkerMicro * BigInt(payFactor(grades, this.rules?.unprovenPay))) / 1000n;
    lease.drill = { ...lease.drill, checker, dueMicro: due };
  }

  /** May this key's word on an appeal be heard? */
  mayReview(key: string): boolean {
    return mayReview(this.#gradesOf(key));
  }

  /** A granted appeal: the fault never was, and who found it was wrong. */
  granted({ commitment: { worker }, opinions, finders }: LeaseState): void {
    if (finders) this.#standings.set(worker, cleared(this.standing(worker)));
    for (const { checker, verdict } of opinions)
      if (verdict === 'fail') this.#grades.set(checker, graded(this.#gradesOf(checker), { truth: 'good', right: false }));
  }

  #outcome(lease: LeaseState, rules: TrustRules): Outcome {
    const jury = amountOf(lease) >= BigInt(rules.highValueMicro) ? 5 : 3;
    return decide({ opinions: lease.opinions, workerClass: lease.commitment.adapterClass, jury, second: lease.second, another: true });
  }

  /** @returns whether the worker is at fault now. */
  #observe(worker: string, observation: Observation, rules: TrustRules): boolean {
    const seen = [...(this.#seen.get(worker) ?? []), observation].slice(-OBSERVATIONS_MAX);
    const { standing, alarm } = observed(this.standing(worker), seen, rules);
    this.#standings.set(worker, standing);
    this.#seen.set(worker, alarm === 'fault' ? [] : seen);
    return alarm === 'fault';
  }

  #begin(worker: string, standing: Standing): void {
    this.#standings.set(worker, standing);
    this.#seen.delete(worker);
  }

  voided({ commitment: { worker }, opinions, finders, drill }: LeaseState): void {
    this.#over(worker);
    if (finders || drill || !this.rules) return;
    // Failed, and passed by nobody: as a doubt, whoever ended it.
    if (opinions.length > 0 && opinions.every(({ verdict }) => verdict === 'fail')) this.#begin(worker, doubted(this.standing(worker)));
  }

  /** @param earnedMicro null for work of its own, which says nothing of it. */
  settled(worker: string, earnedMicro: bigint | null, atMs: number): void {
    this.#over(worker);
    if (earnedMicro === null) return;
    this.#lastMs.set(worker, atMs);
    if (this.rules) this.#standings.set(worker, settled(this.standing(worker), earnedMicro));
  }

  #over(worker: string): void {
    this.#open.set(worker, (this.#open.get(worker) ?? 1) - 1);
  }

  /** May what is held of this worker be paid out? */
  mayRelease(worker: string, atMs: number): boolean {
    const last = this.#lastMs.get(worker);
    if (!this.rules || last === undefined || (this.#open.get(worker) ?? 0) > 0) return false;
    return atMs - last >= this.rules.holdReleaseMs;
  }

  released(worker: string): void {
    this.#standings.set(worker, released(this.standing(worker)));
  }

  #gradesOf(checker: string): Grades {
    return this.#grades.get(checker) ?? UNGRADED;
  }

  /** Part of its fee that a checker gets, per thousand. */
  factor(checker: string): number {
    return this.rules ? payFactor(this.#gradesOf(checker), this.rules.unprovenPay) : 1000;
  }
}

/** The draw that a verdict's nonce belongs to. */
export const drawOf = (lease: LeaseState, nonce: string): DrawState | undefined => lease.draws.get(toHex(nonceCommitment(fromHex(nonce))));
