/** Twin of shaders/light/tree.wgsl in doubles, over the bytes that the compiler writes. */
import { LIGHT_NODE_LEAF, LIGHT_NODE_TWO_SIDED, LIGHT_TREE_DEPTH_MAX, LightNode } from '#shaders/layout.ts';

type Vec3 = readonly [number, number, number];
/** `normal` of zeros: light may come from both sides. */
export interface Receiver {
  readonly position: Vec3;
  readonly normal: Vec3;
}
export interface NodeView {
  readonly centre: Vec3;
  readonly radiusSquared: number;
  readonly axis: Vec3;
  readonly intensity: number;
  readonly cosNormals: number;
  readonly cosEmission: number;
  readonly child: number;
  readonly leaf: boolean;
  readonly twoSided: boolean;
}

export function readNodes(bytes: Uint8Array): NodeView[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const o = LightNode.offsets;
  return Array.from({ length: bytes.byteLength / LightNode.size }, (_, i) => {
    const f = (at: number): number => view.getFloat32(i * LightNode.size + at, true);
    const flags = view.getUint32(i * LightNode.size + o.flags, true);
    return {
      centre: [f(o.centre), f(o.centre + 4), f(o.centre + 8)],
      radiusSquared: f(o.radius_squared),
      axis: [f(o.axis), f(o.axis + 4), f(o.axis + 8)],
      intensity: f(o.intensity),
      cosNormals: f(o.cos_normals),
      cosEmission: f(o.cos_emission),
      child: view.getUint32(i * LightNode.size + o.child, true),
      leaf: (flags & LIGHT_NODE_LEAF) !== 0,
      twoSided: (flags & LIGHT_NODE_TWO_SIDED) !== 0,
    };
  });
}

const SLACK = 1e-4;
const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const clampAngle = (x: number): number => Math.acos(Math.min(1, Math.max(-1, x)));

/** Written with angles where the shader has sums of products, so that a slip in one shows. */
export function importance(node: NodeView, to: Receiver): number {
  const away: Vec3 = [to.position[0] - node.centre[0], to.position[1] - node.centre[1], to.position[2] - node.centre[2]];
  const d2 = dot(away, away);
  const strength = node.intensity / Math.max(d2, node.radiusSquared, 1e-20);
  if (d2 <= node.radiusSquared) return strength;
  const distance = Math.sqrt(d2);
  const w: Vec3 = [away[0] / distance, away[1] / distance, away[2] / distance];
  const cosine = dot(node.axis, w);
  const seen = Math.asin(Math.min(1, Math.sqrt(node.radiusSquared / d2)));
  const off = Math.max(0, Math.max(0, clampAngle(node.twoSided ? Math.abs(cosine) : cosine) - clampAngle(node.cosNormals)) - seen);
  if (Math.cos(off) < node.cosEmission - SLACK) return 0;
  const value = strength * Math.max(Math.cos(off), SLACK);
  if (to.normal.every((x) => x === 0)) return value;
  return value * Math.max(0, Math.cos(Math.max(0, clampAngle(-dot(to.normal, w)) - seen)));
}

/** Probability with which the walk reaches each light, and its way there. */
export function leafProbabilities(
  nodes: readonly NodeView[],
  to: Receiver,
  lights: number,
): { probability: Float64Array; trail: Uint32Array } {
  const probability = new Float64Array(lights);
  const trail = new Uint32Array(lights);
  const walk = (index: number, chance: number, way: number, depth: number): void => {
    const node = nodes[index]!;
    if (node.leaf) {
      probability[node.child]! += chance;
      trail[node.child] = way >>> 0;
      return;
    }
    if (depth >= LIGHT_TREE_DEPTH_MAX) throw new Error(`the tree is deeper than ${LIGHT_TREE_DEPTH_MAX}`);
    const [left, right] = [importance(nodes[node.child]!, to), importance(nodes[node.child + 1]!, to)];
    const share = left + right > 0 ? left / (left + right) : 0.5;
    walk(node.child, chance * share, way, depth + 1);
    walk(node.child + 1, chance * (1 - share), way | (1 << depth), depth + 1);
  };
  walk(0, 1, 0, 0);
  return { probability, trail };
}
