/**
 * KHR_materials_volume asks for closed meshes, and files in the wild bring window panes of one sheet with
 * a thickness: light would go into such glass and never come out. A part whose boundary spans holes of more
 * than OPEN_SHARE of its area is drawn as the thin wall that it looks like, tinted as its volume would tint
 * light that goes straight through. Cracks and T-junctions span nothing and stay. Moves no vertex.
 */
import type { Document, Primitive } from '@gltf-transform/core';
import { readNumbers } from './accessor-numbers.ts';
import { ln } from './exact-math.ts';
import type { GltfJson } from './gltf-json.ts';
import { triangleCount } from './primitive.ts';
import { KeyTable } from './key-table.ts';

/** Holes up to this share of the area are taken for flaws, or for the neck of a bottle of one wall. */
const OPEN_SHARE = 0.01;
const WARNINGS_MAX = 8;
const VOLUME = 'KHR_materials_volume';

type Material = GltfJson['materials'][number];
type Point = readonly [number, number, number];

/** The document with thin walls for open volumes, and a sentence for each mesh that has some. */
export async function thinOpenMeshes(
  json: GltfJson,
  document: Document,
  pause: () => Promise<void>,
): Promise<{ readonly json: GltfJson; readonly warnings: readonly string[] }> {
  const volumes = json.materials.map(isVolume);
  const materials = [...json.materials];
  const thin = new Map<number, number>();
  const warnings: string[] = [];
  const meshes = [...json.meshes];
  for (const [m, mesh] of json.meshes.entries()) {
    const suspects = mesh.primitives.map(({ material }) => material !== undefined && volumes[material] === true);
    if (!suspects.includes(true)) continue;
    await pause();
    const open = openParts(document.getRoot().listMeshes()[m]?.listPrimitives() ?? []);
    if (!suspects.some((suspect, p) => suspect && open[p])) continue;
    const primitives = mesh.primitives.map((primitive, p) => {
      const { material } = primitive;
      if (material === undefined || !suspects[p] || !open[p]) return primitive;
      if (!thin.has(material)) thin.set(material, materials.push(thinned(json.materials[material] as Material)) - 1);
      return { ...primitive, material: thin.get(material) as number };
    });
    meshes[m] = { ...mesh, primitives };
    const name: unknown = (mesh as { name?: unknown }).name;
    warnings.push(
      `meshes[${m}]${typeof name === 'string' ? ` "${name.slice(0, 60)}"` : ''}: its material has a thickness but the mesh is not closed, so it is drawn as a thin wall; close the mesh to see light refract in it.`,
    );
  }
  const more = warnings.length - WARNINGS_MAX;
  if (more > 0) warnings.splice(WARNINGS_MAX, more, `${more} more meshes with a thickness are not closed and drawn as thin walls.`);
  return { json: thin.size > 0 ? { ...json, materials, meshes } : json, warnings };
}

const field = (material: Material, extension: string, name: string): unknown => material.extensions?.[extension]?.[name];
const positive = (value: unknown): boolean => typeof value === 'number' && value > 0;

const isVolume = (material: Material): boolean =>
  positive(field(material, VOLUME, 'thicknessFactor')) &&
  (positive(field(material, 'KHR_materials_transmission', 'transmissionFactor')) ||
    positive(field(material, 'KHR_materials_diffuse_transmission', 'diffuseTransmissionFactor')));

/** The same without its volume; what that absorbs along its thickness tints the base colour. */
function thinned(material: Material): Material {
  const { [VOLUME]: volume, ...extensions } = material.extensions ?? {};
  const [thickness, distance, color] = [volume?.['thicknessFactor'], volume?.['attenuationDistance'], volume?.['attenuationColor']];
  const pbr = material['pbrMetallicRoughness'] as { readonly baseColorFactor?: readonly number[] } | undefined;
  const base = pbr?.baseColorFactor ?? [1, 1, 1, 1];
  const depth = positive(distance) ? (thickness as number) / (distance as number) : 0;
  const tint = (c: number): number => {
    const kept: unknown = Array.isArray(color) ? color[c] : 1;
    return depth > 0 && typeof kept === 'number' && kept < 1 ? decay(-ln(Math.max(kept, 1e-6)) * depth) : 1;
  };
  const tinted = base.map((value, c) => (c < 3 ? value * tint(c) : value));
  return { ...material, extensions, pbrMetallicRoughness: { ...pbr, baseColorFactor: tinted } } as Material;
}

/** e^-x for x of 0 or more, from products and sums alone. */
function decay(x: number): number {
  if (x > 100) return 0;
  const small = -x / 4096;
  let value = 1 + small * (1 + (small / 2) * (1 + (small / 3) * (1 + small / 4)));
  for (let k = 0; k < 12; k++) value *= value;
  return value;
}

/** For each primitive: do the edges that no other triangle of the mesh shares span large holes? */
function openParts(primitives: readonly Primitive[]): boolean[] {
  const parts = primitives.map(trianglesOf);
  const total = parts.reduce((sum, { length }) => sum + length / 3, 0);
  const vertices = new KeyTable(total, 3);
  const edges = new KeyTable(total, 2);
  const shared = new Uint8Array(total); // odd: an edge of an open border
  const of = new Uint32Array(total);
  const corners = parts.map((points) =>
    Array.from({ length: points.length / 3 }, (_, i) => vertices.index(points[3 * i]!, points[3 * i + 1]!, points[3 * i + 2]!)),
  );
  const from = new Uint32Array(total);
  const to = new Uint32Array(total);
  corners.forEach((list, part) => {
    for (let i = 0; i < list.length; i++) {
      const [a, b] = [list[i]!, list[i % 3 === 2 ? i - 2 : i + 1]!];
      if (a === b) continue;
      const edge = edges.index(Math.min(a, b), Math.max(a, b), 0);
      shared[edge]! ^= 1;
      [of[edge], from[edge], to[edge]] = [part, a, b];
    }
  });
  return parts.map((points, part) => {
    const border: [Point, Point, number, number][] = [];
    for (let e = 0; e < edges.count; e++) {
      if (shared[e] === 1 && of[e] === part) border.push([vertices.point(from[e]!), vertices.point(to[e]!), from[e]!, to[e]!]);
    }
    return border.length > 0 && holeArea(border) > OPEN_SHARE * areaOf(points);
  });
}

/** Corners of all triangles, 9 numbers each; empty for lines and points. */
function trianglesOf(primitive: Primitive): Float64Array {
  const accessor = primitive.getAttribute('POSITION');
  const positions = accessor ? readNumbers(accessor) : new Float64Array(0);
  const list = primitive.getIndices()?.getArray();
  const mode = primitive.getMode();
  const triangles = triangleCount(mode, list?.length ?? positions.length / 3);
  const out = new Float64Array(triangles * 9);
  for (let t = 0; t < triangles; t++) {
    const corner = mode === 4 ? [3 * t, 3 * t + 1, 3 * t + 2] : mode === 5 ? [t, t + 1 + (t & 1), t + 2 - (t & 1)] : [t + 1, t + 2, 0];
    corner.forEach((i, k) => {
      const vertex = list ? list[i]! : i;
      for (let axis = 0; axis < 3; axis++) out[9 * t + 3 * k + axis] = positions[3 * vertex + axis] ?? 0;
    });
  }
  return out;
}

const cross = (a: Point, b: Point): Point => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const sub = (a: Point, b: Point): Point => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const half = (a: Point): number => Math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]) / 2;

function areaOf(points: Float64Array): number {
  const at = (i: number): Point => [points[i]!, points[i + 1]!, points[i + 2]!];
  let sum = 0;
  for (let i = 0; i < points.length; i += 9) sum += half(cross(sub(at(i + 3), at(i)), sub(at(i + 6), at(i))));
  return sum;
}

/** Sum over the connected borders of the length of their vector area: a crack between two lines spans none. */
function holeArea(border: readonly (readonly [Point, Point, number, number])[]): number {
  const parent = new Map<number, number>();
  const find = (vertex: number): number => {
    let at = vertex;
    for (let up = parent.get(at) ?? at; up !== at; up = parent.get(at) ?? at) {
      parent.set(at, parent.get(up) ?? up);
      at = up;
    }
    return at;
  };
  for (const [, , a, b] of border) parent.set(find(a), find(b));
  const sums = new Map<number, { readonly origin: Point; sum: Point }>();
  for (const [from, to, a] of border) {
    const root = find(a);
    let entry = sums.get(root);
    if (!entry) sums.set(root, (entry = { origin: from, sum: [0, 0, 0] }));
    const c = cross(sub(from, entry.origin), sub(to, entry.origin));
    entry.sum = [entry.sum[0] + c[0], entry.sum[1] + c[1], entry.sum[2] + c[2]];
  }
  let area = 0;
  for (const { sum } of sums.values()) area += half(sum);
  return area;
}
