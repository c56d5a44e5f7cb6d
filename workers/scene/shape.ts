/**
 * A primitive in its own space, as every placement of it begins: morphed, faces without normals taken
 * apart, tangents made where the material asks for them and the file has none. glTF 2.0 (section
 * 3.7.2.1) makes tangents of the mesh's own positions, so that one mesh looks alike however it is
 * placed. Moves nothing into the world.
 */
import { unit, type Vec3 } from './matrix.ts';
import type { MorphTarget, PrimitiveData } from './primitive.ts';
import { makeTangents } from './tangents.ts';

export interface Shape {
  /** Three indices per triangle into `source` and `tangents`. */
  readonly corners: Uint32Array;
  /** Vertex of the primitive that each one came from. */
  readonly source: Uint32Array;
  /** xyz and sign, 4 per entry of `source`; null: none are wanted, or there is nothing to make them of. */
  readonly tangents: Float64Array | null;
  /** Morphed, per vertex of the primitive; `normals` null: those of the faces, and no two triangles share a vertex. */
  readonly morphed: Pick<PrimitiveData, 'positions' | 'normals' | 'uv' | 'colors'>;
}

interface Wanted {
  readonly weights: readonly number[];
  readonly tangentUv: 0 | 1 | null;
}

const lastShapes = new WeakMap<PrimitiveData, Wanted & { readonly shape: Shape }>();

/** The copies of EXT_mesh_gpu_instancing have one list of weights and share their shape. @param weights of morph targets. */
export function shapeOf(data: PrimitiveData, { weights, tangentUv }: Wanted): Shape {
  const last = lastShapes.get(data);
  if (last?.weights === weights && last.tangentUv === tangentUv) return last.shape;
  const shape = makeShape(data, weights, tangentUv);
  lastShapes.set(data, { weights, tangentUv, shape });
  return shape;
}

function makeShape(data: PrimitiveData, weights: readonly number[], tangentUv: 0 | 1 | null): Shape {
  const { tangents, ...morphed } = morph(data, weights);
  const flat = morphed.normals === null;
  // Without normals every face is flat, so no corner may share its vertex; tangents of the file mean nothing then.
  const source = flat ? data.corners.slice() : Uint32Array.from({ length: data.vertexCount }, (_, i) => i);
  const corners = flat ? Uint32Array.from({ length: source.length }, (_, i) => i) : data.corners.slice();
  const uv = tangentUv === null ? null : morphed.uv[tangentUv];
  if (tangents && !flat) return { corners, source, tangents, morphed };
  if (!uv) return { corners, source, tangents: null, morphed };
  const positions = Float32Array.from(spread(morphed.positions, source, 3));
  const normals = morphed.normals ?? flatNormals(corners, positions, null);
  const made = makeTangents(corners, positions, normals, spread(uv, source, 2));
  const grown = new Uint32Array(source.length + made.copies.length);
  grown.set(source);
  made.copies.forEach((v, i) => (grown[source.length + i] = source[v] as number));
  return { corners, source: grown, tangents: made.tangents, morphed };
}

function spread(values: Float64Array, source: Uint32Array, width: number): Float64Array {
  const out = new Float64Array(source.length * width);
  for (let i = 0; i < source.length; i++) {
    for (let c = 0; c < width; c++) out[i * width + c] = values[(source[i] as number) * width + c] as number;
  }
  return out;
}

const UP: Vec3 = [0, 0, 1];

/**
 * Unit normals of faces that share no vertices, 3 per vertex.
 * @param mirrored 1 per vertex where the winding, and so the normal, turns over; null: nowhere.
 */
export function flatNormals(corners: Uint32Array, p: Float32Array, mirrored: Uint8Array | null): Float64Array {
  const out = new Float64Array(p.length);
  for (let t = 0; t < corners.length; t += 3) {
    const [a, b, c] = [corners[t] as number, corners[t + 1] as number, corners[t + 2] as number];
    const e = (to: number, axis: number): number => (p[to * 3 + axis] as number) - (p[a * 3 + axis] as number);
    const sign = mirrored?.[a] ? -1 : 1;
    const n = unit(
      [
        sign * (e(b, 1) * e(c, 2) - e(b, 2) * e(c, 1)),
        sign * (e(b, 2) * e(c, 0) - e(b, 0) * e(c, 2)),
        sign * (e(b, 0) * e(c, 1) - e(b, 1) * e(c, 0)),
      ],
      UP,
    );
    for (const v of [a, b, c]) out.set(n, v * 3);
  }
  return out;
}

function morph(
  data: PrimitiveData,
  weights: readonly number[],
): Pick<PrimitiveData, 'positions' | 'normals' | 'tangents' | 'uv' | 'colors'> {
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
        for (let c = 0; c < moved; c++) out[v * width + c] = (out[v * width + c] as number) + weight * (delta[v * moved + c] as number);
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
