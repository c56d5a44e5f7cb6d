/** What photographs are lit with and stood on: soft boxes, walls, slabs. Refuses anything that is not closed. */
import type { Material, Node } from '@gltf-transform/core';
import { emptyShape, finish, flip, join, type Shape } from './mesh.ts';
import { roundedBox } from './shapes.ts';
import type { SampleScene } from './scene.ts';
import { lookAt, type Vec2, type Vec3 } from './vec.ts';

/** The six faces of a box as two open halves that close each other: its +Z face, and the rest. */
export function lidAndBody(size: Vec3): { lid: Shape; body: Shape } {
  const [x, y, z] = [size[0] / 2, size[1] / 2, size[2] / 2];
  const corner = (i: number): Vec3 => [i & 1 ? x : -x, i & 2 ? y : -y, i & 4 ? z : -z];
  const unit: Vec2[] = [
    [0, 1],
    [1, 1],
    [1, 0],
    [0, 0],
  ];
  const quad = (out: Shape, ids: readonly number[]): void => {
    const base = out.points.length;
    ids.forEach((id, k) => {
      out.points.push(corner(id));
      out.uvs.push(unit[k]!);
    });
    out.triangles.push(base, base + 1, base + 2, base, base + 2, base + 3);
  };
  const [lid, body] = [emptyShape(), emptyShape()];
  quad(lid, [4, 5, 7, 6]);
  for (const ids of [
    [1, 0, 2, 3],
    [5, 1, 3, 7],
    [0, 4, 6, 2],
    [6, 7, 3, 2],
    [0, 1, 5, 4],
  ])
    quad(body, ids);
  return { lid, body };
}

/** A lit panel in a closed housing, its face turned from `at` to `towards`. */
export function softBox(scene: SampleScene, name: string, size: Vec2, at: Vec3, towards: Vec3, glow: Material, housing: Material): Node {
  const { lid, body } = lidAndBody([size[0], size[1], 0.04]);
  // A camera looks along -Z and the panel's face is +Z, so it looks away from a point behind it.
  const away: Vec3 = [2 * at[0] - towards[0], 2 * at[1] - towards[1], 2 * at[2] - towards[2]];
  return scene.add(
    name,
    [
      { mesh: finish(lid), surface: glow },
      { mesh: finish(body), surface: housing },
    ],
    { at, turn: lookAt(at, away) },
  );
}

/** A rounded slab whose top (or whatever face) lies where `at` puts it. */
export function slab(scene: SampleScene, name: string, size: Vec3, at: Vec3, surface: Material, edge = 0.004, perMetre = 1): Node {
  const mesh = finish(roundedBox(size, edge, edge > 0.01 ? 5 : 2, perMetre), { tangents: surface.getNormalTexture() !== null });
  return scene.add(name, [{ mesh, surface }], { at });
}

/** A room seen from inside: walls `wall` thick around the space from `low` to `high`. One closed mesh. */
export function room(scene: SampleScene, name: string, low: Vec3, high: Vec3, wall: number, surface: Material): Node {
  const inner: Vec3 = [high[0] - low[0], high[1] - low[1], high[2] - low[2]];
  const shell = ([x, y, z]: Vec3): Shape => {
    const { lid, body } = lidAndBody([x, y, z]);
    return join(lid, body);
  };
  const mesh = finish(join(shell([inner[0] + 2 * wall, inner[1] + 2 * wall, inner[2] + 2 * wall]), flip(shell(inner))));
  return scene.add(name, [{ mesh, surface }], { at: [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2] });
}
