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

/** @param asked must passes be shown by the rules in force? */
export function passFault(leaf: Leaf<'verdict'>, lease: LeaseState, drawn: DrawState, asked: boolean): string | null {
  const { commitment, job, opinions } = lease;
  const { checker, verdict, drawn: leaves, shows } = leaf;
  const due = asked && verdict === 'pass' && mustShow(leaves, commitment.leaves, opinions.length);
  if (!due && !shows) return null;
  if (verdict !== 'pass') return 'A verdict that is no pass shows a leaf.';
  const shown = shows && bodyIn(leaf.signed, CheckVerdictBodySchema)?.shown;
  if (!drawn.retrace || !shown) return 'A checker passes what it had to trace first, and shows nothing of it.';
  const { nonceCommitment } = drawn.leaf;
  const { root: filmRoot, slot, weights } = commitment;
  const classes = weights === undefined ? null : unpackClasses(weights, commitment.leaves);
  const of = { checker, nonceCommitment, ...drawn.retrace, order: job.order, slot, filmRoot, classes, drawn: leaves };
  return shownFault(shown, of)?.text ?? null;
}

/** Nobody is drawn again for a film whose signatures it may have seen since. */
export function againFault({ checker }: Leaf<'draw'>, { draws, opinions }: LeaseState): string | null {
  const before = [...draws.values()].filter(({ leaf }) => leaf.checker === checker);
  if (before.some(({ retrace }) => retrace)) return 'A checker is drawn again for a film that was opened to it.';
  return before.length > 0 && opinions.length > 0
    ? 'A checker is drawn after another’s word for a film that it was drawn for before.'
    : null;
}
