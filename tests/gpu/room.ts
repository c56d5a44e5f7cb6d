/** One room with a lamp, two balls and a pane, of materials 0 to 5: floor, wall, lamp, ball, ball, pane. */
import { quad, sphere, type KitTriangle } from './kit.ts';

export const ROOM_TRIANGLES: readonly KitTriangle[] = [
  ...quad([-2, -1, -2], [-2, -1, 2], [2, -1, 2], [2, -1, -2], 0),
  ...quad([-2, -1, -2], [2, -1, -2], [2, 2, -2], [-2, 2, -2], 1),
  ...quad([-0.5, 1.9, -0.5], [0.5, 1.9, -0.5], [0.5, 1.9, 0.5], [-0.5, 1.9, 0.5], 2),
  ...sphere([-0.7, -0.3, 0], 0.6, 3, 10),
  ...sphere([0.7, -0.3, 0.3], 0.6, 4, 10),
  ...quad([-1, -0.8, 1.2], [1, -0.8, 1.2], [1, 0.4, 1.2], [-1, 0.4, 1.2], 5),
];
