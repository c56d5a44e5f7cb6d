/**
 * Places every node of the default scene at a time: local transforms, animation channels, world
 * matrices, joint matrices and morph weights. At time 0 animations are not applied: the pose is the
 * one the nodes carry in the file. Later, a property that several animations drive follows the
 * first of them, so that a character with three clips plays its first.
 */
import type { Accessor, Document } from '@gltf-transform/core';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson, GltfNode } from './gltf-json.ts';
import { compose, identity, multiply, slerp, unitQuaternion, type Matrix, type Quaternion, type Vec3 } from './matrix.ts';

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
  /** World matrices of every node of the file. */
  readonly worlds: readonly Matrix[];
  /** End of the longest animation, seconds. */
  readonly animationSeconds: number;
}

interface LocalPose {
  readonly translation?: readonly number[];
  readonly rotation?: readonly number[];
  readonly scale?: readonly number[];
  readonly weights?: readonly number[];
}

/** @throws SceneError when an animation is inconsistent. */
export function poseScene(json: GltfJson, document: Document, frameTimeS: number): Pose {
  const animated = new Map<number, LocalPose>();
  const animationSeconds = animate(json, document, frameTimeS, animated);
  const local = json.nodes.map((node, i) => localMatrix(node, animated.get(i)));
  const worlds: Matrix[] = new Array<Matrix>(json.nodes.length);
  const isChild = new Uint8Array(json.nodes.length);
  for (const node of json.nodes) for (const child of node.children) isChild[child] = 1;
  const order: number[] = [];
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
  walk(defaultRoots(json, isChild), (index) => {
    if ((json.nodes[index] as GltfNode).extensions?.['KHR_node_visibility']?.['visible'] === false) return false;
    order.push(index);
    return true;
  });
  const placed = order.map((index): PlacedNode => {
    const node = json.nodes[index] as GltfNode;
    const mesh = node.mesh === undefined ? undefined : json.meshes[node.mesh];
    const weights = animated.get(index)?.weights ?? node.weights ?? mesh?.weights ?? [];
    return { index, node, world: worlds[index] ?? identity(), weights };
  });
  return { placed, worlds, animationSeconds };
}

/** The scene the file names, else its first, else (a file of loose nodes) every root. */
function defaultRoots(json: GltfJson, isChild: Uint8Array): readonly number[] {
  const scene = json.scenes[json.scene ?? 0];
  if (!scene) return json.nodes.flatMap((_, i) => (isChild[i] ? [] : [i]));
  const seen = new Set(scene.nodes);
  return [...seen];
}

function localMatrix(node: GltfNode, animated: LocalPose | undefined): Matrix {
  if (node.matrix && !animated) return Float64Array.from(node.matrix);
  const translation = (animated?.translation ?? node.translation ?? [0, 0, 0]) as unknown as Vec3;
  const rotation = (animated?.rotation ?? node.rotation ?? [0, 0, 0, 1]) as unknown as Quaternion;
  const scale = (animated?.scale ?? node.scale ?? [1, 1, 1]) as unknown as Vec3;
  return compose(translation, rotation, scale);
}

const WIDTHS: Readonly<Record<string, number>> = { translation: 3, rotation: 4, scale: 3 };

/** Fills `into` with sampled values when time has begun. @returns the end of the longest channel. */
function animate(json: GltfJson, document: Document, timeS: number, into: Map<number, LocalPose>): number {
  const accessors = document.getRoot().listAccessors();
  let seconds = 0;
  json.animations.forEach((animation, a) => {
    animation.channels.forEach((channel, c) => {
      const { node, path } = channel.target;
      const sampler = animation.samplers[channel.sampler] as (typeof animation.samplers)[number];
      if (node === undefined || (path !== 'weights' && !(path in WIDTHS))) return;
      const where = `animations[${a}].samplers[${channel.sampler}]`;
      const times = readNumbers(accessors[sampler.input] as Accessor);
      const values = readNumbers(accessors[sampler.output] as Accessor);
      const perKey = sampler.interpolation === 'CUBICSPLINE' ? 3 : 1;
      const width = values.length / (times.length * perKey);
      const expected = WIDTHS[path];
      if (!Number.isInteger(width) || (expected !== undefined && width !== expected)) {
        throw new SceneError(`${where}: ${values.length} values do not fit ${times.length} keys of "${path}"; export the file again.`);
      }
      if (!times.every((t, i) => Number.isFinite(t) && (i === 0 || t > (times[i - 1] as number))) || !values.every(Number.isFinite)) {
        throw new SceneError(`${where}: key times must rise and values be finite (channel ${c}); export the file again.`);
      }
      seconds = Math.max(seconds, times[times.length - 1] ?? 0);
      const pose = into.get(node) ?? {};
      if (timeS <= 0 || pose[path as keyof LocalPose] !== undefined) return;
      into.set(node, { ...pose, [path]: sampleTrack(times, values, width, sampler.interpolation, path === 'rotation', timeS) });
    });
  });
  return seconds;
}

/** The elements of an accessor as doubles, normalised integers decoded (glTF 2.0, section 3.11). */
export function readNumbers(accessor: Accessor): Float64Array {
  const array = accessor.getArray();
  if (!array) return new Float64Array(0);
  const out = Float64Array.from(array);
  if (!accessor.getNormalized() || array instanceof Float32Array) return out;
  const signed = array instanceof Int8Array || array instanceof Int16Array;
  const max = [0, signed ? 127 : 255, signed ? 32_767 : 65_535][array.BYTES_PER_ELEMENT] ?? 4_294_967_295;
  for (let i = 0; i < out.length; i++) out[i] = Math.max(-1, (out[i] as number) / max);
  return out;
}

/** glTF 2.0, appendix C. Before the first and after the last key the end value holds. */
function sampleTrack(times: Float64Array, values: Float64Array, width: number, mode: string, isRotation: boolean, timeS: number): number[] {
  const cubic = mode === 'CUBICSPLINE';
  const stride = width * (cubic ? 3 : 1);
  const key = (k: number, part = cubic ? 1 : 0): number[] =>
    Array.from(values.subarray(k * stride + part * width, k * stride + (part + 1) * width));
  const last = times.length - 1;
  let k = 0;
  while (k < last && (times[k + 1] as number) <= timeS) k += 1;
  const start = times[k] as number;
  if (k === last || timeS <= start || mode === 'STEP') return key(k);
  const step = (times[k + 1] as number) - start;
  const t = (timeS - start) / step;
  const [from, to] = [key(k), key(k + 1)];
  if (!cubic) {
    if (isRotation) return [...slerp(unitQuaternion(from as unknown as Quaternion), unitQuaternion(to as unknown as Quaternion), t)];
    return from.map((value, i) => value + ((to[i] as number) - value) * t);
  }
  const [outgoing, incoming] = [key(k, 2), key(k + 1, 0)];
  const [t2, t3] = [t * t, t * t * t];
  return from.map(
    (value, i) =>
      (2 * t3 - 3 * t2 + 1) * value +
      step * (t3 - 2 * t2 + t) * (outgoing[i] as number) +
      (3 * t2 - 2 * t3) * (to[i] as number) +
      step * (t3 - t2) * (incoming[i] as number),
  );
}
