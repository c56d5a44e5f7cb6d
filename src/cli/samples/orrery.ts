/**
 * "Orrery": four planets on brass arms turned by a train of meshing gears around a glowing sun.
 * Lengths in metres; the plinth stands on y = 0. A lay shaft at `CENTRES` from the axis turns six
 * times in the loop; each pair of wheels has 60 teeth together. Refuses scale: distances are a watchmaker's.
 */
import type { Material, Node } from '@gltf-transform/core';
import { rgb } from './colour.ts';
import { gear, pitchRadius } from './gears.ts';
import { disc, ring } from './glassware.ts';
import { finish } from './mesh.ts';
import { SampleScene } from './scene.ts';
import { fillet, revolve, sphere, spline, tube } from './shapes.ts';
import { slab, softBox } from './studio.ts';
import { bands, globe, graduation, plaster, wood } from './textures.ts';
import { axisAngle, radians, type Vec3 } from './vec.ts';

export const ORRERY_SECONDS = 24;
const MODULE = 0.0026;
const CENTRES = 0.078;
const SHAFT_TURNS = 6;
/** Direction of the lay shaft from the axis, degrees from +X towards -Z. */
const SHAFT_AT = -34;
const PLANE = 0.262;
const UP: Vec3 = [0, 1, 0];

interface Planet {
  readonly name: string;
  readonly radius: number;
  readonly orbit: number;
  /** Teeth of the wheel on its sleeve; the pinion has the other ones of 60. */
  readonly teeth: number;
  /** Where its arm points at time 0, degrees. */
  readonly start: number;
}

const PLANETS: readonly Planet[] = [
  { name: 'first planet', radius: 0.0115, orbit: 0.088, teeth: 30, start: 205 },
  { name: 'second planet', radius: 0.0175, orbit: 0.13, teeth: 36, start: 318 },
  { name: 'third planet', radius: 0.021, orbit: 0.185, teeth: 40, start: 232 },
  { name: 'fourth planet', radius: 0.03, orbit: 0.262, teeth: 45, start: -22 },
];

type Wheels = { node: Node; axis: Vec3; turns: number; from?: number }[];

export function orrery(): Promise<Uint8Array> {
  const scene = new SampleScene('Orrery');
  scene.camera('Camera', [0.07, 0.48, 0.92], [0.006, 0.131, 0.0], 29);
  const brass = scene.surface({ name: 'brass', colour: '#d8a851', metallic: 1, roughness: 0.24 });
  const steel = scene.surface({ name: 'steel', colour: '#b4bac4', metallic: 1, roughness: 0.3 });
  surroundings(scene, brass);
  const wheels: Wheels = [];
  PLANETS.forEach((planet, i) => wheels.push(...system(scene, planet, i, brass)));
  wheels.push(layShaft(scene, brass, steel));
  sun(scene, brass);
  scene.spin('orbits', ORRERY_SECONDS, wheels);
  return scene.glb();
}

function surroundings(scene: SampleScene, brass: Material): void {
  const night = scene.surface({ name: 'night wall', picture: plaster(256, rgb('#263863'), rgb('#4d639c'), 33), roughness: 0.9 });
  const ebony = scene.surface({
    name: 'ebonised wood',
    picture: wood(512, rgb('#3a2a20'), rgb('#8d6a4a'), 21),
    roughness: 0.35,
    coat: { factor: 0.4, roughness: 0.15 },
  });
  const dark = scene.surface({ name: 'housing', colour: '#161618', roughness: 0.8 });
  slab(scene, 'table', [2.4, 0.05, 1.5], [0, -0.0555, 0.05], ebony, 0.012, 0.8);
  slab(scene, 'wall', [4, 2.6, 0.06], [0, 0.6, -0.78], night, 0.004, 0.8);
  const key = scene.surface({ name: 'soft box', colour: '#000000', emission: { colour: '#dbe6ff', strength: 8 } });
  softBox(scene, 'soft box', [0.55, 0.55], [-0.72, 0.86, 0.5], [0, 0.1, 0], key, dark);
  const rim = scene.surface({ name: 'rim light', colour: '#000000', emission: { colour: '#ffd2a0', strength: 5 } });
  softBox(scene, 'rim light', [0.2, 0.5], [0.8, 0.5, -0.3], [0, 0.15, 0], rim, dark);
  const back = scene.surface({ name: 'back light', colour: '#000000', emission: { colour: '#ffe9cf', strength: 1.5 } });
  softBox(scene, 'back light', [1.7, 0.5], [0, 0.68, -0.59], [0, 0.2, 0.1], back, dark);
  const mahogany = scene.surface({ name: 'mahogany', colour: '#6a3a22', roughness: 0.4, coat: { factor: 0.6, roughness: 0.1 } });
  const profile = fillet(
    [
      [0, 0],
      [0.3, 0, 0.006],
      [0.306, 0.014, 0.006],
      [0.292, 0.02, 0.003],
      [0.288, 0.03, 0.004],
      [0, 0.03],
    ],
    4,
  );
  scene.add('plinth', [{ mesh: finish(revolve(profile, { around: 96 })), surface: mahogany }]);
  for (let i = 0; i < 3; i++) {
    const a = radians(90 + 120 * i);
    const foot = finish(disc(0.022, 0.03, 0.01, 32));
    scene.add(`foot ${i + 1}`, [{ mesh: foot, surface: brass }], { at: [0.25 * Math.cos(a), -0.0303, 0.25 * Math.sin(a)] });
  }
  const scale = scene.surface({
    name: 'graduated ring',
    picture: graduation(512, 120, rgb('#e0b562'), rgb('#3a260e')),
    metallic: 1,
    roughness: 0.3,
  });
  // Only the flat top of this ring is seen; its graduation runs from rim to rim.
  const flat = revolve(
    [
      [0.232, 0.0302],
      [0.278, 0.0302],
      [0.278, 0.0322],
      [0.232, 0.0322],
    ],
    { around: 96, loop: true, repeat: [1, 2.04] },
  );
  scene.add('graduated ring', [{ mesh: finish(flat, { creaseDegrees: 30 }), surface: scale }]);
  scene.add('inner ring', [{ mesh: finish(ring(0.13, 0.136, 0.003, 0.001, 72)), surface: brass }], { at: [0, 0.0302, 0] });
}

/** A wheel, its sleeve, an arm and its planet: one node that turns. The first planet's sleeve is innermost and highest. */
function system(scene: SampleScene, planet: Planet, i: number, brass: Material): Wheels {
  const { teeth, start, orbit, radius, name } = planet;
  const [bore, outer] = [0.0066 + 0.0022 * i, 0.0082 + 0.0022 * i];
  const [wheelAt, top] = [0.04 + 0.0125 * i, 0.2 - 0.024 * i];
  const node = scene.group(name, { turn: axisAngle(UP, start) });
  const g = { teeth, module: MODULE, bore: outer + 0.0001, thickness: 0.006 };
  // A tooth points at the lay shaft at time 0, wherever the arm points.
  const wheel = finish(gear(g, radians(SHAFT_AT - start)), { creaseDegrees: 28 });
  scene.add(`${name} wheel`, [{ mesh: wheel, surface: brass }], { at: [0, wheelAt, 0], under: node });
  const sleeve = finish(ring(bore, outer, top - wheelAt + 0.002, 0.0003, 40, 2));
  scene.add(`${name} sleeve`, [{ mesh: sleeve, surface: brass }], { at: [0, wheelAt - 0.001, 0], under: node });
  const collar = finish(ring(outer + 0.0001, outer + 0.0055, 0.011, 0.002, 48, 3));
  scene.add(`${name} collar`, [{ mesh: collar, surface: brass }], { at: [0, top - 0.013, 0], under: node });
  const arm = top - 0.0075;
  const bottom = PLANE - radius;
  const bend = 0.018;
  const path: Vec3[] = [
    [outer + 0.0092, arm, 0],
    [orbit * 0.5, arm, 0],
    [orbit - bend, arm, 0],
  ];
  for (let k = 1; k <= 6; k++) {
    const a = (k / 6) * (Math.PI / 2);
    path.push([orbit - bend + bend * Math.sin(a), arm + bend * (1 - Math.cos(a)), 0]);
  }
  path.push([orbit, bottom - 0.0034, 0]);
  scene.add(`${name} arm`, [{ mesh: finish(tube(path, 0.0032, 16)), surface: brass }], { under: node });
  planetBody(scene, planet, i, node, brass);
  const shaftTurns = (SHAFT_TURNS * (60 - teeth)) / teeth;
  return [{ node, axis: UP, turns: shaftTurns, from: start }];
}

function planetBody(scene: SampleScene, { name, radius, orbit }: Planet, i: number, under: Node, brass: Material): void {
  const at: Vec3 = [orbit, PLANE, 0];
  const enamel = (s: { colour?: string; picture?: Uint8Array<ArrayBuffer> }): Material =>
    scene.surface({ name: `${name} enamel`, roughness: 0.35, coat: { factor: 1, roughness: 0.04 }, ...s });
  const looks = [
    () => enamel({ colour: '#b5402c' }),
    () =>
      scene.surface({
        name: `${name} glass`,
        colour: '#ffffff',
        roughness: 0,
        glass: { ior: 1.52, thickness: 2 * radius, colour: '#f0a24a', distance: 0.02 },
      }),
    () => enamel({ picture: globe(256) }),
    () => enamel({ picture: bands(128) }),
  ];
  const ball = finish(sphere(radius, 36, 22));
  const turn = axisAngle([0, 0, 1], [0, 0, 23, 20][i]!);
  scene.add(`${name} ball`, [{ mesh: ball, surface: looks[i]!() }], { at, turn, under });
  if (i === 3) {
    const band = finish(ring(radius * 1.3, radius * 1.95, 0.0012, 0.0004, 72, 2));
    scene.add(`${name} ring`, [{ mesh: band, surface: brass }], { at, turn: axisAngle([0, 0, 1], 20), under });
  }
  if (i === 2) {
    const moon = scene.surface({ name: 'moon', colour: '#dcdcd6', roughness: 0.5 });
    scene.add('moon', [{ mesh: finish(sphere(0.0062, 24, 16)), surface: moon }], { at: [orbit + 0.036, PLANE + 0.012, 0.014], under });
    const wire = spline<Vec3>(
      [
        [orbit + 0.0056, 0.226, 0],
        [orbit + 0.018, 0.2275, 0.004],
        [orbit + 0.031, 0.242, 0.011],
        [orbit + 0.036, PLANE + 0.0045, 0.014],
      ],
      5,
    );
    scene.add('moon wire', [{ mesh: finish(tube(wire, 0.0009, 8, 2)), surface: brass }], { under });
  }
}

/** The shaft that drives the sleeves: four pinions, each with a gap where its wheel has a tooth. */
function layShaft(scene: SampleScene, brass: Material, steel: Material): Wheels[number] {
  const a = radians(SHAFT_AT);
  const at: Vec3 = [CENTRES * Math.cos(a), 0, -CENTRES * Math.sin(a)];
  const node = scene.group('lay shaft', { at });
  PLANETS.forEach(({ teeth }, i) => {
    const g = { teeth: 60 - teeth, module: MODULE, bore: 0.0041, thickness: 0.006 };
    const mesh = finish(gear(g, a + Math.PI + Math.PI / g.teeth), { creaseDegrees: 28 });
    scene.add(`pinion ${i + 1}`, [{ mesh, surface: steel }], { at: [0, 0.04 + 0.0125 * i, 0], under: node });
  });
  scene.add('shaft', [{ mesh: finish(disc(0.004, 0.07, 0.001, 24)), surface: brass }], { at: [0, 0.0305, 0], under: node });
  scene.add('finial', [{ mesh: finish(sphere(0.0065, 24, 16)), surface: brass }], { at: [0, 0.1072, 0], under: node });
  if (Math.abs(pitchRadius({ teeth: 60, module: MODULE }) - CENTRES) > 1e-9) throw new Error('the wheels do not meet');
  return { node, axis: UP, turns: -SHAFT_TURNS };
}

function sun(scene: SampleScene, brass: Material): void {
  const glow = scene.surface({ name: 'sun', colour: '#ffffff', emission: { colour: '#ffb765', strength: 38 } });
  scene.add('spindle', [{ mesh: finish(disc(0.0062, 0.188, 0.001, 32)), surface: brass }], { at: [0, 0.0303, 0] });
  const cup = fillet(
    [
      [0, 0],
      [0.0062, 0, 0.001],
      [0.006, 0.0035, 0.001],
      [0.0125, 0.0072, 0.001],
      [0.0112, 0.0072, 0.0004],
      [0, 0.0036],
    ],
    3,
  );
  scene.add('sun cup', [{ mesh: finish(revolve(cup, { around: 32 })), surface: brass }], { at: [0, 0.2185, 0] });
  scene.add('sun', [{ mesh: finish(sphere(0.036, 40, 24)), surface: glow }], { at: [0, PLANE, 0] });
}
