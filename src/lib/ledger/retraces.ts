/**
 * Replays that checkers traced before they saw (trust/retrace): a commitment to a trace stands between its
 * draw and its verdict, and a pass of all leaves, or after another's word, shows the leaf that the beacon names.
 */
import { CheckVerdictBodySchema } from '../protocol/bodies.ts';
import { mustShow, shownFault } from '../trust/retrace.ts';
import { unpackClasses } from '../trust/weights.ts';
import type { Leaf } from './leaf.ts';
import type { DrawState, LeaseState } from './postings.ts';
import { bodyIn } from './signed.ts';

export function retraceFault(leaf: Leaf<'retraced'>, lease: LeaseState | undefined): string | null {
  const drawn = lease?.draws.get(leaf.nonceCommitment);
  if (!lease || drawn?.leaf.checker !== leaf.checker) return 'A checker traced what it was not drawn for.';
  if (drawn.answered) return 'A checker commits to a trace after its verdict.';
  if (drawn.retrace) return 'A checker commits to two traces for one draw.';
  if (lease.end) return `A trace of a lease that was ${lease.end}.`;
  drawn.retrace = { root: leaf.root, beacon: leaf.beacon };
  return null;
}

/** @param before opinions that the lease had when this verdict came. */
export function passFault(leaf: Leaf<'verdict'>, { commitment, job }: LeaseState, drawn: DrawState, before: number): string | null {
  if (leaf.verdict !== 'pass' || !mustShow(leaf.drawn, commitment.leaves, before)) return null;
  const shown = leaf.shows && bodyIn(leaf.signed, CheckVerdictBodySchema)?.shown;
  if (!drawn.retrace || !shown) return 'A checker passes what it had to trace first, and shows nothing of it.';
  const { checker, drawn: leaves } = leaf;
  const { nonceCommitment } = drawn.leaf;
  const { root: filmRoot, slot, weights } = commitment;
  const classes = weights === undefined ? null : unpackClasses(weights, commitment.leaves);
  const of = { checker, nonceCommitment, ...drawn.retrace, order: job.order, slot, filmRoot, classes, drawn: leaves };
  return shownFault(shown, of)?.text ?? null;
}
