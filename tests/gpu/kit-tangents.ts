/** Tangents of hand-built triangles, made by the compiler's own code so that the kernels see one convention. */
import { NONE } from '#shaders/layout.ts';
import { packTangent } from '#workers/scene/pack.ts';
import { makeTangents } from '#workers/scene/tangents.ts';
import type { Corner, Tangent } from './kit.ts';

type Shaded = Corner & Required<Pick<Corner, 'normal'>>;

/** @param corners three per triangle. @returns tangent and the bitangent's sign per corner, along its coordinates. */
export function tangentsOf(corners: readonly Shaded[]): Tangent[] {
  // Where a corner moves to a copy of its vertex, mirrored, its number here is the copy's.
  const vertex = Uint32Array.from(corners, (_, i) => i);
  const { tangents } = makeTangents(
    vertex,
    Float32Array.from(corners.flatMap(({ at }) => at)),
    Float64Array.from(corners.flatMap(({ normal }) => normal)),
    Float64Array.from(corners.flatMap(({ uv }) => uv ?? [0, 0])),
  );
  return corners.map((_, i) => [...tangents.subarray(vertex[i]! * 4, vertex[i]! * 4 + 4)] as unknown as Tangent);
}

/** @returns a packed tangent per corner: its own, else one along its coordinates; NONE where it has neither. */
export function packedTangents(corners: readonly Shaded[]): number[] {
  const made = tangentsOf(corners);
  return corners.map(({ uv, tangent }, i) => {
    const [x, y, z, sign] = tangent ?? made[i]!;
    return tangent || uv ? packTangent([x, y, z], sign) : NONE;
  });
}
