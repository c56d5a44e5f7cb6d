/** Profiles of things turned on a wheel: glass, ceramic, metal and fruit, in metres. Refuses placement and material. */
import { fillet, revolve, spline, type Corner } from './shapes.ts';
import type { Shape } from './mesh.ts';
import type { Vec2 } from './vec.ts';

/** A vessel from its outer wall (foot to lip) and inner wall (lip to bottom), each a smooth curve, with a rounded lip between. */
function vessel(outer: readonly Vec2[], inner: readonly Vec2[], steps: number, around: number, repeat: Vec2 = [1, 1]): Shape {
  const up = spline(outer, steps);
  const down = spline(inner, steps);
  const [a, b] = [up[up.length - 1]!, down[0]!];
  const [mid, half]: [Vec2, number] = [[(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], (a[0] - b[0]) / 2];
  const lip: Vec2[] = [1, 2, 3, 4, 5].map((k) => {
    const t = (k / 6) * Math.PI;
    return [mid[0] + half * Math.cos(t), mid[1] + half * Math.sin(t)];
  });
  return revolve(
    [[0, outer[0]![1]], ...up.slice(up[0]![0] === 0 ? 1 : 0), ...lip, ...down.slice(0, -1), [0, inner[inner.length - 1]![1]]],
    { around, repeat },
  );
}

/** 27 cm carafe: walls 3 mm, a heavy bottom. Stands on y = 0. */
export function carafe(around: number): Shape {
  const outer: Vec2[] = [
    [0.04, 0],
    [0.056, 0.002],
    [0.066, 0.012],
    [0.076, 0.04],
    [0.078, 0.07],
    [0.068, 0.106],
    [0.046, 0.14],
    [0.031, 0.17],
    [0.0265, 0.2],
    [0.028, 0.235],
    [0.036, 0.268],
  ];
  const inner: Vec2[] = [
    [0.0336, 0.268],
    [0.0256, 0.235],
    [0.0238, 0.2],
    [0.0282, 0.17],
    [0.0428, 0.14],
    [0.0648, 0.106],
    [0.075, 0.07],
    [0.073, 0.042],
    [0.061, 0.019],
    [0.035, 0.0125],
    [0, 0.0115],
  ];
  return vessel(outer, inner, 3, around);
}

/** 19 cm wine glass: foot, solid stem, bowl 1.4 mm thin at the lip. */
export function wineGlass(around: number): Shape {
  const outer: Vec2[] = [
    [0.03, 0],
    [0.0335, 0.0006],
    [0.0345, 0.0018],
    [0.033, 0.003],
    [0.02, 0.005],
    [0.008, 0.009],
    [0.0046, 0.02],
    [0.0038, 0.05],
    [0.0042, 0.08],
    [0.0085, 0.0905],
    [0.024, 0.1],
    [0.0355, 0.118],
    [0.039, 0.138],
    [0.0365, 0.165],
    [0.0325, 0.19],
  ];
  const inner: Vec2[] = [
    [0.0311, 0.19],
    [0.035, 0.165],
    [0.0374, 0.138],
    [0.0338, 0.119],
    [0.022, 0.1025],
    [0.008, 0.0955],
    [0, 0.0945],
  ];
  return vessel(outer, inner, 3, around);
}

/** Bottle vase with a narrow neck, 24 cm. */
export function vase(around: number): Shape {
  const outer: Vec2[] = [
    [0.034, 0],
    [0.039, 0.002],
    [0.042, 0.008],
    [0.058, 0.045],
    [0.066, 0.085],
    [0.06, 0.125],
    [0.038, 0.155],
    [0.0205, 0.18],
    [0.0165, 0.205],
    [0.019, 0.225],
    [0.026, 0.238],
  ];
  const inner: Vec2[] = [
    [0.0225, 0.238],
    [0.0155, 0.224],
    [0.0128, 0.205],
    [0.0165, 0.18],
    [0.034, 0.152],
    [0.055, 0.122],
    [0.06, 0.085],
    [0.052, 0.047],
    [0.034, 0.013],
    [0, 0.009],
  ];
  return vessel(outer, inner, 3, around, [1, 1]);
}

/** Footed bowl, 22 cm wide and 8.4 cm high, walls 2.6 mm. */
export function bowl(around: number, repeat: Vec2): Shape {
  const outer: Vec2[] = [
    [0.044, 0],
    [0.047, 0.001],
    [0.0475, 0.004],
    [0.044, 0.01],
    [0.046, 0.015],
    [0.075, 0.031],
    [0.099, 0.055],
    [0.11, 0.084],
  ];
  const inner: Vec2[] = [
    [0.1074, 0.084],
    [0.0964, 0.0562],
    [0.0735, 0.0336],
    [0.042, 0.0192],
    [0.02, 0.0162],
    [0, 0.0158],
  ];
  return vessel(outer, inner, 4, around, repeat);
}

/** Low stoneware cup, 7 cm. */
export function cup(around: number): Shape {
  const outer: Vec2[] = [
    [0.022, 0],
    [0.0255, 0.001],
    [0.0265, 0.004],
    [0.0345, 0.016],
    [0.0385, 0.035],
    [0.04, 0.07],
  ];
  const inner: Vec2[] = [
    [0.0368, 0.07],
    [0.035, 0.036],
    [0.0305, 0.018],
    [0.02, 0.0085],
    [0, 0.0072],
  ];
  return vessel(outer, inner, 3, around, [2, 1]);
}

/** Lemon lying along +Y about the origin: 9.2 cm from nipple to stalk end, 6.2 cm thick. */
export function lemon(around: number): Shape {
  const side: Vec2[] = [
    [0, -0.0455],
    [0.0055, -0.0445],
    [0.0078, -0.0405],
    [0.0125, -0.0355],
    [0.0225, -0.0245],
    [0.0295, -0.009],
    [0.0305, 0.004],
    [0.0262, 0.0195],
    [0.0175, 0.0315],
    [0.0105, 0.0372],
    [0.0062, 0.0405],
    [0, 0.0412],
  ];
  return revolve(spline(side, 2), { around, repeat: [3, 2] });
}

/** Pear standing on y = 0, 10.5 cm, its neck leaning a little. */
export function pear(around: number): Shape {
  const side: Vec2[] = [
    [0, 0.0045],
    [0.007, 0.003],
    [0.0145, 0.0005],
    [0.0235, 0.004],
    [0.0325, 0.016],
    [0.0355, 0.031],
    [0.0325, 0.047],
    [0.0245, 0.063],
    [0.018, 0.078],
    [0.0148, 0.091],
    [0.0108, 0.1005],
    [0.005, 0.1035],
    [0, 0.1025],
  ];
  const upright = revolve(spline(side, 3), { around, repeat: [2, 2] });
  return { ...upright, points: upright.points.map(([x, y, z]) => [x + 2.2 * Math.max(0, y - 0.03) ** 2, y, z]) };
}

/** A disc or plate of a rounded rectangular section, standing on y = 0. */
export function disc(radius: number, height: number, edge: number, around: number, steps = 4): Shape {
  const corners: Corner[] = [
    [0, 0],
    [radius, 0, edge],
    [radius, height, edge],
    [0, height],
  ];
  return revolve(fillet(corners, steps), { around });
}

/** A ring of rounded rectangular section about the axis, from y = 0. */
export function ring(inner: number, outer: number, height: number, edge: number, around: number, steps = 3): Shape {
  const corners: Corner[] = [
    [inner, 0, edge],
    [outer, 0, edge],
    [outer, height, edge],
    [inner, height, edge],
  ];
  return revolve(fillet(corners, steps, true), { around, loop: true });
}
