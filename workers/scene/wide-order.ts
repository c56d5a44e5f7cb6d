/**
 * The order of triangles that both trees share: leaves of the binary tree stay together, and all that
 * become leaves of one wide node follow one another, so that the node needs a single index for them.
 * Part of compilation, and so of the scene's hash; the wide tree itself is derived from the binary one
 * when a device that prefers it uploads the scene (wide-tree.ts), because it follows from bytes that are
 * hashed already and only some devices want it.
 */
import { CHILD_WORDS, INNER, LEAF, REF, WidePlan } from './wide-plan.ts';

/**
 * @param nodes of the binary tree; references to triangles are rewritten in place.
 * @param order triangle of the input for each place. @returns the new one.
 */
export function orderForWide(nodes: Uint8Array<ArrayBuffer>, order: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const plan = new WidePlan(nodes);
  const words = new Uint32Array(nodes.buffer, nodes.byteOffset, nodes.byteLength / 4);
  const out = order.slice();
  const waiting: number[] = [];
  const leaves: number[] = [];
  for (const [r, root] of plan.roots.entries()) {
    let next = plan.firsts[r] as number;
    waiting.push(root);
    while (waiting.length > 0) {
      const count = plan.open(waiting.pop() as number);
      for (let i = 0; i < count; i++) if (plan.kinds[i] === LEAF) plan.leaves(plan.boxes[i] as number, leaves);
      for (let i = count - 1; i >= 0; i--) if (plan.kinds[i] === INNER) waiting.push(plan.reference(plan.boxes[i] as number));
      for (let i = 0; i < leaves.length; i++) {
        const leaf = leaves[i] as number;
        const from = plan.reference(leaf);
        const triangles = plan.triangles(leaf);
        for (let k = 0; k < triangles; k++) out[next + k] = order[from + k] as number;
        words[leaf * CHILD_WORDS + REF] = next;
        next += triangles;
      }
      leaves.length = 0;
    }
  }
  return out;
}
