/** Scenes that the reduced and the long transport tests share. */
import { MATERIAL_ALPHA_BLEND, MATERIAL_DOUBLE_SIDED } from '#shaders/layout.ts';
import { material, quad, sphere, type KitScene, type MaterialRow, type Shot } from './kit.ts';
import { box, WHITE } from './transport-kit.ts';

export const glass = (row: MaterialRow = {}): MaterialRow => material({ transmission: 1, roughness: 0, thickness: 1, flags: 0, ...row });
export const veil = (alpha: number): MaterialRow =>
  material({ base_color: [0, 0, 0, alpha], specular: 0, flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_BLEND });

/** A dark room lit by a sky through one pane of this tint. */
export const windowRoom = (tint: readonly [number, number, number]): KitScene => ({
  triangles: [
    ...quad([-2, 0, -2], [-2, 0, 2], [2, 0, 2], [2, 0, -2], 0),
    ...quad([-2, 3, -2], [2, 3, -2], [2, 3, 2], [-2, 3, 2], 0),
    ...quad([-2, 0, -2], [2, 0, -2], [2, 3, -2], [-2, 3, -2], 1),
    ...quad([-2, 0, 2], [-2, 3, 2], [2, 3, 2], [2, 0, 2], 0),
    ...quad([2, 0, -2], [2, 0, 2], [2, 3, 2], [2, 3, -2], 0),
    ...quad([-2, 0, -2], [-2, 0.5, -2], [-2, 0.5, 2], [-2, 0, 2], 0),
    ...quad([-2, 2.5, -2], [-2, 3, -2], [-2, 3, 2], [-2, 2.5, 2], 0),
    ...quad([-2, 0.5, -2], [-2, 2.5, -2], [-2, 2.5, 2], [-2, 0.5, 2], 2),
  ],
  materials: [
    material({ base_color: [0.7, 0.7, 0.7, 1], specular: 0 }),
    material({ base_color: [0.8, 0.4, 0.3, 1], roughness: 0.5, metallic: 0.5 }),
    material({ transmission: 1, roughness: 0, base_color: [...tint, 1] }),
    veil(0.5),
  ],
  environment: { width: 16, height: 8, radiance: (x, y) => (y < 4 && (x < 3 || x > 12) ? [6, 7, 9] : [0.6, 0.5, 0.4]) },
});
export const ROOM_SHOT: Shot = {
  camera: { eye: [1.5, 1.4, 1.6], target: [-0.6, 1.1, -1.2], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
  side: 16,
  samples: 64,
  bounces: 3,
};

/**
 * Three glasses in each other and across each other's faces; white light shows none of them. Boxes,
 * because faceted bodies keep light for hundreds of bounces: a sphere of 12 rings lacks 0.7 % after 32.
 */
export const nestedFurnace = (attenuation: number): KitScene => ({
  triangles: [
    ...box([-1, -1, -1], [1, 1, 1], 0),
    ...box([-0.5, -0.5, -0.5], [0.5, 0.5, 0.5], 1),
    ...box([-0.3, -0.2, 0], [0.8, 0.4, 1.5], 2),
  ],
  materials: [
    glass({ priority: 1 }),
    glass({ ior: 1.33, priority: 2 }),
    glass({ ior: 1.7, priority: 3, attenuation: [attenuation, 0, 0] }),
  ],
  environment: WHITE,
});

/** All that straight ways, media, lobes on both sides and lenses can do to each other, under a lamp and a sky. */
export const menagerie = (seed: number): KitScene => {
  let state = seed;
  const random = (): number => (state = Math.imul(state, 1664525) + 1013904223) >>> 8,
    unit = (): number => (random() % 4096) / 4096;
  const row = (): MaterialRow =>
    material({
      base_color: [unit(), unit(), unit(), 1],
      roughness: unit() < 0.4 ? 0 : unit(),
      metallic: unit() < 0.3 ? unit() : 0,
      ior: 1 + unit() * 1.5,
      transmission: unit() < 0.7 ? 1 : unit(),
      thickness: unit() < 0.6 ? 1 : 0,
      dispersion: unit() < 0.5 ? unit() * 4 : 0,
      diffuse_transmission: unit() < 0.4 ? unit() : 0,
      attenuation: [unit(), unit(), unit() * 20],
      clearcoat: unit() < 0.3 ? 1 : 0,
      priority: random() % 3,
    });
  const place = (): number => unit() * 2 - 1;
  const bodies = Array.from({ length: 6 }, (_, i) => {
    const [x, y, z, r] = [place(), place(), place(), 0.2 + unit() * 0.6];
    return i % 2 === 0 ? sphere([x, y, z], r, i, 8) : box([x, y, z], [x + r, y + r, z + r], i);
  });
  return {
    triangles: [
      ...bodies.flat(),
      ...quad([-3, -1.5, -3], [-3, -1.5, 3], [3, -1.5, 3], [3, -1.5, -3], 6),
      ...quad([-1, 2, -1], [1, 2, -1], [1, 2, 1], [-1, 2, 1], 7),
      ...quad([-2, -2, 2], [2, -2, 2], [2, 2, 2], [-2, 2, 2], 8),
    ],
    materials: [
      ...Array.from({ length: 6 }, row),
      material(),
      material({ emissive: [5, 5, 5] }),
      material({ transmission: 1, roughness: 0 }),
      glass({ dispersion: 1 }),
      veil(0.5),
    ],
    environment: { width: 8, height: 4, radiance: (x, y) => [x, y, 1] },
  };
};
