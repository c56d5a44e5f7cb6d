/**
 * What every stack renders: small scenes whose light is known on paper, one scene with every kind
 * of lobe in it, and the shipped samples. The same values in a browser and in Node.
 */
import { LIGHT_POINT, MATERIAL_ALPHA_BLEND, MATERIAL_DOUBLE_SIDED } from '#shaders/layout.ts';
import { FRONT, material, quad, sphere, type KitScene, type Shot } from '../gpu/kit.ts';
import { ROOM_TRIANGLES } from '../gpu/room.ts';

export interface AnalyticCase {
  readonly name: string;
  readonly scene: KitScene;
  readonly shot: Shot;
  /** Mean of red over the picture, on paper. */
  readonly expected: number;
  readonly tolerance: number;
}

const WHITE = { width: 8, height: 4, radiance: () => [1, 1, 1] as const };
const CLOSE: Shot = { camera: { ...FRONT, tanHalfVfov: 0.12 }, side: 16, samples: 64 };

const ball = (albedo: number, row: Parameters<typeof material>[0]): KitScene => ({
  triangles: sphere([0, 0, 0], 1, 0),
  materials: [material({ base_color: [albedo, albedo, albedo, 1], ...row })],
  environment: WHITE,
});

/** A Lambert floor lit by a point of 1 cd above the spot that the narrow view shows: I / d^2 * albedo / pi. */
const LAMP: AnalyticCase = {
  name: 'point light above a Lambert floor',
  scene: {
    triangles: quad([-5, 0, 5], [5, 0, 5], [5, 0, -5], [-5, 0, -5], 0),
    materials: [material({ specular: 0, base_color: [0.5, 0.5, 0.5, 1] })],
    lights: [{ kind: LIGHT_POINT, position: [0, 2, 0], color: [1, 1, 1] }],
  },
  shot: { camera: { ...FRONT, eye: [0, 4, 4], tanHalfVfov: 0.002 }, side: 8, samples: 4 },
  expected: (1 / 4) * (0.5 / Math.PI),
  tolerance: 1e-5,
};

export const ANALYTIC: readonly AnalyticCase[] = [
  { name: 'white furnace, Lambert', scene: ball(1, { specular: 0 }), shot: CLOSE, expected: 1, tolerance: 0.005 },
  { name: 'half furnace, Lambert', scene: ball(0.5, { specular: 0 }), shot: CLOSE, expected: 0.5, tolerance: 0.005 },
  {
    name: 'white furnace, smooth glass',
    scene: ball(1, { transmission: 1, roughness: 0, thickness: 1 }),
    shot: CLOSE,
    expected: 1,
    tolerance: 0.005,
  },
  LAMP,
];

/** Every kind of surface in one box: what stands in for scenes nobody has drawn yet. */
export const ROOM: KitScene = {
  triangles: ROOM_TRIANGLES,
  materials: [
    material({ base_color: [0.7, 0.7, 0.7, 1], roughness: 0.6 }),
    material({ base_color: [0.7, 0.2, 0.2, 1], clearcoat: 1, clearcoat_roughness: 0.2, anisotropy: 0.5, anisotropy_direction: [1, 0] }),
    material({ emissive: [8, 8, 8] }),
    material({
      metallic: 1,
      roughness: 0.2,
      base_color: [0.9, 0.7, 0.3, 1],
      iridescence: 1,
      iridescence_ior: 1.3,
      iridescence_thickness_max: 400,
    }),
    material({ transmission: 1, roughness: 0.1, thickness: 1, attenuation: [0.5, 0.1, 0.1], dispersion: 0.3 }),
    material({
      base_color: [0.2, 0.4, 0.9, 0.4],
      flags: MATERIAL_DOUBLE_SIDED | MATERIAL_ALPHA_BLEND,
      sheen_color: [0.3, 0.3, 0.3],
      sheen_roughness: 0.5,
      diffuse_transmission: 0.3,
      diffuse_transmission_color: [1, 0.8, 0.6],
    }),
  ],
  environment: { width: 8, height: 4, radiance: (x, y) => (y < 2 ? [0.2 + x * 0.05, 0.3, 0.5] : [0.1, 0.1, 0.1]) },
  lights: [{ kind: LIGHT_POINT, position: [1.5, 1, 1.5], color: [2, 2, 1.5] }],
};
export const ROOM_SHOT: Shot = { side: 32, samples: 16 };

/** Files of static/samples, and how they are drawn here. */
export const SAMPLES = ['still-life', 'reading-lamp', 'orrery'] as const;
export const SAMPLE_SHOT = { width: 48, height: 32, samples: 4, bounces: 8, seed: 7 } as const;
