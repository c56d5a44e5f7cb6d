/**
 * Closed surfaces: revolution, swept tube, rounded box, sphere, extruded strip. Each is watertight and
 * faces outwards. Refuses to close an open profile: it starts and ends on the axis, is a loop, or is
 * one half of a surface whose other half the caller shows in the same mesh.
 */
import type { Shape } from './mesh.ts';
import { emptyShape } from './mesh.ts';
import { add, cross, dot, normalize, scale, sub, type Vec2, type Vec3 } from './vec.ts';

/** A corner of a profile: radius and height in metres, and the radius of its fillet. */
export type Corner = readonly [number, number, number?];

/** Joins rows of `across` + 1 points (last = first, other u) into quads; outward when rows rise and columns turn from +X to -Z. */
function stitch(shape: Shape, rows: number, across: number): void {
  for (let i = 0; i + 1 < rows; i++) {
    for (let j = 0; j < across; j++) {
      const a = i * (across + 1) + j;
      const b = a + across + 1;
      shape.triangles.push(a, a + 1, b + 1, a, b + 1, b);
    }
  }
}

/**
 * Replaces the corners of a polyline by arcs of `steps` pieces (tangent circles); a corner too close
 * to its neighbours gets the largest radius that fits. `loop`: the last corner meets the first.
 */
export function fillet(corners: readonly Corner[], steps = 5, loop = false): Vec2[] {
  const out: Vec2[] = [];
  const n = corners.length;
  corners.forEach((corner, i) => {
    const before = corners[(i + n - 1) % n]!;
    const after = corners[(i + 1) % n]!;
    const wanted = corner[2] ?? 0;
    if (wanted === 0 || (!loop && (i === 0 || i === n - 1))) {
      out.push([corner[0], corner[1]]);
      return;
    }
    const p: Vec3 = [corner[0], corner[1], 0];
    const toA = sub([before[0], before[1], 0], p);
    const toB = sub([after[0], after[1], 0], p);
    const [a, b] = [normalize(toA), normalize(toB)];
    const cosine = dot(a, b);
    // tan(half the corner) relates the fillet's radius to how far it reaches along the sides.
    const tangent = Math.sqrt((1 - cosine) / Math.max(1e-9, 1 + cosine));
    const reach = Math.min(wanted / tangent, 0.48 * Math.sqrt(dot(toA, toA)), 0.48 * Math.sqrt(dot(toB, toB)));
    const radius = reach * tangent;
    const centre = add(p, scale(normalize(add(a, b)), Math.sqrt(reach * reach + radius * radius)));
    const [from, to] = [sub(add(p, scale(a, reach)), centre), sub(add(p, scale(b, reach)), centre)];
    const angle = Math.acos(Math.min(1, Math.max(-1, dot(from, to) / (radius * radius))));
    for (let s = 0; s <= steps; s++) {
      const [wa, wb] = [Math.sin(angle * (1 - s / steps)) / Math.sin(angle), Math.sin((angle * s) / steps) / Math.sin(angle)];
      const q = add(centre, add(scale(from, wa), scale(to, wb)));
      out.push([q[0], q[1]]);
    }
  });
  return out;
}

/** Catmull-Rom curve through points (end points doubled), `steps` pieces per span. */
export function spline<T extends readonly number[]>(through: readonly T[], steps: number): T[] {
  const at = (i: number): T => through[Math.min(through.length - 1, Math.max(0, i))]!;
  const out: T[] = [];
  for (let i = 0; i + 1 < through.length; i++) {
    for (let s = 0; s < steps; s++) {
      const t = s / steps;
      const point = at(i).map((p1, k) => {
        const [p0, p2, p3] = [at(i - 1)[k]!, at(i + 1)[k]!, at(i + 2)[k]!];
        return p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)));
      });
      out.push(point as unknown as T);
    }
  }
  out.push(at(through.length - 1));
  return out;
}

interface RevolveOptions {
  /** Pieces around the axis. */
  readonly around: number;
  /** The profile is a closed loop away from the axis. */
  readonly loop?: boolean;
  /** Texture repeats around and along the profile. */
  readonly repeat?: Vec2;
  /** Moves a point of the profile per angle (radians): gear teeth, lobes of a fruit. */
  readonly shape?: (radius: number, height: number, angle: number) => Vec2;
}

/** Turns a profile (radius, height), outside on its right-hand side going up, about +Y. */
export function revolve(profile: readonly Vec2[], { around, loop = false, repeat = [1, 1], shape }: RevolveOptions): Shape {
  const rows = loop ? [...profile, profile[0]!] : profile;
  const out = emptyShape();
  const lengths = [0];
  for (let i = 1; i < rows.length; i++) {
    const [a, b] = [rows[i - 1]!, rows[i]!];
    lengths.push(lengths[i - 1]! + Math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2));
  }
  const total = lengths[lengths.length - 1]!;
  rows.forEach((row, i) => {
    for (let j = 0; j <= around; j++) {
      const angle = ((j % around) / around) * 2 * Math.PI;
      const [r, y] = shape ? shape(row[0], row[1], angle) : row;
      out.points.push(row[0] === 0 ? [0, y, 0] : [r * Math.cos(angle), y, -r * Math.sin(angle)]);
      out.uvs.push([(j / around) * repeat[0], (1 - lengths[i]! / total) * repeat[1]]);
    }
  });
  stitch(out, rows.length, around);
  return out;
}

/** Sphere of `radius` about the origin with `rings` from pole to pole. */
export function sphere(radius: number, around: number, rings: number, repeat: Vec2 = [1, 1]): Shape {
  const profile: Vec2[] = [];
  for (let i = 0; i <= rings; i++) {
    const t = (i / rings) * Math.PI;
    profile.push(i === 0 || i === rings ? [0, i === 0 ? -radius : radius] : [radius * Math.sin(t), -radius * Math.cos(t)]);
  }
  return revolve(profile, { around, repeat });
}

/** A round tube along a path with hemispherical ends; `radius` may vary by fraction of the path. */
export function tube(path: readonly Vec3[], radius: number | ((t: number) => number), around: number, capRings = 4): Shape {
  const at = (t: number): number => (typeof radius === 'number' ? radius : radius(t));
  const last = path.length - 1;
  const tangents = path.map((_, i) => normalize(sub(path[Math.min(last, i + 1)]!, path[Math.max(0, i - 1)]!)));
  const rows: { centre: Vec3; axis: Vec3; r: number }[] = [];
  for (let c = 0; c < capRings; c++) {
    const t = ((c / capRings) * Math.PI) / 2;
    rows.push({ centre: sub(path[0]!, scale(tangents[0]!, at(0) * Math.cos(t))), axis: tangents[0]!, r: at(0) * Math.sin(t) });
  }
  path.forEach((p, i) => rows.push({ centre: p, axis: tangents[i]!, r: at(i / last) }));
  for (let c = capRings - 1; c >= 0; c--) {
    const t = ((c / capRings) * Math.PI) / 2;
    rows.push({ centre: add(path[last]!, scale(tangents[last]!, at(1) * Math.cos(t))), axis: tangents[last]!, r: at(1) * Math.sin(t) });
  }
  const out = emptyShape();
  let side = normalize(cross(tangents[0]!, Math.abs(tangents[0]![1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]));
  rows.forEach((row, i) => {
    side = normalize(sub(side, scale(row.axis, dot(side, row.axis))));
    const up = cross(row.axis, side);
    for (let j = 0; j <= around; j++) {
      const a = ((j % around) / around) * 2 * Math.PI;
      const spoke = add(scale(side, Math.cos(a) * row.r), scale(up, Math.sin(a) * row.r));
      out.points.push(row.r === 0 ? row.centre : add(row.centre, spoke));
      out.uvs.push([j / around, i / (rows.length - 1)]);
    }
  });
  stitch(out, rows.length, around);
  return out;
}

/**
 * Box of full `size` about the origin with edges rounded by `radius` in `steps` pieces. Texture
 * coordinates are planar per face, `perMetre` repeats a metre; u runs along the longer side.
 */
export function roundedBox(size: Vec3, radius: number, steps = 3, perMetre = 1): Shape {
  const out = emptyShape();
  for (let face = 0; face < 6; face++) {
    const axis = face >> 1;
    const sign = face & 1 ? 1 : -1;
    const [ua, va] = [(axis + 1) % 3, (axis + 2) % 3];
    const base = out.points.length;
    // Tangents of the angles -45°…0 at the low corner, then 0…45° at the high one.
    const slopes = Array.from({ length: 2 * steps + 2 }, (_, i) => {
      const s = i <= steps ? i - steps : i - steps - 1;
      return { side: i <= steps ? -1 : 1, slope: Math.abs(s) === steps ? Math.sign(s) : Math.tan((s / steps) * (Math.PI / 4)) };
    });
    for (const v of slopes) {
      for (const u of slopes) {
        const d = [0, 0, 0];
        const inner = [0, 0, 0];
        d[axis] = sign;
        d[ua] = u.slope;
        d[va] = v.slope;
        inner[axis] = sign * (size[axis]! / 2 - radius);
        inner[ua] = u.side * (size[ua]! / 2 - radius);
        inner[va] = v.side * (size[va]! / 2 - radius);
        const p = add(inner as unknown as Vec3, scale(normalize(d as unknown as Vec3), radius));
        out.points.push(p);
        const [long, short] = size[ua]! >= size[va]! ? [ua, va] : [va, ua];
        out.uvs.push([p[long]! * perMetre, p[short]! * perMetre]);
      }
    }
    const n = slopes.length;
    for (let i = 0; i + 1 < n; i++) {
      for (let j = 0; j + 1 < n; j++) {
        const a = base + i * n + j;
        const quad = [a, a + 1, a + n + 1, a, a + n + 1, a + n];
        out.triangles.push(...(sign > 0 ? quad : [quad[0]!, quad[2]!, quad[1]!, quad[3]!, quad[5]!, quad[4]!]));
      }
    }
  }
  return out;
}

/**
 * A strip between a lower and an upper line (x, y, as many points each, x rising) drawn out over
 * `depth` along z about z = 0: page blocks, wedges. u runs along x, v along z, over the unit square.
 */
export function strip(lower: readonly Vec2[], upper: readonly Vec2[], depth: number): Shape {
  const out = emptyShape();
  const n = lower.length;
  const section = [...lower, ...upper.slice().reverse()];
  const [x0, x1] = [lower[0]![0], lower[n - 1]![0]];
  for (const side of [1, -1]) {
    for (const [x, y] of section) {
      out.points.push([x, y, (side * depth) / 2]);
      out.uvs.push([(x - x0) / (x1 - x0), side > 0 ? 1 : 0]);
    }
  }
  const back = section.length;
  for (let i = 0; i + 1 < n; i++) {
    const [a, b, c, d] = [i, i + 1, back - 2 - i, back - 1 - i];
    out.triangles.push(a, b, c, a, c, d, back + a, back + c, back + b, back + a, back + d, back + c);
  }
  for (let i = 0; i < back; i++) {
    const j = (i + 1) % back;
    out.triangles.push(i, back + i, back + j, i, back + j, j);
  }
  return out;
}
