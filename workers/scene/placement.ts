/**
 * Brings the vertices of one primitive into the world: its shape (shape.ts), by the skin or the node's
 * matrix, then flat normals where the file has none. Positions are rounded to f32 once, here;
 * everything later works on the rounded ones.
 */
import { SceneError } from './compiled-scene.ts';
import { determinant, identity, normalMatrix, transformDirection, transformPoint, unit, type Matrix, type Vec3 } from './matrix.ts';
import type { PrimitiveData } from './primitive.ts';
import { flatNormals, shapeOf } from './shape.ts';

export interface Placement {
  readonly world: Matrix;
  /** Joint matrices; with them `world` has no effect on a primitive that names joints. */
  readonly joints: readonly Matrix[] | null;
  /** Morph weights. */
  readonly weights: readonly number[];
  /** JSON path of the node, for errors. */
  readonly path: string;
  readonly tangentUv: 0 | 1 | null;
}

export interface PlacedVertices {
  /** Three indices per triangle into the arrays below. */
  readonly corners: Uint32Array;
  readonly positions: Float32Array;
  /** Unit, 3 per vertex. */
  readonly normals: Float64Array;
  /** xyz and sign, 4 per vertex, or null. */
  readonly tangents: Float64Array | null;
  /** Vertex of the primitive that each one came from. */
  readonly source: Uint32Array;
  /** Morphed, but per vertex of the primitive. */
  readonly uv: PrimitiveData['uv'];
  readonly colors: PrimitiveData['colors'];
  /** 1 where the transform mirrors. */
  readonly mirrored: Uint8Array;
}

const UP: Vec3 = [0, 0, 1];

/** @throws SceneError when a placed position does not fit f32. */
export function placeVertices(data: PrimitiveData, placement: Placement): PlacedVertices {
  const { corners, source, tangents: own, morphed } = shapeOf(data, placement);
  const count = source.length;
  const positions = new Float32Array(count * 3);
  const normals = new Float64Array(count * 3);
  const mirrored = new Uint8Array(count);
  const tangents = own && new Float64Array(count * 4);
  const shared = placement.joints && data.joints ? null : frameOf(placement.world);
  const [p, n] = [morphed.positions, morphed.normals];
  for (let i = 0; i < count; i++) {
    const v = source[i] as number;
    const frame = shared ?? frameOf(blendJoints(data, placement.joints ?? [], v, placement.path));
    positions.set(transformPoint(frame.matrix, at(p, v * 3), at(p, v * 3 + 1), at(p, v * 3 + 2)), i * 3);
    mirrored[i] = frame.mirrors ? 1 : 0;
    if (n) normals.set(unit(transformDirection(frame.normal, at(n, v * 3), at(n, v * 3 + 1), at(n, v * 3 + 2)), UP), i * 3);
    if (!own || !tangents) continue;
    tangents.set(unit(transformDirection(frame.matrix, at(own, i * 4), at(own, i * 4 + 1), at(own, i * 4 + 2)), [1, 0, 0]), i * 4);
    tangents[i * 4 + 3] = (at(own, i * 4 + 3) < 0 ? -1 : 1) * (frame.mirrors ? -1 : 1);
  }
  const bad = positions.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new SceneError(
      `${placement.path}: vertex ${Math.floor(bad / 3)} is placed outside the range of numbers; reduce the scale and export again.`,
    );
  const { uv, colors } = morphed;
  return { corners, positions, normals: n ? normals : flatNormals(corners, positions, mirrored), tangents, source, mirrored, uv, colors };
}

const at = (array: Float64Array, i: number): number => array[i] as number;

interface Frame {
  readonly matrix: Matrix;
  readonly normal: Matrix;
  readonly mirrors: boolean;
}

const frameOf = (matrix: Matrix): Frame => ({ matrix, normal: normalMatrix(matrix), mirrors: determinant(matrix) < 0 });

/** The weighted joint matrix of a vertex; weights are scaled to sum to 1, as exporters round them. */
function blendJoints(data: PrimitiveData, joints: readonly Matrix[], v: number, path: string): Matrix {
  const out = new Float64Array(16);
  let sum = 0;
  for (let k = 0; k < data.influences; k++) {
    const weight = data.weights ? at(data.weights, v * data.influences + k) : 0;
    if (weight === 0) continue;
    const joint = joints[data.joints ? at(data.joints, v * data.influences + k) : 0];
    if (!joint)
      throw new SceneError(
        `${path}: vertex ${v} follows a joint that its skin of ${joints.length} joints does not have; export the file again.`,
      );
    sum += weight;
    for (let i = 0; i < 16; i++) out[i] = at(out, i) + weight * at(joint, i);
  }
  if (!(sum > 0)) return joints[0] ?? identity();
  for (let i = 0; i < 16; i++) out[i] = at(out, i) / sum;
  return out;
}
