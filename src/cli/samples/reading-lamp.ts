/**
 * "Reading lamp": the corner of a desk at dusk. One lamp under an enamelled shade, what it lights by
 * bouncing, and a window's blue. Lengths in metres, the desk's top is y = 0. Refuses glass: every
 * path here is one that light sampling finds, so it converges quickly.
 */
import type { Material } from '@gltf-transform/core';
import { book, openBook } from './books.ts';
import { rgb } from './colour.ts';
import { cup, disc } from './glassware.ts';
import { finish } from './mesh.ts';
import { SampleScene } from './scene.ts';
import { fillet, revolve, spline, tube } from './shapes.ts';
import { lidAndBody, room, slab, softBox } from './studio.ts';
import { dusk, leaves, page, plaster, print, speckled, wood } from './textures.ts';
import { add, axisAngle, cross, length, multiply, normalize, rotate, scale, sub, type Quat, type Vec2, type Vec3 } from './vec.ts';

const CLEAR = 0.0002;
const WALL = -0.44;

export function readingLamp(): Promise<Uint8Array> {
  const scene = new SampleScene('Reading lamp');
  scene.camera('Camera', [-0.04, 0.42, 1.12], [0.02, 0.205, -0.1], 31);
  surroundings(scene);
  lamp(scene);
  const dim = scene.surface({ name: 'hall light', colour: '#000000', emission: { colour: '#ffd0a0', strength: 9 } });
  const housing = scene.surface({ name: 'housing', colour: '#3a3632', roughness: 0.8 });
  softBox(scene, 'hall light', [0.34, 0.34], [1.0, 1.2, 1.2], [0, 0.2, -0.1], dim, housing);
  library(scene);
  smallThings(scene);
  return scene.glb();
}

function surroundings(scene: SampleScene): void {
  const walls = scene.surface({ name: 'wall paint', picture: plaster(256, rgb('#a89a86'), rgb('#c2b6a4'), 15), roughness: 0.95 });
  room(scene, 'room', [-1.0, -0.76, WALL], [1.5, 1.75, 2.2], 0.1, walls);
  const oak = scene.surface({ name: 'oak', picture: wood(512, rgb('#5a3a22'), rgb('#a87a4c'), 4), roughness: 0.42 });
  slab(scene, 'desk', [1.7, 0.036, 0.84], [0.05, -0.018, 0.0 - 0.015], oak, 0.012, 1.1);
  const paint = scene.surface({ name: 'window frame', colour: '#d8d2c4', roughness: 0.5 });
  const night = scene.surface({ name: 'dusk', colour: '#000000', emission: { colour: '#ffffff', strength: 2, picture: dusk(256) } });
  const [cx, cy, w, h] = [-0.4, 0.56, 0.56, 0.8];
  const { lid, body } = lidAndBody([w, h, 0.01]);
  const z = WALL + 0.0055;
  scene.add(
    'window',
    [
      { mesh: finish(lid), surface: night },
      { mesh: finish(body), surface: paint },
    ],
    { at: [cx, cy, z] },
  );
  const bars: [string, Vec3, Vec3][] = [
    ['sill', [w + 0.16, 0.024, 0.09], [cx, cy - h / 2 - 0.0125, WALL + 0.0453]],
    ['left jamb', [0.045, h, 0.034], [cx - w / 2 - 0.0229, cy, WALL + 0.0173]],
    ['right jamb', [0.045, h, 0.034], [cx + w / 2 + 0.0229, cy, WALL + 0.0173]],
    ['head', [w + 0.0918, 0.05, 0.034], [cx, cy + h / 2 + 0.0253, WALL + 0.0173]],
    ['mullion', [0.026, h - 0.001, 0.02], [cx, cy, WALL + 0.0208]],
    ['left bar', [w / 2 - 0.0135, 0.022, 0.018], [cx - w / 4 - 0.0067, cy + 0.08, WALL + 0.02]],
    ['right bar', [w / 2 - 0.0135, 0.022, 0.018], [cx + w / 4 + 0.0067, cy + 0.08, WALL + 0.02]],
  ];
  for (const [name, size, at] of bars) slab(scene, name, size, at, paint, 0.003);
  const frame = scene.surface({ name: 'picture frame', colour: '#2a211b', roughness: 0.4 });
  const art = scene.surface({ name: 'print', picture: print(256), roughness: 0.7 });
  const [px, py, pw, ph] = [0.4, 0.6, 0.26, 0.26];
  const panel = lidAndBody([pw, ph, 0.008]);
  scene.add(
    'print',
    [
      { mesh: finish(panel.lid), surface: art },
      { mesh: finish(panel.body), surface: frame },
    ],
    { at: [px, py, WALL + 0.005] },
  );
  for (const [name, dx, dy] of [
    ['frame left', -1, 0],
    ['frame right', 1, 0],
    ['frame low', 0, -1],
    ['frame high', 0, 1],
  ] as const) {
    const size: Vec3 = dx ? [0.016, ph, 0.022] : [pw + 0.0324, 0.016, 0.022];
    slab(scene, name, size, [px + dx * (pw / 2 + 0.0081), py + dy * (ph / 2 + 0.0081), WALL + 0.0115], frame, 0.002);
  }
}

/** The turn that brings +Y onto a direction. */
function upTo(direction: Vec3): Quat {
  const axis = cross([0, 1, 0], direction);
  const s = length(axis);
  if (s < 1e-9) return [0, 0, 0, 1];
  return axisAngle(normalize(axis), (Math.atan2(s, direction[1]) * 180) / Math.PI);
}

function lamp(scene: SampleScene): void {
  const steel = scene.surface({ name: 'brushed steel', colour: '#b9b2a6', metallic: 1, roughness: 0.5 });
  const brass = scene.surface({ name: 'brass', colour: '#c99a4e', metallic: 1, roughness: 0.42 });
  const enamel = scene.surface({ name: 'green enamel', colour: '#12503f', roughness: 0.3, coat: { factor: 1, roughness: 0.08 } });
  const white = scene.surface({ name: 'white enamel', colour: '#efece4', roughness: 0.6 });
  const glow = scene.surface({ name: 'opal glow', colour: '#ffffff', emission: { colour: '#ffc88a', strength: 40 } });
  const foot: Vec3 = [0.3, CLEAR, -0.17];
  scene.add('lamp foot', [{ mesh: finish(disc(0.08, 0.02, 0.008, 56)), surface: enamel }], { at: foot });
  scene.add('lamp post', [{ mesh: finish(disc(0.013, 0.03, 0.003, 32)), surface: brass }], { at: [foot[0], 0.0203, foot[2]] });
  const [knee, elbow, head]: [Vec3, Vec3, Vec3] = [
    [foot[0], 0.0668, foot[2]],
    [0.43, 0.37, -0.21],
    [0.1, 0.475, -0.07],
  ];
  for (const [name, at] of [
    ['knee', knee],
    ['elbow', elbow],
  ] as const) {
    const joint = finish(disc(0.016, 0.024, 0.004, 32));
    scene.add(`lamp ${name}`, [{ mesh: joint, surface: brass }], { at: [at[0], at[1], at[2] - 0.012], turn: axisAngle([1, 0, 0], 90) });
  }
  const rod = (name: string, from: Vec3, to: Vec3): void => {
    const along = normalize(sub(to, from));
    const [a, b] = [add(from, scale(along, 0.026)), add(to, scale(along, -0.026))];
    scene.add(name, [{ mesh: finish(tube([a, add(a, scale(sub(b, a), 0.5)), b], 0.0052, 16)), surface: steel }]);
  };
  rod('lower arm', knee, elbow);
  rod('upper arm', elbow, head);
  shade(scene, head, { enamel, white, glow });
}

/** The shade's wall, outside going up and inside coming down: radius and height above the rim. */
const OUTER: readonly Vec2[] = spline<Vec2>(
  [
    [0.098, 0],
    [0.093, 0.022],
    [0.066, 0.078],
    [0.036, 0.112],
    [0.026, 0.128],
    [0.0245, 0.15],
  ],
  4,
);
const INNER: readonly Vec2[] = spline<Vec2>(
  [
    [0.024, 0.124],
    [0.034, 0.109],
    [0.064, 0.076],
    [0.0912, 0.021],
    [0.0962, 0],
  ],
  4,
);

/** The shade hanging from `head`: enamelled outside, white inside, its mouth closed by a glowing disc. */
function shade(scene: SampleScene, head: Vec3, { enamel, white, glow }: Readonly<Record<'enamel' | 'white' | 'glow', Material>>): void {
  // The shade's axis leans from straight down towards the book.
  const axis = normalize([0.16, 1, -0.12]);
  const turn = upTo(axis);
  const rim = sub(head, scale(axis, 0.172));
  const shell = fillet(
    [
      [0.0245, 0.15],
      [0.022, 0.158, 0.004],
      [0, 0.158],
    ],
    4,
  );
  const lip: Vec2[] = [
    [0.0962, 0],
    [0.0968, -0.0007],
    [0.0974, -0.0007],
    [0.098, 0],
  ];
  const outside = finish(revolve([...lip, ...OUTER.slice(1), ...shell.slice(1)], { around: 64 }));
  const lining = finish(revolve([[0, 0.124], ...INNER], { around: 64 }));
  scene.add(
    'shade',
    [
      { mesh: outside, surface: enamel },
      { mesh: lining, surface: white },
    ],
    { at: rim, turn },
  );
  // An opal disc closes the mouth: a bare bulb would turn the lining into a source that only luck finds.
  const glowing = finish(
    revolve(
      [
        [0, 0],
        [0.0938, 0],
      ],
      { around: 56 },
    ),
  );
  const backing = finish(
    revolve(
      [
        [0.0938, 0],
        [0.0938, 0.004],
        [0, 0.004],
      ],
      { around: 56 },
    ),
  );
  const diffuser = [
    { mesh: glowing, surface: glow },
    { mesh: backing, surface: white },
  ];
  scene.add('diffuser', diffuser, { at: add(rim, rotate(turn, [0, 0.004, 0])), turn });
}

function library(scene: SampleScene): void {
  const paper = scene.surface({ name: 'leaves', picture: leaves(64, 5), roughness: 0.9 });
  const cloth = (name: string, colour: string) =>
    scene.surface({ name: `${name} cloth`, colour, roughness: 0.75, sheen: { colour: '#4a4540', roughness: 0.6 } });
  const [red, navy, ochre, green, plum, sand] = [
    cloth('red', '#8e2f24'),
    cloth('navy', '#22344f'),
    cloth('ochre', '#c08a2e'),
    cloth('green', '#3d5a45'),
    cloth('plum', '#512c44'),
    cloth('sand', '#c7b291'),
  ];
  const yaw = (degrees: number): Quat => axisAngle([0, 1, 0], degrees);
  book(scene, 'book 1', [0.19, 0.036, 0.26], navy, paper, { at: [-0.4, CLEAR, -0.1], turn: yaw(74) });
  book(scene, 'book 2', [0.17, 0.028, 0.24], ochre, paper, { at: [-0.395, 0.0364, -0.1], turn: yaw(86) });
  book(scene, 'book 3', [0.15, 0.022, 0.21], red, paper, { at: [-0.41, 0.0646, -0.095], turn: yaw(67) });
  // Standing: the spine turned to the viewer, the row leaning on nothing.
  const upright = multiply(axisAngle([0, 1, 0], 90), axisAngle([1, 0, 0], -90));
  let x = 0.405;
  const row: [Material, number, number, number][] = [
    [green, 0.03, 0.155, 0.235],
    [plum, 0.022, 0.14, 0.2],
    [sand, 0.036, 0.16, 0.25],
    [red, 0.026, 0.145, 0.215],
    [navy, 0.04, 0.165, 0.24],
  ];
  row.forEach(([cover, thick, wide, tall], i) => {
    book(scene, `standing book ${i + 1}`, [wide, thick, tall], cover, paper, {
      at: [x + thick, tall / 2 + CLEAR, -0.23 - wide / 2],
      turn: upright,
    });
    x += thick + 0.0008;
  });
  const pages = [1, 2].map((n) => scene.surface({ name: `page ${n}`, picture: page(512, n), roughness: 0.85 })) as [Material, Material];
  openBook(scene, 'open book', [0.135, 0.016, 0.2], plum, pages, { at: [0.02, CLEAR, 0.12], turn: yaw(8) });
}

function smallThings(scene: SampleScene): void {
  const glaze = scene.surface({
    name: 'tea cup',
    picture: speckled(128, rgb('#d8dde0'), rgb('#9fb2bd'), rgb('#3f4a55'), 9),
    roughness: 0.4,
    coat: { factor: 0.7, roughness: 0.12 },
  });
  scene.add('cup', [{ mesh: finish(cup(44), { creaseDegrees: 60 }), surface: glaze }], { at: [-0.22, CLEAR, 0.13] });
  const tea = scene.surface({ name: 'tea', colour: '#3d1a0a', roughness: 0.05 });
  scene.add('tea', [{ mesh: finish(disc(0.0338, 0.002, 0.0008, 40, 2)), surface: tea }], { at: [-0.22, 0.053, 0.13] });
  const tin = scene.surface({ name: 'pencil pot', colour: '#6f7478', metallic: 1, roughness: 0.45 });
  const wall: Vec2[] = fillet(
    [
      [0, 0],
      [0.036, 0, 0.004],
      [0.036, 0.098, 0.0007],
      [0.0344, 0.098, 0.0007],
      [0.0344, 0.003, 0.002],
      [0, 0.003],
    ],
    4,
  );
  const pot: Vec3 = [0.33, CLEAR, 0.07];
  scene.add('pencil pot', [{ mesh: finish(revolve(wall, { around: 44 })), surface: tin }], { at: pot });
  ['#c23b2a', '#e0a526', '#2f6b8f', '#3f7a4a', '#2b2b2b'].forEach((colour, i) => {
    const paint = scene.surface({ name: `pencil ${i + 1}`, colour, roughness: 0.35, coat: { factor: 0.6, roughness: 0.15 } });
    const angle = 0.5 + i * 1.2566;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const [low, high]: [Vec3, Vec3] = [
      [pot[0] + 0.014 * c, 0.0085, pot[2] + 0.014 * s],
      [pot[0] + 0.034 * c, 0.15 + 0.008 * i, pot[2] + 0.034 * s],
    ];
    const body = tube(
      [low, add(low, scale(sub(high, low), 0.93)), high],
      (t) => (t < 0.94 ? 0.0036 : 0.0036 * (1 - t) * 14 + 0.0006),
      6,
      1,
    );
    scene.add(`pencil ${i + 1}`, [{ mesh: finish(body, { creaseDegrees: 35 }), surface: paint }]);
  });
}
