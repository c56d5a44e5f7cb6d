/**
 * Places every node of the default scene: local transforms, world matrices, morph weights,
 * visibility. Reads the document as animation.ts left it and knows of no time.
 */
import type { GltfJson, GltfNode } from './gltf-json.ts';
import { compose, identity, multiply, type Matrix, type Quaternion, type Vec3 } from './matrix.ts';

export interface PlacedNode {
  /** Index in the file. */
  readonly index: number;
  readonly node: GltfNode;
  readonly world: Matrix;
  readonly weights: readonly number[];
}

export interface Pose {
  /** Visible nodes of the default scene, depth first in file order. */
  readonly placed: readonly PlacedNode[];
  /** Its nodes that hold a camera, visible or not: what cannot be seen can still be looked from. */
  readonly cameras: readonly PlacedNode[];
  /** World matrices of every node of the file. */
  readonly worlds: readonly Matrix[];
}

export function poseScene(json: GltfJson): Pose {
  const local = json.nodes.map(localMatrix);
  const worlds: Matrix[] = new Array<Matrix>(json.nodes.length);
  const isChild = new Uint8Array(json.nodes.length);
  for (const node of json.nodes) for (const child of node.children) isChild[child] = 1;
  const walk = (roots: readonly number[], visit: (index: number) => boolean): void => {
    const stack = [...roots].reverse();
    while (stack.length > 0) {
      const index = stack.pop() as number;
      if (!visit(index)) continue;
      const { children } = json.nodes[index] as GltfNode;
      // One by one: a node may have more children than a call may have arguments.
      for (let c = children.length - 1; c >= 0; c--) stack.push(children[c] as number);
    }
  };
  walk(
    json.nodes.flatMap((_, i) => (isChild[i] ? [] : [i])),
    (index) => {
      worlds[index] ??= local[index] as Matrix;
      for (const child of (json.nodes[index] as GltfNode).children)
        worlds[child] = multiply(worlds[index] as Matrix, local[child] as Matrix);
      return true;
    },
  );
  const place = (index: number): PlacedNode => {
    const node = json.nodes[index] as GltfNode;
    const mesh = node.mesh === undefined ? undefined : json.meshes[node.mesh];
    return { index, node, world: worlds[index] ?? identity(), weights: node.weights ?? mesh?.weights ?? [] };
  };
  const roots = defaultRoots(json, isChild);
  const placed: PlacedNode[] = [];
  const cameras: PlacedNode[] = [];
  walk(roots, (index) => {
    if (json.nodes[index]?.camera !== undefined) cameras.push(place(index));
    return true;
  });
  walk(roots, (index) => {
    if (json.nodes[index]?.extensions?.['KHR_node_visibility']?.['visible'] === false) return false;
    placed.push(place(index));
    return true;
  });
  return { placed, cameras, worlds };
}

/** The scene the file names, else its first, else (a file of loose nodes) every root. */
function defaultRoots(json: GltfJson, isChild: Uint8Array): readonly number[] {
  const scene = json.scenes[json.scene ?? 0];
  if (!scene) return json.nodes.flatMap((_, i) => (isChild[i] ? [] : [i]));
  const seen = new Set(scene.nodes);
  return [...seen];
}

function localMatrix(node: GltfNode): Matrix {
  if (node.matrix) return Float64Array.from(node.matrix);
  const translation = (node.translation ?? [0, 0, 0]) as unknown as Vec3;
  const rotation = (node.rotation ?? [0, 0, 0, 1]) as unknown as Quaternion;
  const scale = (node.scale ?? [1, 1, 1]) as unknown as Vec3;
  return compose(translation, rotation, scale);
}
