/**
 * Holds a commitment to its order: what its slot implies is computed here and never read from the leaf.
 */
import { LEAF_SIDE_PX } from '../protocol/limits.ts';
import type { JobOrder } from '../protocol/order.ts';
import { segmentsPerPathMax, tileCount, tileRect } from '../job/plan.ts';
import { leasePaths } from '../market/price.ts';
import { unpackClasses } from '../trust/weights.ts';
import type { Leaf } from './leaf.ts';

/** Does the commitment claim what its order and slot imply? */
export function planFault(leaf: Leaf<'commitment'>, order: JobOrder): string | null {
  const { width, height } = tileRect(order, leaf.slot % tileCount(order));
  if (leaf.sceneRoot !== order.sceneRoot) return 'A commitment to a film of another scene.';
  if (leaf.paths !== leasePaths(order, leaf.slot)) return 'A commitment has not the paths that its slot implies.';
  if (leaf.leaves !== Math.ceil(width / LEAF_SIDE_PX) * Math.ceil(height / LEAF_SIDE_PX))
    return 'A commitment is over more or fewer leaves than its tile has.';
  if (leaf.weights !== undefined && !unpackClasses(leaf.weights, leaf.leaves))
    return 'A commitment does not say of each leaf what it can tell.';
  return leaf.segments > leaf.paths * segmentsPerPathMax(order.bounces)
    ? 'A commitment claims more segments than its paths can have.'
    : null;
}
