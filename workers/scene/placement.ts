/**
 * Brings the vertices of one primitive into the world: morph targets, then the skin or the node's
 * matrix, then flat normals and tangents where the file has none. Positions are rounded to f32
 * once, here; everything later works on the rounded ones.
 */
import { SceneError } from './compiled-scene.ts';
import { determinant, identity, normalMatrix, transformDirection, transformPoint, unit, type Matrix, type Vec3 } from './matrix.ts';
import type { MorphTarget, PrimitiveData } from './primitive.ts';
import { makeTangents } from './tangents.ts';

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
  // Without normals every face is flat, so no corner may share its vertex.
  const flat = data.normals === null;
  const source = flat ? data.corners.slice() : Uint32Array.from({ length: data.vertexCount }, (_, i) => i);
  const corners = flat ? Uint32Array.from({ length: source.length }, (_, i) => i) : data.corners.slice();
  const count = source.length;
  const morphed = morphOnce(data, placement.weights);
  const positions = new Float32Array(count * 3);
  const normals = new Float64Array(count * 3);
  const mirrored = new Uint8Array(count);
  let tangents: Float64Array | null = morphed.tangents && !flat ? new Float64Array(count * 4) : null;
  const shared = placement.joints && data.joints ? null : frameOf(placement.world);
  for (let i = 0; i < count; i++) {
    const v = source[i] as number;
    const frame = shared ?? frameOf(blendJoints(data, placement.joints ?? [], v, placement.path));
    positions.set(
      transformPoint(frame.matrix, at(morphed.positions, v * 3), at(morphed.positions, v * 3 + 1), at(morphed.positions, v * 3 + 2)),
      i * 3,
    );
    mirrored[i] = frame.mirrors ? 1 : 0;
    const n = morphed.normals;
    if (n) normals.set(unit(transformDirection(frame.normal, at(n, v * 3), at(n, v * 3 + 1), at(n, v * 3 + 2)), UP), i * 3);
    const t = morphed.tangents;
    if (!t || !tangents) continue;
    tangents.set(unit(transformDirection(frame.matrix, at(t, v * 4), at(t, v * 4 + 1), at(t, v * 4 + 2)), [1, 0, 0]), i * 4);
    tangents[i * 4 + 3] = (at(t, v * 4 + 3) < 0 ? -1 : 1) * (frame.mirrors ? -1 : 1);
  }
  const bad = positions.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new SceneError(
      `${placement.path}: vertex ${Math.floor(bad / 3)} is placed outside the range of numbers; reduce the scale and export again.`,
    );
  if (flat) flatNormals(positions, mirrored, normals);
  const uv = placement.tangentUv === null ? null : morphed.uv[placement.tangentUv];
  const carried = { uv: morphed.uv, colors: morphed.colors };
  if (tangents || !uv) return { corners, positions, normals, tangents, source, mirrored, ...carried };
  const placedUv = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) placedUv.set([at(uv, (source[i] as number) * 2), at(uv, (source[i] as number) * 2 + 1)], i * 2);
  const made = makeTangents(corners, positions, normals, placedUv);
  tangents = made.tangents;
  const copy = <T extends Float32Array | Float64Array | Uint32Array | Uint8Array>(array: T, width: number): T => {
    const grown = new (array.constructor as new (length: number) => T)(array.length + made.copies.length * width);
    grown.set(array);
    made.copies.forEach((v, i) => grown.set(array.subarray(v * width, (v + 1) * width), array.length + i * width));
    return grown;
  };
  return {
    corners,
    positions: copy(positions, 3),
    normals: copy(normals, 3),
    tangents,
    source: copy(source, 1),
    mirrored: copy(mirrored, 1),
    ...carried,
  };
}

const at = (array: Float64Array, i: number): number => array[i] as number;

interface Frame {
  readonly matrix: Matrix;
  readonly normal: Matrix;
  readonly mirrors: boolean;
}

const frameOf = (matrix: Matrix): Frame => ({ matrix, normal: normalMatrix(matrix), mirrors: determinant(matrix) < 0 });

type Morphed = Pick<PrimitiveData, 'positions' | 'normals' | 'tangents' | 'uv' | 'colors'>;
const lastMorphed = new WeakMap<PrimitiveData, { readonly weights: readonly number[]; readonly morphed: Morphed }>();

/** The copies of EXT_mesh_gpu_instancing have one list of weights and are morphed once. */
function morphOnce(data: PrimitiveData, weights: readonly number[]): Morphed {
  const last = lastMorphed.get(data);
  if (last?.weights === weights) return last.morphed;
  const morphed = morph(data, weights);
  lastMorphed.set(data, { weights, morphed });
  return morphed;
}

function morph(data: PrimitiveData, weights: readonly number[]): Morphed {
  const active = data.targets.map((target, i): [MorphTarget, number] => [target, weights[i] ?? 0]).filter(([, weight]) => weight !== 0);
  if (active.length === 0) return data;
  // Of a tangent's four numbers targets move three; colours are clamped as they are packed.
  const apply = (
    base: Float64Array | null,
    width: number,
    moved: number,
    of: (target: MorphTarget) => Float64Array | null,
  ): Float64Array | null => {
    if (!base) return null;
    const out = base.slice();
    for (const [target, weight] of active) {
      const delta = of(target);
      if (!delta) continue;
      for (let v = 0; v < data.vertexCount; v++) {
        for (let c = 0; c < moved; c++) out[v * width + c] = at(out, v * width + c) + weight * at(delta, v * moved + c);
      }
    }
    return out;
  };
  return {
    positions: apply(data.positions, 3, 3, ({ positions }) => positions) ?? data.positions,
    normals: apply(data.normals, 3, 3, ({ normals }) => normals),
    tangents: apply(data.tangents, 4, 3, ({ tangents }) => tangents),
    uv: [apply(data.uv[0], 2, 2, ({ uv }) => uv[0]), apply(data.uv[1], 2, 2, ({ uv }) => uv[1])],
    colors: apply(data.colors, 4, 4, ({ colors }) => colors),
  };
}

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

/** Face normals of unshared corners; in a mirrored frame the winding, and so the normal, turns over. */
function flatNormals(p: Float32Array, mirrored: Uint8Array, out: Float64Array): void {
  for (let t = 0; t + 9 <= p.length; t += 9) {
    const e = (corner: number, axis: number): number => (p[t + corner * 3 + axis] as number) - (p[t + axis] as number);
    const sign = mirrored[t / 3] ? -1 : 1;
    const n = unit(
      [
        sign * (e(1, 1) * e(2, 2) - e(1, 2) * e(2, 1)),
        sign * (e(1, 2) * e(2, 0) - e(1, 0) * e(2, 2)),
        sign * (e(1, 0) * e(2, 1) - e(1, 1) * e(2, 0)),
      ],
      UP,
    );
    for (let corner = 0; corner < 3; corner++) out.set(n, t + corner * 3);
  }
}
