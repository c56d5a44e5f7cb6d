/**
 * How fast a chip without ray hardware could trace at most: instructions issued per second over
 * instructions per ray, the model of Ylitie-style traversal with 21 lane instructions per child box,
 * 50 per node, 45 per triangle and 30 per ray. Knows a few chips by name and guesses nothing.
 */
import type { Tree } from '#shaders/index.ts';

export interface PerRay {
  readonly nodes: number;
  readonly triangles: number;
}

/** SMs × lanes issued per clock × boost clock, GHz; vendors' data sheets. */
const CHIPS: readonly { readonly name: RegExp; readonly gigaLanes: number }[] = [
  { name: /\bH[12]00\b/i, gigaLanes: 132 * 128 * 1.755 },
  { name: /\bA100\b/i, gigaLanes: 108 * 64 * 1.41 },
  { name: /\bL40S?\b/i, gigaLanes: 142 * 128 * 2.49 },
  { name: /RTX 4090\b/i, gigaLanes: 128 * 128 * 2.52 },
  { name: /RTX 4070 Ti\b/i, gigaLanes: 60 * 128 * 2.61 },
  { name: /RTX 3080\b/i, gigaLanes: 68 * 128 * 1.71 },
];
const CHILDREN: Readonly<Record<Tree, number>> = { binary: 2, wide: 8, 'wide-texels': 8 };

export const instructionsPerRay = ({ nodes, triangles }: PerRay, tree: Tree): number =>
  nodes * (CHILDREN[tree] * 21 + 50) + triangles * 45 + 30;

/** Rays per second with every lane busy; null for a chip it does not know. */
export function issueBound(adapter: string, perRay: PerRay, tree: Tree): number | null {
  const chip = CHIPS.find(({ name }) => name.test(adapter));
  return chip ? (chip.gigaLanes * 1e9) / instructionsPerRay(perRay, tree) : null;
}
