/**
 * One glTF primitive as plain arrays in its own space: a list of triangle corners and the vertex
 * attributes, widened to doubles. Checks what only the decoded values can tell: index bounds,
 * finite positions, attribute lengths. Transforms nothing.
 */
import type { Accessor, Document, Primitive } from '@gltf-transform/core';
import { SceneError } from './compiled-scene.ts';
import { readNumbers } from './accessor-numbers.ts';

export interface MorphTarget {
  readonly positions: Float64Array | null;
  readonly normals: Float64Array | null;
  readonly tangents: Float64Array | null;
  readonly uv: readonly [Float64Array | null, Float64Array | null];
  /** rgba. */
  readonly colors: Float64Array | null;
}

export interface PrimitiveData {
  /** Three vertex indices per triangle. */
  readonly corners: Uint32Array;
  readonly vertexCount: number;
  readonly positions: Float64Array;
  /** null: flat normals are to be made. */
  readonly normals: Float64Array | null;
  /** xyz and sign; null: none in the file. */
  readonly tangents: Float64Array | null;
  /** Of the two sets that the material asks for. */
  readonly uv: readonly [Float64Array | null, Float64Array | null];
  /** rgba or null. */
  readonly colors: Float64Array | null;
  /** `influences` joints per vertex, and their weights: all sets JOINTS_n and WEIGHTS_n side by side. */
  readonly joints: Float64Array | null;
  readonly weights: Float64Array | null;
  readonly influences: number;
  readonly targets: readonly MorphTarget[];
}

const POINTS_OR_LINES_MAX = 3;

/** Triangles that a primitive of `count` corners draws; 0 for points and lines. */
export function triangleCount(mode: number, count: number): number {
  if (mode === 4) return Math.floor(count / 3);
  return mode <= POINTS_OR_LINES_MAX ? 0 : Math.max(0, count - 2);
}

/**
 * @param path JSON path of the primitive, for errors.
 * @param uvSets TEXCOORD sets to read as uv0 and uv1.
 * @returns null when it draws no triangles (points, lines, no positions).
 */
export function readPrimitive(
  document: Document,
  primitive: Primitive,
  path: string,
  uvSets: readonly [number, number],
): PrimitiveData | null {
  const positionAccessor = primitive.getAttribute('POSITION');
  if (!positionAccessor || primitive.getMode() <= POINTS_OR_LINES_MAX) return null;
  const given = positionAccessor.getCount();
  const at = (semantic: string): string => {
    const accessor = primitive.getAttribute(semantic);
    return accessor ? `accessors[${document.getRoot().listAccessors().indexOf(accessor)}]` : path;
  };
  if (positionAccessor.getElementSize() !== 3) throw new SceneError(`${at('POSITION')}: positions must be VEC3; export the file again.`);
  const { corners, only } = withoutUnused(readCorners(document, primitive, given, path), given);
  const positions = readNumbers(positionAccessor, only);
  const vertexCount = positions.length / 3;
  const named = (i: number): number => only?.[i] ?? i;
  const bad = positions.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new SceneError(
      `${at('POSITION')}: the position of vertex ${named(Math.floor(bad / 3))} is not a finite number (${path}); repair the mesh and export again.`,
    );
  }
  const numbers = readOnce(only);
  const read = (semantic: string, sizes: readonly number[]): Float64Array | null => {
    const accessor = primitive.getAttribute(semantic);
    if (!accessor) return null;
    if (!sizes.includes(accessor.getElementSize()) || accessor.getCount() !== given) {
      throw new SceneError(
        `${at(semantic)}: ${semantic} has ${accessor.getCount()} elements of ${accessor.getElementSize()} numbers for ${given} positions (${path}); export the file again.`,
      );
    }
    const { values, wrong } = numbers(accessor);
    if (wrong >= 0)
      throw new SceneError(
        `${at(semantic)}: ${semantic} of vertex ${named(Math.floor(wrong / accessor.getElementSize()))} is not a finite number; repair the mesh and export again.`,
      );
    return values;
  };
  const color = read('COLOR_0', [3, 4]);
  return {
    corners,
    vertexCount,
    positions,
    normals: read('NORMAL', [3]),
    tangents: read('TANGENT', [4]),
    uv: [read(`TEXCOORD_${uvSets[0]}`, [2]), read(`TEXCOORD_${uvSets[1]}`, [2])],
    colors: color && color.length === vertexCount * 3 ? widenColors(color, 1) : color,
    ...readInfluences(primitive, read),
    targets: readTargets(primitive, given, path, uvSets, numbers),
  };
}

/**
 * Exporters share one list of vertices among many primitives, and a file may claim any number that nothing
 * uses: each placement would hold them all. Where there are more than corners, only those with a corner are kept.
 * @returns the corners, and the vertices that they count; null for all.
 */
function withoutUnused(corners: Uint32Array, given: number): { readonly corners: Uint32Array; readonly only: Uint32Array | null } {
  if (given <= corners.length) return { corners, only: null };
  const only = Uint32Array.from(new Set(corners)).sort();
  const place = new Map(Array.from(only, (vertex, i) => [vertex, i]));
  return { corners: corners.map((vertex) => place.get(vertex) as number), only };
}

type Numbers = (accessor: Accessor) => { readonly values: Float64Array; readonly wrong: number };

/** Each accessor is read once, however many attributes name it; `wrong` is the place of its first value that is not finite, or -1. */
function readOnce(only: Uint32Array | null): Numbers {
  const known = new Map<Accessor, ReturnType<Numbers>>();
  return (accessor) => {
    const found = known.get(accessor);
    if (found) return found;
    const values = readNumbers(accessor, only);
    const read = { values, wrong: values.findIndex((value) => !Number.isFinite(value)) };
    known.set(accessor, read);
    return read;
  };
}

function readTargets(
  primitive: Primitive,
  given: number,
  path: string,
  uvSets: readonly [number, number],
  numbers: Numbers,
): readonly MorphTarget[] {
  const widened = new Map<Float64Array, Float64Array>();
  return primitive.listTargets().map((target, t) => {
    const delta = (semantic: string, sizes: readonly number[] = [3]): Float64Array | null => {
      const accessor = target.getAttribute(semantic);
      if (!accessor) return null;
      const fits = sizes.includes(accessor.getElementSize()) && accessor.getCount() === given;
      const read = fits ? numbers(accessor) : null;
      if (read && read.wrong < 0) return read.values;
      throw new SceneError(`${path}.targets[${t}].${semantic}: it does not fit ${given} positions; export the file again.`);
    };
    let colors = delta('COLOR_0', [3, 4]);
    if (colors && target.getAttribute('COLOR_0')?.getElementSize() === 3) {
      const known = widened.get(colors) ?? widenColors(colors, 0);
      widened.set(colors, known);
      colors = known;
    }
    const uv = [delta(`TEXCOORD_${uvSets[0]}`, [2]), delta(`TEXCOORD_${uvSets[1]}`, [2])] as const;
    return { positions: delta('POSITION'), normals: delta('NORMAL'), tangents: delta('TANGENT'), uv, colors };
  });
}

/** Sets count from 0 without gaps (glTF 2.0, section 3.7.3.1); a set of joints without weights moves nothing. */
function readInfluences(
  primitive: Primitive,
  read: (semantic: string, sizes: readonly number[]) => Float64Array | null,
): Pick<PrimitiveData, 'joints' | 'weights' | 'influences'> {
  const sets: (readonly [Float64Array, Float64Array])[] = [];
  while (primitive.getAttribute(`JOINTS_${sets.length}`)) {
    const [joints, weights] = [read(`JOINTS_${sets.length}`, [4]), read(`WEIGHTS_${sets.length}`, [4])];
    if (!joints || !weights) break;
    sets.push([joints, weights]);
  }
  const [first] = sets;
  if (!first || sets.length === 1) return { joints: first?.[0] ?? null, weights: first?.[1] ?? null, influences: 4 };
  const influences = sets.length * 4;
  const side = (part: 0 | 1): Float64Array => {
    const out = new Float64Array(sets.length * first[0].length);
    sets.forEach((set, s) => set[part].forEach((value, i) => (out[Math.floor(i / 4) * influences + s * 4 + (i % 4)] = value)));
    return out;
  };
  return { joints: side(0), weights: side(1), influences };
}

function widenColors(rgb: Float64Array, alpha: number): Float64Array {
  const out = new Float64Array((rgb.length / 3) * 4).fill(alpha);
  for (let i = 0; i < rgb.length; i++) out[Math.floor(i / 3) * 4 + (i % 3)] = rgb[i] as number;
  return out;
}

/** Lists, strips and fans to three corners per triangle (glTF 2.0, section 3.7.2.1). */
function readCorners(document: Document, primitive: Primitive, vertexCount: number, path: string): Uint32Array {
  const accessor = primitive.getIndices();
  const list = accessor?.getArray() ?? null;
  const count = accessor ? (list?.length ?? 0) : vertexCount;
  if (list) {
    for (let i = 0; i < count; i++) {
      if ((list[i] as number) < vertexCount) continue;
      const where = accessor ? document.getRoot().listAccessors().indexOf(accessor) : -1;
      throw new SceneError(
        `accessors[${where}]: index ${list[i]} at position ${i} is out of range, the mesh has ${vertexCount} vertices (${path}.indices); export the file again.`,
      );
    }
  }
  const mode = primitive.getMode();
  const triangles = triangleCount(mode, count);
  const out = new Uint32Array(triangles * 3);
  const pick = (i: number): number => (list ? (list[i] as number) : i);
  for (let t = 0; t < triangles; t++) {
    const odd = t & 1;
    const [a, b, c] = mode === 4 ? [3 * t, 3 * t + 1, 3 * t + 2] : mode === 5 ? [t, t + 1 + odd, t + 2 - odd] : [t + 1, t + 2, 0];
    out[3 * t] = pick(a);
    out[3 * t + 1] = pick(b);
    out[3 * t + 2] = pick(c);
  }
  return out;
}
