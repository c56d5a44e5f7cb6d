/**
 * A network that has run for a while, and new checkers, some of whom do not do what they should: leases, drills,
 * draws, verdicts, majorities, grades and fees, by the very modules that coordinator and replay use. No
 * sockets and no store. Work is valued at what its worker is paid for it, so that a fee beyond what a
 * check took to trace is a checker's profit.
 */
import { checkerLines } from '#lib/ledger/fees.ts';
import { CHECKERS, TREASURY } from '#lib/ledger/leaf.ts';
import { sha256, utf8 } from '#lib/protocol/bytes.ts';
import { challengedLeaves, secondAuditFalls } from '#lib/trust/draw.ts';
import { drillLesson, drillOf, drillPpm } from '#lib/trust/drill.ts';
import { decide, escalatedPpm, lessonsOf, type Opinion } from '#lib/trust/escalation.ts';
import { answered, graded, mayBeDrawn, missed, payFactor, UNGRADED, type Grades } from '#lib/trust/grading.ts';
import { inLotOrder, verified } from '#lib/trust/lots.ts';
import { mustShow } from '#lib/trust/retrace.ts';
import { DEFAULT_RULES } from '#lib/trust/rules.ts';
import { blocked, challengeOf, faulted, NEWCOMER, observed, settled, withheld } from '#lib/trust/standing.ts';
import { EXTRA_TRACES, JOB_LEAVES, PRICE, type Attack } from './arena.ts';
import { honest, labourer, type Films, type Labourer, type Party, type Strategy } from './parties.ts';

/** A lease of 100,000: nine tenths for the worker, 8 % for checkers, 2 % for the treasury. */
const CHECKER_MICRO = 8_000n;
const FEE_MICRO = 2_000n;
const WORKERS = 40;
/** Leases of a worker until it goes and a new one comes. */
const LIFE = 2_000;
/** The first checkers have been there for long, and so have all workers at the beginning. */
export const VETERANS = 6;
const KNOWN: Grades = { good: 0, goodRight: 0, bad: 20, badRight: 20, answered: 1_000, missed: 0 };
/** One kind of device, one scene. */
const ALIKE = { news: false, tried: false, weight: 1 } as const;

export class Court {
  readonly checkers: readonly Party[];
  /** The colluding worker, while it is not blocked. */
  readonly friend: Labourer | null;
  readonly counts = { leases: 0, traced: 0, spoilt: 0, drills: 0, falseFaults: 0 };
  readonly #films: Films;
  readonly #random: () => number;
  readonly #seed: number;
  readonly #life: number;
  #workers: Labourer[];
  #funds = { checkersMicro: 10n * PRICE, treasuryMicro: 10n * PRICE };

  /** @param friend of the checkers that are not honest: how it cheats. @param networks of the checkers; each its own by default. */
  constructor(
    films: Films,
    strategies: readonly Strategy[],
    random: () => number,
    seed: number,
    { friend = null, networks, life = LIFE }: { friend?: Attack | null; networks?: readonly string[]; life?: number } = {},
  ) {
    this.#films = films;
    this.#random = random;
    this.#seed = seed;
    this.#life = life;
    this.checkers = strategies.map((strategy, i) => ({
      ...{
        key: `${i}`.padStart(64, '0'),
        strategy,
        grades: i < VETERANS ? KNOWN : UNGRADED,
        checks: 0,
        missedDrills: 0,
        unpaidAfter: null,
      },
      ...{ earned: 0n, traced: 0, second: { earned: 0n, traced: 0 }, network: networks?.[i] ?? `${i}` },
    }));
    this.#workers = Array.from({ length: WORKERS }, () => ({
      ...labourer(films.honest),
      standing: { ...NEWCOMER, passes: 400, topMicro: PRICE },
      held: 3n * PRICE,
    }));
    this.friend = friend && labourer(friend, true);
    if (this.friend) this.#workers[0] = this.friend;
  }

  run(leases: number): void {
    for (let i = 0; i < leases; i++) this.#lease();
  }

  /** Of all leases' work, what checkers and spoiling traced beside it. */
  get overhead(): number {
    const all = this.counts.leases * this.#films.honest.leaves.length;
    return (this.counts.traced + this.counts.spoilt) / all;
  }

  #lease(): void {
    const at = this.counts.leases++;
    if (this.#random() * this.#life < 1) this.#workers[1 + Math.floor(this.#random() * (WORKERS - 1))] = labourer(this.#films.honest);
    const worker = this.#workers[Math.floor(this.#random() * WORKERS)]!;
    if (blocked(worker.standing, DEFAULT_RULES)) return;
    worker.leases++;
    worker.profit -= 1 - worker.attack.spared;
    while (this.#random() * 1e6 < drillPpm(worker.standing, DEFAULT_RULES)) this.#drill(worker);
    this.#judge(worker, `${this.#seed}/${at}`);
  }

  #pick(spoke: readonly Opinion[]): Party | null {
    const able = this.checkers.filter(({ key, grades }) => mayBeDrawn(grades) && !spoke.some(({ checker }) => checker === key));
    const candidates = able.map((party) => ({ party, verified: verified(party.grades), group: party.network, ...ALIKE }));
    const dispute = spoke.some(({ verdict }) => verdict === 'fail');
    return inLotOrder(candidates, dispute, () => 1 - this.#random())[0]?.party ?? null;
  }

  /** One draw put to one checker. @returns null when it was not answered. */
  #ask(party: Party, worker: Labourer, film: Attack, drawn: readonly number[], opinions: readonly Opinion[]): 'pass' | 'fail' | null {
    party.checks++;
    const due = mustShow(drawn, film.leaves.length, opinions.length);
    let traced = 0;
    const answer = party.strategy({
      ...{ leaves: drawn.length, whole: drawn.length === film.leaves.length, passes: worker.standing.passes, friend: worker.friend },
      before: opinions.map(({ verdict }) => verdict),
      trace: (share = 1) => {
        traced = Math.ceil(share * drawn.length);
        if (!drawn.slice(0, traced).every((leaf) => film.leaves[leaf]!.agrees)) return 'fail';
        return due && this.#random() * drawn.length >= traced ? 'missed' : 'pass';
      },
    });
    party.traced += traced;
    this.counts.traced += traced;
    if (opinions.length > 0) party.second.traced += traced;
    // A pass that shows nothing is refused, and its check is over when its time is.
    const said = answer === 'pass' && due && traced === 0 ? 'missed' : answer;
    party.grades = said === 'missed' ? missed(party.grades) : answered(party.grades);
    return said === 'missed' ? null : said;
  }

  #drawFor(worker: Labourer, film: Attack, seed: Uint8Array, opinions: readonly Opinion[]): number[] {
    const { count, auditPpm } = challengeOf(worker.standing, JOB_LEAVES, DEFAULT_RULES);
    const ppm = escalatedPpm(auditPpm, opinions);
    return challengedLeaves(seed, { leaves: film.leaves.length, count, auditPpm: ppm, classes: film.classes });
  }

  #drill(worker: Labourer): void {
    const { kind } = drillOf([this.#random(), this.#random(), this.#random()]);
    const film = this.#films.spoilt.get(kind)!;
    this.counts.drills++;
    this.counts.spoilt += EXTRA_TRACES[kind]! * film.leaves.length;
    for (;;) {
      const party = this.#pick([]);
      if (!party) return;
      const seed = sha256(utf8(`drill/${this.#seed}/${this.counts.leases}/${this.counts.drills}/${party.checks}`));
      const drawn = this.#drawFor(worker, film, seed, []);
      const verdict = this.#ask(party, worker, film, drawn, []);
      if (!verdict) continue;
      const lesson = drillLesson(film.tells, drawn, verdict);
      if (lesson) party.grades = graded(party.grades, lesson);
      party.missedDrills += Number(lesson?.right === false);
      if (lesson?.right !== false) this.#payDrill(party);
      return this.#note(party);
    }
  }

  #payDrill(party: Party): void {
    const due = (CHECKER_MICRO * BigInt(payFactor(party.grades, DEFAULT_RULES.unprovenPay))) / 1000n;
    const all = this.#funds.checkersMicro + this.#funds.treasuryMicro;
    const paid = due < all ? due : all;
    const fees = paid < this.#funds.checkersMicro ? paid : this.#funds.checkersMicro;
    this.#funds = { checkersMicro: this.#funds.checkersMicro - fees, treasuryMicro: this.#funds.treasuryMicro - (paid - fees) };
    party.earned += paid;
  }

  #note(party: Party): void {
    if (party.unpaidAfter === null && payFactor(party.grades) === 0) party.unpaidAfter = party.checks;
  }

  #judge(worker: Labourer, name: string): void {
    const { attack } = worker;
    const opinions: Opinion[] = [];
    const retraced = new Map<string, number>();
    let second = false;
    for (let draw = 0; ; draw++) {
      const party = this.#pick(opinions);
      const outcome = decide({ opinions, workerClass: 'a', jury: 3, second, another: party !== null });
      if (outcome.state !== 'wait' || !party) return this.#end(worker, opinions, retraced, outcome.state);
      const seed = sha256(utf8(`${name}/${draw}`));
      const drawn = this.#drawFor(worker, attack, seed, opinions);
      const verdict = this.#ask(party, worker, attack, drawn, opinions);
      if (!verdict) continue;
      if (opinions.length === 0) second = secondAuditFalls(seed, DEFAULT_RULES.secondAuditPpm);
      opinions.push({ checker: party.key, adapterClass: 'a', verdict, whole: drawn.length === attack.leaves.length });
      retraced.set(party.key, drawn.length);
      this.#observe(worker, party, drawn, verdict);
      const now = decide({ opinions, workerClass: 'a', jury: 3, second, another: this.#pick(opinions) !== null });
      for (const lesson of lessonsOf(opinions, now)) {
        const about = this.checkers.find(({ key }) => key === lesson.checker)!;
        about.grades = graded(about.grades, lesson);
        this.#note(about);
      }
      if (now.state !== 'wait') return this.#end(worker, opinions, retraced, now.state);
    }
  }

  /** A checker that does not look says that all paths agree, or that none do: the bets go by what it says. */
  #observe(worker: Labourer, party: Party, drawn: readonly number[], verdict: 'pass' | 'fail'): void {
    const { attack } = worker;
    const telling = drawn.filter((leaf) => attack.classes[leaf]! > 0).map((leaf) => attack.leaves[leaf]!);
    const paths = telling.reduce((sum, look) => sum + look.paths, 0);
    const equal = telling.reduce((sum, look) => sum + look.pathsEqual, 0);
    const looked = party.strategy === honest;
    const pathsEqual = looked ? equal : verdict === 'pass' ? paths : 0;
    worker.seen.push({ checker: party.key, paths, pathsEqual, biasPpm: 0 });
    const { standing, alarm } = observed(worker.standing, worker.seen, DEFAULT_RULES);
    worker.standing = standing;
    if (alarm === 'fault') this.#fault(worker);
  }

  #fault(worker: Labourer): void {
    worker.faults++;
    worker.profit -= Number(worker.held) / Number(PRICE);
    worker.held = 0n;
    worker.seen = [];
    if (worker.attack === this.#films.honest) this.counts.falseFaults++;
  }

  #end(worker: Labourer, opinions: readonly Opinion[], retraced: ReadonlyMap<string, number>, state: string): void {
    if (state === 'fault') {
      worker.standing = faulted(worker.standing);
      return this.#fault(worker);
    }
    if (state !== 'pass') return;
    const passed = opinions
      .filter(({ verdict }) => verdict === 'pass')
      .map(({ checker }) => {
        const { grades } = this.checkers.find(({ key }) => key === checker)!;
        return { checker, leaves: retraced.get(checker)!, factor: payFactor(grades, DEFAULT_RULES.unprovenPay) };
      });
    const terms = {
      checkerMicro: CHECKER_MICRO,
      workerMicro: PRICE,
      leaves: worker.attack.leaves.length,
      auditPay: DEFAULT_RULES.auditPay,
    };
    for (const [account, micro] of checkerLines(terms, passed, this.#funds)) {
      if (account === CHECKERS) this.#funds.checkersMicro += micro;
      else if (account === TREASURY) this.#funds.treasuryMicro += micro;
      else {
        const party = this.checkers.find(({ key }) => key === account)!;
        party.earned += micro;
        if (opinions[0]!.checker !== account) party.second.earned += micro;
      }
    }
    this.#funds.treasuryMicro += FEE_MICRO;
    worker.held += withheld(worker.standing, worker.held, PRICE, DEFAULT_RULES);
    worker.standing = settled(worker.standing, PRICE);
    worker.profit++;
  }
}
