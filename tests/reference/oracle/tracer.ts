/**
 * A path tracer in double precision, small enough to be read at a sitting: every ray meets every
 * triangle, light triangles are picked uniformly, the sky is one colour, nothing is cached and no
 * path is cut short by chance. Written from the specification, not from the kernels; it takes flat
 * triangles only and refuses nothing else, because it has no input but tests.
 */
import { Bsdf, dot, unit, type Model, type OracleMaterial, type V3 } from './material.ts';

export interface OracleTriangle {
  readonly corners: readonly [V3, V3, V3];
  readonly material: number;
}

export interface OracleScene {
  readonly triangles: readonly OracleTriangle[];
  readonly materials: readonly OracleMaterial[];
  readonly sky: V3;
}

export interface OracleView {
  readonly eye: V3;
  readonly target: V3;
  readonly up: V3;
  readonly tanHalfVfov: number;
  /** Pixels along each side. */
  readonly side: number;
  /** Scatterings after the first surface. */
  readonly bounces: number;
}

const sub = (a: V3, b: V3): V3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const along = (a: V3, t: number, b: V3): V3 => [a[0] + t * b[0], a[1] + t * b[1], a[2] + t * b[2]];
const times = (a: V3, b: V3): V3 => [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
const cross = (a: V3, b: V3): V3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** xoshiro128** as a stream of doubles in [0, 1). */
export function randomStream(seed: number): () => number {
  const s = Uint32Array.of(seed, seed ^ 0x9e3779b9, 0x243f6a88, 0xb7e15162);
  const next = (): number => {
    const x = Math.imul(s[1]!, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  };
  for (let i = 0; i < 20; i++) next();
  return () => (next() + (next() >>> 11) * 2 ** -21) / 2 ** 32;
}

interface Face {
  readonly v0: V3;
  readonly e1: V3;
  readonly e2: V3;
  readonly normal: V3;
  readonly area: number;
  readonly material: number;
}

export class Oracle {
  readonly #faces: readonly Face[];
  /** v0, e1, e2 of each face. */
  readonly #numbers: Float64Array;
  readonly #lamps: readonly Face[];
  readonly #scene: OracleScene;
  readonly #bsdfs: readonly Bsdf[];

  constructor(scene: OracleScene, model: Model) {
    this.#scene = scene;
    this.#bsdfs = scene.materials.map((material) => new Bsdf(material, model));
    this.#faces = scene.triangles.map(({ corners: [a, b, c], material }) => {
      const [e1, e2] = [sub(b, a), sub(c, a)];
      const n = cross(e1, e2);
      return { v0: a, e1, e2, normal: unit(n), area: Math.sqrt(dot(n, n)) / 2, material };
    });
    this.#numbers = Float64Array.from(this.#faces.flatMap(({ v0, e1, e2 }) => [...v0, ...e1, ...e2]));
    this.#lamps = this.#faces.filter((face) => Math.max(...scene.materials[face.material]!.emissive) > 0);
  }

  /** Mean radiance of `samples` paths through each pixel, rows from the top. */
  picture(view: OracleView, samples: number, seed: number): Float64Array {
    const random = randomStream(seed);
    const forward = unit(sub(view.target, view.eye));
    const right = unit(cross(forward, view.up));
    const up = cross(right, forward);
    const out = new Float64Array(view.side * view.side * 3);
    for (let pixel = 0; pixel < view.side * view.side; pixel++) {
      for (let i = 0; i < samples; i++) {
        const x = (2 * ((pixel % view.side) + random())) / view.side - 1;
        const y = 1 - (2 * (Math.floor(pixel / view.side) + random())) / view.side;
        const direction = unit(along(along(forward, x * view.tanHalfVfov, right), y * view.tanHalfVfov, up));
        this.#path(view.eye, direction, view.bounces, random).forEach((value, c) => (out[pixel * 3 + c]! += value / samples));
      }
    }
    return out;
  }

  /** Möller and Trumbore's test against every triangle; written out, because all the time is spent here. */
  #nearest(origin: V3, direction: V3, reach = Infinity): { readonly face: Face; readonly t: number } | null {
    const [dx, dy, dz] = direction;
    const numbers = this.#numbers;
    let [best, nearest] = [-1, reach];
    for (let i = 0; i < numbers.length; i += 9) {
      const [e1x, e1y, e1z] = [numbers[i + 3]!, numbers[i + 4]!, numbers[i + 5]!];
      const [e2x, e2y, e2z] = [numbers[i + 6]!, numbers[i + 7]!, numbers[i + 8]!];
      const [px, py, pz] = [dy * e2z - dz * e2y, dz * e2x - dx * e2z, dx * e2y - dy * e2x];
      const determinant = e1x * px + e1y * py + e1z * pz;
      if (Math.abs(determinant) < 1e-14) continue;
      const [sx, sy, sz] = [origin[0] - numbers[i]!, origin[1] - numbers[i + 1]!, origin[2] - numbers[i + 2]!];
      const u = (sx * px + sy * py + sz * pz) / determinant;
      if (u < 0 || u > 1) continue;
      const [qx, qy, qz] = [sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x];
      const v = (dx * qx + dy * qy + dz * qz) / determinant;
      if (v < 0 || u + v > 1) continue;
      const t = (e2x * qx + e2y * qy + e2z * qz) / determinant;
      if (t > 1e-7 && t < nearest) [best, nearest] = [i / 9, t];
    }
    return best < 0 ? null : { face: this.#faces[best]!, t: nearest };
  }

  #path(eye: V3, first: V3, bounces: number, random: () => number): V3 {
    let [origin, direction]: [V3, V3] = [eye, first];
    let throughput: V3 = [1, 1, 1];
    let light: V3 = [0, 0, 0];
    for (let vertex = 0; ; vertex++) {
      const hit = this.#nearest(origin, direction);
      if (!hit) return along(light, 1, times(throughput, this.#scene.sky));
      const { emissive } = this.#scene.materials[hit.face.material]!;
      // Lamps beyond the first vertex have been sampled already.
      if (vertex === 0) light = along(light, 1, times(throughput, emissive));
      if (vertex > bounces) return light;
      const at = along(origin, hit.t, direction);
      const normal: V3 =
        dot(hit.face.normal, direction) < 0 ? hit.face.normal : [-hit.face.normal[0], -hit.face.normal[1], -hit.face.normal[2]];
      const frame = around(normal);
      const local = (w: V3): V3 => [dot(w, frame[0]), dot(w, frame[1]), dot(w, frame[2])];
      const bsdf = this.#bsdfs[hit.face.material]!;
      const v = local([-direction[0], -direction[1], -direction[2]]);
      light = along(light, 1, times(throughput, this.#lamplight(at, v, local, bsdf, random)));
      const next = bsdf.sample(v, random);
      if (!next) return light;
      const value = bsdf.value(v, next.l);
      throughput = [(throughput[0] * value[0]) / next.pdf, (throughput[1] * value[1]) / next.pdf, (throughput[2] * value[2]) / next.pdf];
      origin = at;
      direction = along(
        along([next.l[0] * frame[0][0], next.l[0] * frame[0][1], next.l[0] * frame[0][2]], next.l[1], frame[1]),
        next.l[2],
        frame[2],
      );
    }
  }

  /** One uniformly picked point of one uniformly picked lamp. */
  #lamplight(at: V3, v: V3, local: (w: V3) => V3, bsdf: Bsdf, random: () => number): V3 {
    const lamp = this.#lamps[Math.floor(random() * this.#lamps.length)];
    if (!lamp) return [0, 0, 0];
    const root = Math.sqrt(random());
    const second = random();
    const point = along(along(lamp.v0, root * (1 - second), lamp.e1), root * second, lamp.e2);
    const way = sub(point, at);
    const distance = Math.sqrt(dot(way, way));
    const direction = unit(way);
    const l = local(direction);
    if (distance < 1e-9 || l[2] <= 0 || this.#nearest(at, direction, distance * (1 - 1e-6))) return [0, 0, 0];
    const geometry = (Math.abs(dot(lamp.normal, direction)) * lamp.area * this.#lamps.length) / distance ** 2;
    const value = bsdf.value(v, l);
    const { emissive } = this.#scene.materials[lamp.material]!;
    return [value[0] * emissive[0] * geometry, value[1] * emissive[1] * geometry, value[2] * emissive[2] * geometry];
  }
}

/** Tangent, bitangent and normal; any rotation about the normal will do. */
function around(n: V3): readonly [V3, V3, V3] {
  const t = unit(cross(Math.abs(n[0]) > 0.5 ? [0, 1, 0] : [1, 0, 0], n));
  return [t, cross(n, t), n];
}
