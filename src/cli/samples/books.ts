/** Books: cloth-bound ones lying or standing, and an open one. Boards, spine and leaves are separate closed bodies a hair apart. */
import type { Material, Node } from '@gltf-transform/core';
import { finish } from './mesh.ts';
import type { Pose, SampleScene } from './scene.ts';
import { roundedBox, strip } from './shapes.ts';
import type { Vec2, Vec3 } from './vec.ts';

const BOARD = 0.0028;
const JOINT = 0.0004;

/** A closed book lying on y = 0: spine along z at -x, `size` = width (x), thickness (y), height (z) in metres. */
export function book(scene: SampleScene, name: string, size: Vec3, cover: Material, leaves: Material, pose: Pose): Node {
  const [w, t, h] = size;
  const node = scene.group(name, pose);
  const board = finish(roundedBox([w - BOARD - JOINT, BOARD, h], 0.0011, 2));
  const x = (BOARD + JOINT) / 2;
  const lower = scene.add(`${name} board`, [{ mesh: board, surface: cover }], { at: [x, BOARD / 2, 0], under: node });
  scene.again(`${name} upper board`, lower, { at: [x, t - BOARD / 2, 0], under: node });
  const spine = finish(roundedBox([BOARD, t, h], 0.0013, 2));
  scene.add(`${name} spine`, [{ mesh: spine, surface: cover }], { at: [-w / 2 + BOARD / 2, t / 2, 0], under: node });
  const inset = 0.004;
  const block = finish(roundedBox([w - BOARD - JOINT - inset, t - 2 * BOARD - 2 * JOINT, h - 2 * inset], 0.0006, 1, 20));
  scene.add(`${name} leaves`, [{ mesh: block, surface: leaves }], { at: [x - inset / 2 + JOINT / 2, t / 2, 0], under: node });
  return node;
}

/** Half of an open book: leaves rising from the gutter at x = 0 and falling to the fore-edge at x = width. */
function half(width: number, thickness: number, height: number, mirror: boolean): ReturnType<typeof strip> {
  const steps = 20;
  const upper: Vec2[] = [];
  const lower: Vec2[] = [];
  for (let i = 0; i <= steps; i++) {
    const t = i / steps;
    const rise = thickness * (0.45 + 0.55 * Math.sqrt(Math.max(0, 1 - (1 - Math.min(1, t * 4)) ** 2))) * (1 - 0.28 * t * t);
    const x = 0.0006 + t * width;
    upper.push([mirror ? -x : x, rise]);
    lower.push([mirror ? -x : x, 0]);
  }
  return mirror ? strip(lower.reverse(), upper.reverse(), height) : strip(lower, upper, height);
}

/** An open book on y = 0, its lines readable from +z. */
export function openBook(
  scene: SampleScene,
  name: string,
  size: Vec3,
  cover: Material,
  pages: readonly [Material, Material],
  pose: Pose,
): void {
  const [w, t, h] = size;
  const node = scene.group(name, pose);
  const board = finish(roundedBox([2 * w + 0.012, BOARD, h + 0.008], 0.0012, 2));
  scene.add(`${name} cover`, [{ mesh: board, surface: cover }], { at: [0, BOARD / 2, 0], under: node });
  const at: Vec3 = [0, BOARD + 0.0001, 0];
  scene.add(`${name} left`, [{ mesh: finish(half(w, t, h, true)), surface: pages[0] }], { at, under: node });
  scene.add(`${name} right`, [{ mesh: finish(half(w, t, h, false)), surface: pages[1] }], { at, under: node });
}
