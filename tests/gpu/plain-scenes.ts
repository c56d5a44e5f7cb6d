/** Rooms of plain materials, which differ in colour alone: as many scenes as a test wants for the price of one kernel. */
import { material, quad, type KitScene } from './kit.ts';

export function plainRoom(n: number): KitScene {
  const tone = 0.3 + (n % 7) * 0.1;
  return {
    triangles: [
      ...quad([-2, -1, -2], [-2, -1, 2], [2, -1, 2], [2, -1, -2], 0),
      ...quad([-2, -1, -2], [2, -1, -2], [2, 2, -2], [-2, 2, -2], 1),
      ...quad([-1, -0.8, -1], [1, -0.8, -1], [1, 0.4 + n * 0.01, -1], [-1, 0.4, -1], 1),
    ],
    materials: [material({ base_color: [tone, 0.5, 0.5, 1] }), material({ base_color: [0.6, tone, 0.3, 1], metallic: 1, roughness: 0.3 })],
    environment: { width: 8, height: 4, radiance: (x, y) => (y < 2 ? [0.5 + x * 0.1, 0.6, 0.8] : [0.1, 0.1, 0.1]) },
  };
}
