/**
 * Replays what is told after the fact: seals of drills that are opened, appeals, people's words and what
 * came of them. A drill must be what every draw of its lease was sealed with, signed by the lease's own
 * worker; an appeal is its worker's and heard once; a decision follows from the words. Sentences as in replay.ts.
 */
import { DrillSealBodySchema, ReviewWordBodySchema } from '../protocol/bodies.ts';
import { APPEAL_OPEN_MS_MAX } from '../protocol/limits.ts';
import { sealOf, unpackBits } from '../trust/drill.ts';
import { appealOutcome, wordsWith } from '../trust/review.ts';
import type { Leaf } from './leaf.ts';
import type { LeaseState } from './postings.ts';
import type { Records } from './records.ts';
import { bodyIn } from './signed.ts';

export function openedFault(leaf: Leaf<'drill'>, lease: LeaseState | undefined): string | null {
  if (!lease) return 'A drill of a lease that was never committed.';
  if (lease.end) return `A drill of a lease that was ${lease.end}.`;
  if (lease.opinions.length > 0) return 'A drill is opened after a checker has spoken.';
  const { worker, root, leaves } = lease.commitment;
  if (leaf.signed.key !== worker) return 'A drill that its worker did not seal.';
  const body = bodyIn(leaf.signed, DrillSealBodySchema);
  const tells = body && unpackBits(body.tells, leaves);
  if (!tells || body.root !== root) return 'A drill is sealed for another film than the one that was committed.';
  const bound = [...lease.draws].every(([nonce, draw]) => draw.leaf.sealed === sealOf(leaf.request, nonce));
  if (!bound || lease.draws.size === 0) return 'A drill is not what its draws were sealed with.';
  lease.drill = { tells, dueMicro: 0n, checker: '' };
  return null;
}

export function appealFault(leaf: Leaf<'appeal'>, lease: LeaseState | undefined): string | null {
  if (lease?.end !== 'voided' || !lease.reason.startsWith('check-')) return 'An appeal against no rejection.';
  if (leaf.signed.key !== lease.commitment.worker) return 'An appeal of somebody else than the worker.';
  if (lease.hearing) return 'A rejection is appealed against twice.';
  lease.hearing = { appealedMs: leaf.atMs, reviewers: new Set(), words: { accept: 0, reject: 0, unsure: 0 }, outcome: 'open' };
  return null;
}

export function wordFault(leaf: Leaf<'word'>, lease: LeaseState | undefined, records: Records): string | null {
  const reviewer = leaf.signed.key;
  if (!lease) return 'A word on a lease that was never committed.';
  const { worker, root } = lease.commitment;
  const involved = reviewer === worker || reviewer === lease.job.leaf.creator || lease.opinions.some(({ checker }) => checker === reviewer);
  if (involved) return 'A word of somebody who has a part in the case.';
  if (!leaf.house && !records.mayReview(reviewer)) return 'A word of somebody who has not shown that it looks.';
  const body = bodyIn(leaf.signed, ReviewWordBodySchema);
  if (body?.root !== root) return 'A word on another film than the one that was committed.';
  const { hearing } = lease;
  if (!hearing) return null;
  if (hearing.reviewers.has(reviewer)) return 'A reviewer speaks twice in one case.';
  if (hearing.outcome !== 'open') return 'A word on an appeal that is decided.';
  hearing.reviewers.add(reviewer);
  hearing.words = wordsWith(hearing.words, body.word, leaf.house);
  return null;
}

/** @returns also whether something must be restored at once. */
export function appealedFault(leaf: Leaf<'appealed'>, lease: LeaseState | undefined, records: Records): string | null {
  const hearing = lease?.hearing;
  if (!lease || hearing?.outcome !== 'open') return 'An appeal is decided that is not open.';
  const outcome = appealOutcome(hearing.words);
  const lapsed = outcome === 'open' && leaf.outcome === 'denied' && leaf.atMs - hearing.appealedMs >= APPEAL_OPEN_MS_MAX;
  if (leaf.outcome !== outcome && !lapsed) return 'An appeal is decided otherwise than people said.';
  hearing.outcome = leaf.outcome;
  if (leaf.outcome === 'granted') records.granted(lease);
  return null;
}
