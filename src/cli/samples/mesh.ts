/**
 * Triangle meshes of the sample generator: what every shape returns, joining them, and
 * the one place where normals and tangents are made. Shapes give positions and texture coordinates
 * only. Refuses degenerate triangles: they vanish when the mesh is finished.
 */
import { add, cross, dot, length, normalize, scale, snap, sub, type Vec2, type Vec3 } from './vec.ts';

/** Corners in metres with their texture coordinates; three indices a triangle, counter-clockwise seen from outside. */
export interface Shape {
  readonly points: Vec3[];
  readonly uvs: Vec2[];
  readonly triangles: number[];
}

/** What is written to a file. Arrays are flat; tangents are xyz + sign. */
export interface Mesh {
  readonly positions: Float32Array<ArrayBuffer>;
  readonly normals: Float32Array<ArrayBuffer>;
  readonly uvs: Float32Array<ArrayBuffer>;
  readonly tangents: Float32Array<ArrayBuffer> | null;
  readonly indices: Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

export const emptyShape = (): Shape => ({ points: [], uvs: [], triangles: [] });

export function join(...shapes: readonly Shape[]): Shape {
  const out = emptyShape();
  for (const shape of shapes) {
    const base = out.points.length;
    for (const p of shape.points) out.points.push(p);
    for (const uv of shape.uvs) out.uvs.push(uv);
    for (const i of shape.triangles) out.triangles.push(base + i);
  }
  return out;
}

/** The same surface seen from its other side. */
export function flip(shape: Shape): Shape {
  const triangles = shape.triangles.slice();
  for (let t = 0; t < triangles.length; t += 3) {
    [triangles[t + 1], triangles[t + 2]] = [triangles[t + 2]!, triangles[t + 1]!];
  }
  return { ...shape, triangles };
}

const key = (p: readonly number[]): string => p.join(' ');

/** Corners by position after snapping; triangles that collapse are left out. */
function weld(shape: Shape): { points: Vec3[]; place: number[]; triangles: number[] } {
  const seen = new Map<string, number>();
  const points: Vec3[] = [];
  const at = shape.points.map((p) => {
    const snapped: Vec3 = [snap(p[0]), snap(p[1]), snap(p[2])];
    const known = seen.get(key(snapped));
    if (known !== undefined) return known;
    seen.set(key(snapped), points.length);
    points.push(snapped);
    return points.length - 1;
  });
  const triangles: number[] = [];
  for (let t = 0; t < shape.triangles.length; t += 3) {
    const [a, b, c] = [shape.triangles[t]!, shape.triangles[t + 1]!, shape.triangles[t + 2]!];
    if (at[a] !== at[b] && at[b] !== at[c] && at[c] !== at[a]) triangles.push(a, b, c);
  }
  return { points, place: at, triangles };
}

/**
 * Area-weighted normals over all faces around a corner that lie within `creaseDegrees` of its own
 * face, so flat faces beside a fillet stay flat and sharper edges stay sharp; then vertices are
 * shared again where position, normal and texture coordinate agree.
 */
export function finish(shape: Shape, options: { creaseDegrees?: number; tangents?: boolean } = {}): Mesh {
  const { points, place: at, triangles } = weld(shape);
  const limit = Math.cos(((options.creaseDegrees ?? 50) * Math.PI) / 180);
  const faces: Vec3[] = [];
  const around: number[][] = points.map(() => []);
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [0, 1, 2].map((i) => points[at[triangles[t + i]!]!]!) as [Vec3, Vec3, Vec3];
    faces.push(cross(sub(b, a), sub(c, a)));
    for (let i = 0; i < 3; i++) around[at[triangles[t + i]!]!]!.push(t / 3);
  }
  const units = faces.map(normalize);
  const vertices = new Map<string, number>();
  const positions: number[] = [];
  const normals: number[] = [];
  const uvs: number[] = [];
  const indices = triangles.map((corner, i) => {
    const face = Math.floor(i / 3);
    let sum: Vec3 = [0, 0, 0];
    for (const f of around[at[corner]!]!) if (dot(units[f]!, units[face]!) >= limit) sum = add(sum, faces[f]!);
    const n = normalize(sum).map((v) => Math.round(v * 32767) / 32767 + 0);
    const uv = shape.uvs[corner]!.map((v) => Math.round(v * 65536) / 65536 + 0);
    const p = points[at[corner]!]!;
    const id = key([...p, ...n, ...uv]);
    const known = vertices.get(id);
    if (known !== undefined) return known;
    vertices.set(id, vertices.size);
    positions.push(...p);
    normals.push(...normalize([n[0]!, n[1]!, n[2]!]));
    uvs.push(...uv);
    return vertices.size - 1;
  });
  return {
    positions: new Float32Array(positions),
    normals: new Float32Array(normals),
    uvs: new Float32Array(uvs),
    tangents: options.tangents ? tangentsOf(positions, normals, uvs, indices) : null,
    indices: vertices.size > 65535 ? new Uint32Array(indices) : new Uint16Array(indices),
  };
}

/** Per-vertex tangents along +u (Lengyel), Gram-Schmidt against the normal; rounded like normals. */
function tangentsOf(positions: number[], normals: number[], uvs: number[], indices: number[]): Float32Array<ArrayBuffer> {
  const count = positions.length / 3;
  const us: Vec3[] = Array.from({ length: count }, () => [0, 0, 0]);
  const vs: Vec3[] = Array.from({ length: count }, () => [0, 0, 0]);
  const vec = (from: number[], i: number): Vec3 => [from[3 * i]!, from[3 * i + 1]!, from[3 * i + 2]!];
  for (let t = 0; t < indices.length; t += 3) {
    const [a, b, c] = [indices[t]!, indices[t + 1]!, indices[t + 2]!];
    const [e1, e2] = [sub(vec(positions, b), vec(positions, a)), sub(vec(positions, c), vec(positions, a))];
    const [s1, t1] = [uvs[2 * b]! - uvs[2 * a]!, uvs[2 * b + 1]! - uvs[2 * a + 1]!];
    const [s2, t2] = [uvs[2 * c]! - uvs[2 * a]!, uvs[2 * c + 1]! - uvs[2 * a + 1]!];
    const det = s1 * t2 - s2 * t1;
    if (det === 0) continue;
    const u = scale(sub(scale(e1, t2), scale(e2, t1)), Math.sign(det));
    const v = scale(sub(scale(e2, s1), scale(e1, s2)), Math.sign(det));
    for (const i of [a, b, c]) {
      us[i] = add(us[i]!, u);
      vs[i] = add(vs[i]!, v);
    }
  }
  const out = new Float32Array(count * 4);
  for (let i = 0; i < count; i++) {
    const n = vec(normals, i);
    let u = sub(us[i]!, scale(n, dot(n, us[i]!)));
    // A corner without texture area still needs a unit tangent, and each direction in its plane will do.
    if (length(u) < 1e-12) u = cross(n, Math.abs(n[1]) < 0.9 ? [0, 1, 0] : [1, 0, 0]);
    const unit = normalize(normalize(u).map((c) => Math.round(c * 16383) / 16383) as unknown as Vec3);
    // glTF texture space has v downwards; the bitangent is cross(n, t) * sign along +v.
    out.set([...unit, dot(cross(n, unit), vs[i]!) < 0 ? -1 : 1], 4 * i);
  }
  return out;
}
