/**
 * What the light tree knows of a light or of many: a box, a cone of normals with the angle that
 * emission reaches beyond them, and an intensity (pbrt-v4, LightBounds; Conty Estevez and Kulla
 * 2018). Cones only grow when they are united. Exact arithmetic, and no light's colour or texture.
 */
import { acos, cos, PI, sin } from './exact-math.ts';
import type { Vec3 } from './matrix.ts';

export interface LightBounds {
  readonly min: Vec3;
  readonly max: Vec3;
  /** Unit axis of the cone of normals. */
  readonly axis: Vec3;
  /** Half angle of the cone of normals, radians, 0 to π. */
  readonly normals: number;
  /** How far emission reaches beyond a normal, radians, 0 to π. */
  readonly emission: number;
  /** Luminous intensity along the brightest direction; of several lights their sum. */
  readonly intensity: number;
  readonly twoSided: boolean;
}

/** Beyond the error of exact-math's acos, so that a united cone holds both. */
const SLACK = 1e-7;

const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

/** The smallest cone of directions that holds both, after Conty Estevez and Kulla, algorithm 1. */
export function uniteCones(a: Vec3, angleA: number, b: Vec3, angleB: number): { readonly axis: Vec3; readonly angle: number } {
  if (angleB > angleA) return uniteCones(b, angleB, a, angleA);
  const cosine = dot(a, b);
  // The common case of flat emitters, without trigonometry.
  if (angleA === angleB && cosine >= 1 - 1e-15) return { axis: a, angle: angleA };
  const between = acos(Math.min(1, Math.max(-1, cosine)));
  if (Math.min(between + angleB, PI) <= angleA) return { axis: a, angle: angleA };
  const angle = (angleA + between + angleB) / 2 + SLACK;
  if (angle >= PI) return { axis: a, angle: PI };
  // `a` turned towards `b`: along the part of b that is square to a.
  const square: Vec3 = [b[0] - a[0] * cosine, b[1] - a[1] * cosine, b[2] - a[2] * cosine];
  const length = Math.sqrt(dot(square, square));
  if (!(length > 1e-12)) return { axis: a, angle: PI };
  const [c, s] = [cos(angle - angleA), sin(angle - angleA) / length];
  const axis: Vec3 = [a[0] * c + square[0] * s, a[1] * c + square[1] * s, a[2] * c + square[2] * s];
  const norm = Math.sqrt(dot(axis, axis));
  return { axis: [axis[0] / norm, axis[1] / norm, axis[2] / norm], angle };
}

/** `null` is the empty set. */
export function uniteBounds(a: LightBounds | null, b: LightBounds): LightBounds {
  if (!a) return b;
  // What emits to both sides may as well be turned around, which keeps cones of parallel panels narrow.
  const turned = a.twoSided && b.twoSided && dot(a.axis, b.axis) < 0;
  const other: Vec3 = turned ? [-b.axis[0], -b.axis[1], -b.axis[2]] : b.axis;
  const cone = uniteCones(a.axis, a.normals, other, b.normals);
  return {
    min: [Math.min(a.min[0], b.min[0]), Math.min(a.min[1], b.min[1]), Math.min(a.min[2], b.min[2])],
    max: [Math.max(a.max[0], b.max[0]), Math.max(a.max[1], b.max[1]), Math.max(a.max[2], b.max[2])],
    axis: cone.axis,
    normals: cone.angle,
    emission: Math.max(a.emission, b.emission),
    intensity: a.intensity + b.intensity,
    twoSided: a.twoSided || b.twoSided,
  };
}

/**
 * Intensity times solid angle of emission times surface of the box (pbrt-v4, EvaluateCost, without
 * its ratio of sides). A tenth of the squared diagonal tells rows of point lights apart, whose boxes have no surface.
 */
export function orientationCost(bounds: LightBounds): number {
  const { normals, emission } = bounds;
  const whole = Math.min(normals + emission, PI);
  const sine = sin(normals);
  const cosine = cos(normals);
  const solidAngle = 2 * PI * (1 - cosine) + (PI / 2) * (2 * whole * sine - cos(normals - 2 * whole) - 2 * normals * sine + cosine);
  const [x, y, z] = [0, 1, 2].map((k) => (bounds.max[k] as number) - (bounds.min[k] as number)) as [number, number, number];
  return bounds.intensity * solidAngle * (2 * (x * y + y * z + z * x) + (x * x + y * y + z * z) / 10);
}
