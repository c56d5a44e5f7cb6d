/** Tangents of hand-built triangles, made by the compiler's own code so that the kernels see one convention. */
import { NONE } from '#shaders/layout.ts';
import { packTangent } from '#workers/scene/pack.ts';
import { makeTangents } from '#workers/scene/tangents.ts';
import type { Corner } from './kit.ts';

/** @param corners three per triangle. @returns a packed tangent per corner, along its coordinates; NONE where it has none. */
export function packedTangents(corners: readonly (Corner & Required<Pick<Corner, 'normal'>>)[]): number[] {
  // Where a corner moves to a copy of its vertex, mirrored, its number here is the copy's.
  const vertex = Uint32Array.from(corners, (_, i) => i);
  const { tangents } = makeTangents(
    vertex,
    Float32Array.from(corners.flatMap(({ at }) => at)),
    Float64Array.from(corners.flatMap(({ normal }) => normal)),
    Float64Array.from(corners.flatMap(({ uv }) => uv ?? [0, 0])),
  );
  return corners.map(({ uv }, i) => {
    const from = vertex[i]! * 4;
    return uv ? packTangent([tangents[from]!, tangents[from + 1]!, tangents[from + 2]!], tangents[from + 3]!) : NONE;
  });
}
