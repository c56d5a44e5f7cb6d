/**
 * "Still life": glass, copper, ceramic, linen and fruit on a walnut table by a soft box and a small
 * warm lamp. Lengths in metres, the table's top is y = 0. Refuses overlap: everything stands a tenth
 * of a millimetre clear of what carries it.
 */
import { drape } from './cloth.ts';
import { rgb } from './colour.ts';
import { bowl, carafe, cup, disc, lemon, pear, vase, wineGlass } from './glassware.ts';
import { finish } from './mesh.ts';
import { SampleScene } from './scene.ts';
import { sphere, spline, tube } from './shapes.ts';
import { slab, softBox } from './studio.ts';
import { fbm, hash, linen, normalMap, plaster, speckled, weave, wood } from './textures.ts';
import { axisAngle, multiply, type Vec3 } from './vec.ts';

const CLEAR = 0.0001;
const TABLE_FRONT = 0.36;
const TABLE_EDGE = 0.018;

export function stillLife(): Promise<Uint8Array> {
  const scene = new SampleScene('Still life');
  scene.camera('Camera', [0.02, 0.3, 1.28], [0.005, 0.098, 0], 24);
  surroundings(scene);
  glass(scene);
  vessels(scene);
  fruit(scene);
  cloth(scene);
  return scene.glb();
}

function surroundings(scene: SampleScene): void {
  const walnut = scene.surface({
    name: 'walnut',
    picture: wood(512, rgb('#2a1810'), rgb('#7a4d2e'), 11),
    roughness: 0.38,
    coat: { factor: 0.25, roughness: 0.2 },
  });
  const wallRelief = normalMap(256, 0.012, (u, v) => fbm(u, v, [3, 3], 5, 40) + 0.5 * fbm(u, v, [2, 14], 4, 60));
  const wall = scene.surface({
    name: 'plaster',
    picture: plaster(256, rgb('#40585b'), rgb('#74908c'), 7),
    normal: { picture: wallRelief, scale: 1 },
    roughness: 0.9,
  });
  const dark = scene.surface({ name: 'housing', colour: '#1c1c1e', roughness: 0.8 });
  const card = scene.surface({ name: 'card', colour: '#e8e4dc', roughness: 0.95 });
  slab(scene, 'table', [1.9, 0.04, 0.9], [0, -0.02, TABLE_FRONT - 0.45], walnut, TABLE_EDGE, 1.15);
  slab(scene, 'wall', [3.6, 2.6, 0.06], [0, 0.5, -0.63], wall, 0.004, 0.9);
  slab(scene, 'floor', [3.6, 0.06, 2.6], [0, -0.85, 0.72], dark, 0.004);
  slab(scene, 'fill card', [0.03, 1.1, 1.3], [1.05, 0.3, 0.45], card, 0.004);
  const key = scene.surface({ name: 'soft box', colour: '#000000', emission: { colour: '#fff4e6', strength: 9.5 } });
  softBox(scene, 'soft box', [0.8, 1.05], [-0.9, 0.74, 0.52], [0.02, 0.06, 0], key, dark);
  const strip = scene.surface({ name: 'strip light', colour: '#000000', emission: { colour: '#dfeaff', strength: 3.2 } });
  softBox(scene, 'strip light', [0.9, 0.16], [0.35, 1.05, -0.38], [0.05, 0.1, 0.05], strip, dark);
  lamp(scene);
}

/** Opal globe on a brass foot, lit from within. */
function lamp(scene: SampleScene): void {
  const brass = scene.surface({ name: 'brass', colour: '#d9a95b', metallic: 1, roughness: 0.28 });
  const opal = scene.surface({ name: 'opal glow', colour: '#ffffff', emission: { colour: '#ffb56b', strength: 11 } });
  const at: Vec3 = [0.395, CLEAR, -0.27];
  scene.add('lamp foot', [{ mesh: finish(disc(0.05, 0.014, 0.005, 48)), surface: brass }], { at });
  const stem = finish(disc(0.007, 0.12, 0.002, 24));
  scene.add('lamp stem', [{ mesh: stem, surface: brass }], { at: [at[0], 0.0143, at[2]] });
  scene.add('lamp collar', [{ mesh: finish(disc(0.022, 0.012, 0.004, 40)), surface: brass }], { at: [at[0], 0.1345, at[2]] });
  scene.add('lamp globe', [{ mesh: finish(sphere(0.052, 32, 20)), surface: opal }], { at: [at[0], 0.1987, at[2]] });
}

function glass(scene: SampleScene): void {
  const crystal = scene.surface({
    name: 'crystal',
    colour: '#ffffff',
    roughness: 0,
    glass: { ior: 1.52, thickness: 0.003, colour: '#cfe9df', distance: 0.06 },
  });
  scene.add('carafe', [{ mesh: finish(carafe(52), { creaseDegrees: 80 }), surface: crystal }], { at: [-0.215, CLEAR, -0.105] });
  const thin = scene.surface({ name: 'thin crystal', colour: '#ffffff', roughness: 0, glass: { ior: 1.5, thickness: 0.0014 } });
  scene.add('wine glass', [{ mesh: finish(wineGlass(40), { creaseDegrees: 80 }), surface: thin }], { at: [0.235, CLEAR, 0.055] });
  const amber = scene.surface({
    name: 'amber glass',
    colour: '#ffffff',
    roughness: 0,
    glass: { ior: 1.5, thickness: 0.05, colour: '#e08a2c', distance: 0.03 },
  });
  scene.add('paperweight', [{ mesh: finish(sphere(0.026, 40, 26)), surface: amber }], { at: [0.15, 0.026 + CLEAR, 0.185] });
}

function vessels(scene: SampleScene): void {
  // Lathe marks: fine rings along the profile, a little uneven around.
  const marks = normalMap(256, 0.0022, (u, v) => fbm(u, v, [2, 64], 2, 80) + 0.6 * fbm(u, v, [3, 24], 2, 90));
  const copper = scene.surface({
    name: 'brushed copper',
    colour: '#e0936a',
    metallic: 1,
    roughness: 0.26,
    normal: { picture: marks, scale: 1 },
  });
  scene.add('bowl', [{ mesh: finish(bowl(52, [1, 1]), { creaseDegrees: 60, tangents: true }), surface: copper }], {
    at: [0.005, CLEAR, -0.01],
  });
  const celadon = scene.surface({
    name: 'celadon',
    colour: '#e9efe4',
    picture: speckled(256, rgb('#c9d6c3'), rgb('#8fb0a2'), rgb('#5a6a58'), 5),
    roughness: 0.42,
    coat: { factor: 1, roughness: 0.06 },
  });
  scene.add('vase', [{ mesh: finish(vase(44), { creaseDegrees: 60 }), surface: celadon }], { at: [0.165, CLEAR, -0.16] });
  const stone = scene.surface({
    name: 'stoneware',
    picture: speckled(256, rgb('#e6dccb'), rgb('#c8b59a'), rgb('#5b4634'), 23),
    roughness: 0.5,
    coat: { factor: 0.5, roughness: 0.25 },
  });
  scene.add('cup', [{ mesh: finish(cup(40), { creaseDegrees: 60 }), surface: stone }], { at: [-0.36, CLEAR, 0.0] });
}

function fruit(scene: SampleScene): void {
  const pores = normalMap(128, 0.008, (u, v) => fbm(u, v, [16, 16], 2, 31));
  const zest = scene.surface({
    name: 'lemon',
    colour: '#f2c230',
    roughness: 0.36,
    normal: { picture: pores, scale: 1 },
    coat: { factor: 0.3, roughness: 0.25 },
  });
  const whole = finish(lemon(32), { creaseDegrees: 60, tangents: true });
  const lying = (yaw: number, tilt: number) => multiply(axisAngle([0, 1, 0], yaw), axisAngle([0, 0, 1], tilt));
  const first = scene.add('lemon 1', [{ mesh: whole, surface: zest }], { at: [-0.037, 0.0585, 0.014], turn: lying(40, 90) });
  scene.again('lemon 2', first, { at: [0.043, 0.061, 0.016], turn: lying(-50, 88) });
  scene.again('lemon 3', first, { at: [0.005, 0.062, -0.062], turn: lying(5, 80) });
  scene.again('lemon 4', first, { at: [0.02, 0.0309, 0.175], turn: lying(-28, 90) });
  const skin = scene.surface({
    name: 'pear',
    picture: speckled(256, rgb('#c2bf4a'), rgb('#a9762f'), rgb('#6b4a22'), 77),
    roughness: 0.42,
    coat: { factor: 0.25, roughness: 0.3 },
  });
  const stalk = scene.surface({ name: 'stalk', colour: '#4a3420', roughness: 0.8 });
  const ripe = finish(pear(36), { creaseDegrees: 60 });
  const at: Vec3 = [-0.15, CLEAR + 0.003, 0.11];
  scene.add('pear', [{ mesh: ripe, surface: skin }], { at });
  const bend = spline<Vec3>(
    [
      [0.0116, 0.1055, 0],
      [0.0135, 0.113, 0.0005],
      [0.0175, 0.121, 0.002],
      [0.024, 0.127, 0.003],
    ],
    3,
  );
  scene.add('stalk', [{ mesh: finish(tube(bend, (t) => 0.0014 + 0.0006 * t * t, 8, 2)), surface: stalk }], { at });
  grapes(scene);
}

/** A small bunch: berries dropped on the table and on each other by relaxation, none overlapping. */
function grapes(scene: SampleScene): void {
  const berry = 0.0105;
  const centres = pile(26, berry + CLEAR, [0.095, 0.1]);
  const skin = scene.surface({ name: 'grape', colour: '#3d1631', roughness: 0.34, coat: { factor: 0.55, roughness: 0.16 } });
  const mesh = finish(sphere(berry, 18, 12));
  let first: ReturnType<SampleScene['add']> | null = null;
  centres.forEach((at, i) => {
    const name = `grape ${i + 1}`;
    if (first) scene.again(name, first, { at });
    else first = scene.add(name, [{ mesh, surface: skin }], { at });
  });
}

function pile(count: number, r: number, middle: readonly [number, number]): Vec3[] {
  const centres: Vec3[] = Array.from({ length: count }, (_, i) => [
    middle[0] + (hash(i, 1, 3) - 0.5) * 0.09,
    r + hash(i, 2, 3) * 0.05,
    middle[1] + (hash(i, 3, 3) - 0.5) * 0.06,
  ]);
  for (let step = 0; step < 600; step++) {
    for (let i = 0; i < count; i++) {
      const [x, y, z] = centres[i]!;
      // Falls and is drawn gently to the middle; then overlaps are pushed apart, the table last.
      centres[i] = step < 450 ? [x + (middle[0] - x) * 0.003, y - 0.0004, z + (middle[1] - z) * 0.004] : [x, y, z];
    }
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const [a, b] = [centres[i]!, centres[j]!];
        const d: Vec3 = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
        const l = Math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        if (l >= 2 * r) continue;
        const k = (2 * r - l) / (2 * l);
        centres[i] = [a[0] - d[0] * k, a[1] - d[1] * k, a[2] - d[2] * k];
        centres[j] = [b[0] + d[0] * k, b[1] + d[1] * k, b[2] + d[2] * k];
      }
      const [x, y, z] = centres[i]!;
      if (y < r) centres[i] = [x, r, z];
    }
  }
  return centres;
}

/** Linen laid in loose folds, falling over the table's front edge. */
function cloth(scene: SampleScene): void {
  const threads = 128;
  const picture = linen(
    512,
    threads,
    rgb('#dbcfb8'),
    rgb('#3a587c'),
    (u) => Math.abs(u - 0.1) < 0.018 || Math.abs(u - 0.16) < 0.008 || Math.abs(u - 0.9) < 0.018 || Math.abs(u - 0.84) < 0.008,
    3,
  );
  const relief = normalMap(256, 0.0035, (u, v) => weave(u, v, 32));
  const surface = scene.surface({
    name: 'linen',
    picture,
    normal: { picture: relief, scale: 0.6 },
    roughness: 0.95,
    sheen: { colour: '#8f8a80', roughness: 0.5 },
  });
  const shape = drape(
    {
      columns: 54,
      rows: 44,
      rest: [0.345, 0.43],
      thickness: 0.0012,
      steps: 420,
      slip: 0.02,
      apart: 0.007,
      hold: (t) => 0.5 * Math.max(0, 1 - 2.6 * t),
      start: laid,
      collide,
    },
    [1, 1],
  );
  scene.add('linen', [{ mesh: finish(shape, { creaseDegrees: 80, tangents: true }), surface }]);
}

/** The linen as a hand lays it: gathered in folds at the back, fanning out towards the table's edge. */
function laid(s: number, t: number): Vec3 {
  const width = 0.27 + 0.05 * t;
  const phase = 2 * Math.PI * (2.3 * s + 0.1 * Math.sin(5.2 * s + 1.3) + 0.1 * Math.sin(4.1 * t));
  const height = (0.016 + 0.004 * Math.sin(7 * s + 2)) * (1 - 0.25 * t);
  return [
    -0.335 + width * (s - 0.5) + 0.13 + 0.035 * t,
    0.002 + height * (1 + Math.sin(phase)),
    0.165 + 0.41 * t + 0.012 * Math.sin(6 * s),
  ];
}

/** Keeps the cloth's middle out of the table: a quarter of space whose edge is rounded. */
function collide(p: Vec3): Vec3 {
  const lift = 0.0022;
  const round = TABLE_EDGE;
  const [x, y, z] = p;
  const [dy, dz] = [y + round, z - (TABLE_FRONT - round)];
  if (dy > 0 && dz > 0) {
    const l = Math.sqrt(dy * dy + dz * dz);
    if (l >= round + lift) return p;
    const k = (round + lift) / l;
    return [x, -round + dy * k, TABLE_FRONT - round + dz * k];
  }
  const [down, out] = [lift - y, TABLE_FRONT + lift - z];
  if (down <= 0 || out <= 0) return p;
  return down < out ? [x, lift, z] : [x, y, TABLE_FRONT + lift];
}
