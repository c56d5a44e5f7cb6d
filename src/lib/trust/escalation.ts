/**
 * From opinions to an outcome, as a pure state machine. One pass is enough while nobody disagrees,
 * two where a second audit was drawn; any failing verdict goes to a majority of 3, of 5 where much is
 * at stake. Only such a majority makes a fault, and only if it does not rest on one foreign kind of
 * device: a driver that decides otherwise than the worker's must not convict it. What is left when
 * nobody else can be asked is a doubt: the lease is done again unpaid, and nobody is punished.
 */
export interface Opinion {
  /** Key. */
  readonly checker: string;
  readonly adapterClass: string;
  readonly verdict: 'pass' | 'fail';
  /** Did its draw take in all leaves? */
  readonly whole: boolean;
}

export interface Case {
  /** In the order in which they were given, one per checker. */
  readonly opinions: readonly Opinion[];
  readonly workerClass: string;
  readonly jury: 3 | 5;
  /** A second audit was drawn. */
  readonly second: boolean;
  /** Is somebody here who may still be asked? */
  readonly another: boolean;
}

export type Outcome =
  | { readonly state: 'wait' }
  /** `alone`: a second opinion was due, and nobody was there to give it. */
  | { readonly state: 'pass'; readonly alone: boolean }
  | { readonly state: 'fault' }
  /** `tie`: somebody passed it, so that not even the worker's standing in this job suffers. */
  | { readonly state: 'doubt'; readonly tie: boolean };

const WAIT: Outcome = { state: 'wait' };

export const majorityOf = (jury: 3 | 5): number => (jury + 1) / 2;

export function decide({ opinions, workerClass, jury, second, another }: Case): Outcome {
  const fails = opinions.filter(({ verdict }) => verdict === 'fail');
  const passes = opinions.length - fails.length;
  if (fails.length === 0) {
    if (passes >= (second ? 2 : 1)) return { state: 'pass', alone: false };
    return passes > 0 && !another ? { state: 'pass', alone: true } : WAIT;
  }
  const majority = majorityOf(jury);
  if (passes >= majority) return { state: 'pass', alone: false };
  if (fails.length >= majority && independent(fails, workerClass)) return { state: 'fault' };
  // A whole jury of one foreign kind of device is asked no further.
  if (another && opinions.length < jury) return WAIT;
  return { state: 'doubt', tie: passes > 0 };
}

/** Two kinds of device saw it, or one saw it that is of the worker's own kind. */
function independent(fails: readonly Opinion[], workerClass: string): boolean {
  const classes = new Set(fails.map(({ adapterClass }) => adapterClass));
  return classes.size > 1 || classes.has(workerClass);
}

/** Whose opinion would say most next: those of a kind of device that has not spoken; all while none has. */
export const bringsNews = (adapterClass: string, opinions: readonly Pick<Opinion, 'adapterClass'>[]): boolean =>
  !opinions.some((opinion) => opinion.adapterClass === adapterClass);

/**
 * A disputed film is looked at whole: another draw of two leaves would miss what the first one found,
 * and acquit. @returns the chance that all leaves are drawn, given what was said so far.
 */
export const escalatedPpm = (auditPpm: number, opinions: readonly Pick<Opinion, 'verdict'>[]): number =>
  opinions.some(({ verdict }) => verdict === 'fail') ? 1_000_000 : auditPpm;

/**
 * Who was right, once a majority has decided a dispute; nothing while all agree, for agreement is no
 * proof. Who passed what was drawn of a bad film, and not all of it, may have seen its good leaves.
 */
export function lessonsOf(opinions: readonly Opinion[], outcome: Outcome): { checker: string; truth: 'good' | 'bad'; right: boolean }[] {
  const disputed = new Set(opinions.map(({ verdict }) => verdict)).size > 1 || opinions.some(({ verdict }) => verdict === 'fail');
  if (!disputed || (outcome.state !== 'pass' && outcome.state !== 'fault')) return [];
  const truth = outcome.state === 'pass' ? 'good' : 'bad';
  return opinions
    .filter(({ verdict, whole }) => truth === 'good' || verdict === 'fail' || whole)
    .map(({ checker, verdict }) => ({ checker, truth, right: (verdict === 'pass') === (truth === 'good') }));
}
