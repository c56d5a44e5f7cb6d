/**
 * Small scenes as CompiledScene values, built by hand so that their light can be known on paper,
 * and one call that renders them. The builders of BVH, light tree and alias tables are the real ones.
 */
import type { SceneSummary, TraceRequest } from '#lib/gpu/engine.ts';
import { filmLight, type Film } from '#lib/job/film.ts';
import { sha256, toHex } from '#lib/protocol/bytes.ts';
import type { Camera, PerspectiveCamera } from '#lib/protocol/order.ts';
import {
  type Light,
  LIGHT_DIRECTIONAL,
  LIGHT_SPOT,
  Material,
  MATERIAL_DOUBLE_SIDED,
  NONE,
  TextureUse,
  Triangle,
  TriangleCorners,
  Vertex,
} from '#shaders/layout.ts';
import type { RenderEngine } from '#workers/render/engine.ts';
import { sceneBytes } from '#workers/render/scene-bytes.ts';
import { buildAliasTable } from '#workers/scene/alias-table.ts';
import type { CompiledEnvironment, CompiledScene } from '#workers/scene/compiled-scene.ts';
import { luminance } from '#workers/scene/exact-math.ts';
import { buildSceneTree } from '#workers/scene/instances-tree.ts';
import type { LightBounds } from '#workers/scene/light-cone.ts';
import { buildLightTable, environmentLight, triangleLight, type Candidate, type LightTable } from '#workers/scene/lights.ts';
import { pointBounds } from '#workers/scene/lights-punctual.ts';
import { PLAIN_MATERIAL } from '#workers/scene/materials.ts';
import { packNormal } from '#workers/scene/pack.ts';
import { packRows, type Row } from '#workers/scene/rows.ts';
import { packedTangents } from './kit-tangents.ts';

export type Vec3 = readonly [number, number, number];
export type Tangent = readonly [x: number, y: number, z: number, sign: number];
export type Corner = { readonly at: Vec3; readonly normal?: Vec3; readonly uv?: readonly [number, number]; readonly tangent?: Tangent };
export type MaterialRow = Row<(typeof Material)['fields']>;
export type LightRow = Row<(typeof Light)['fields']>;

export interface KitTriangle {
  readonly corners: readonly [Corner, Corner, Corner];
  readonly material: number;
}

export interface KitScene {
  readonly triangles: readonly KitTriangle[];
  /** Traced in their own space, none of them emissive; a placement is a matrix of 16 numbers, column by column. */
  readonly meshes?: readonly { readonly triangles: readonly KitTriangle[]; readonly placements: readonly (readonly number[])[] }[];
  readonly materials: readonly MaterialRow[];
  /** Punctual lights; emissive triangles and the environment are added. */
  readonly lights?: readonly LightRow[];
  readonly environment?: { readonly width: number; readonly height: number; readonly radiance: (x: number, y: number) => Vec3 };
  readonly textures?: readonly Row<(typeof TextureUse)['fields']>[];
  readonly texels?: CompiledScene['texels'];
  /** Photometric profiles that `lights` refer to. */
  readonly profiles?: CompiledScene['profiles'];
}

/** A plain material: white, rough, dielectric, double-sided, no textures. */
export function material(row: MaterialRow = {}): MaterialRow {
  return {
    ...PLAIN_MATERIAL,
    base_color: [1, 1, 1, 1],
    flags: MATERIAL_DOUBLE_SIDED,
    roughness: 1,
    ior: 1.5,
    specular: 1,
    specular_color: [1, 1, 1],
    normal_scale: 1,
    alpha_cutoff: 0.5,
    ...row,
  };
}

/** Two triangles; `a b c d` run counter-clockwise seen from the front. */
export function quad(a: Vec3, b: Vec3, c: Vec3, d: Vec3, materialIndex: number): KitTriangle[] {
  const [ca, cb, cc, cd] = [
    { at: a, uv: [0, 0] },
    { at: b, uv: [1, 0] },
    { at: c, uv: [1, 1] },
    { at: d, uv: [0, 1] },
  ] as const;
  return [
    { corners: [ca, cb, cc], material: materialIndex },
    { corners: [ca, cc, cd], material: materialIndex },
  ];
}

/** A latitude-longitude sphere with smooth normals. */
export function sphere(centre: Vec3, radius: number, materialIndex: number, rings = 24): KitTriangle[] {
  const point = (i: number, j: number): Corner => {
    const [theta, phi] = [(i / rings) * Math.PI, (j / (2 * rings)) * 2 * Math.PI];
    const normal: Vec3 = [Math.sin(theta) * Math.cos(phi), Math.cos(theta), Math.sin(theta) * Math.sin(phi)];
    return { at: [centre[0] + normal[0] * radius, centre[1] + normal[1] * radius, centre[2] + normal[2] * radius], normal };
  };
  const out: KitTriangle[] = [];
  for (let i = 0; i < rings; i++) {
    for (let j = 0; j < 2 * rings; j++) {
      const [a, b, c, d] = [point(i, j), point(i + 1, j), point(i + 1, j + 1), point(i, j + 1)];
      if (i < rings - 1) out.push({ corners: [a, c, b], material: materialIndex });
      if (i > 0) out.push({ corners: [a, d, c], material: materialIndex });
    }
  }
  return out;
}

const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const length = (a: Vec3): number => Math.hypot(...a);

function edges({ corners }: KitTriangle): { v0: Vec3; e1: Vec3; e2: Vec3; normal: Vec3; area: number } {
  const [v0, e1, e2] = [corners[0].at, sub(corners[1].at, corners[0].at), sub(corners[2].at, corners[0].at)];
  const n = cross(e1, e2);
  return { v0, e1, e2, normal: [n[0] / length(n), n[1] / length(n), n[2] / length(n)], area: length(n) / 2 };
}

function environmentOf({ environment }: KitScene): CompiledEnvironment & { readonly lit: boolean } {
  if (!environment) return { width: 1, height: 1, texels: new Float32Array(4), alias: new Uint32Array(2), lit: false };
  const { width, height, radiance } = environment;
  const texels = new Float32Array(width * height * 4);
  const weights = new Float64Array(width * height);
  for (let i = 0; i < width * height; i++) {
    const y = Math.floor(i / width);
    const rgb = radiance(i % width, y);
    texels.set(rgb, i * 4);
    weights[i] = (rgb[0] + rgb[1] + rgb[2]) * Math.sin(((y + 0.5) / height) * Math.PI);
  }
  const table = buildAliasTable(weights);
  const alias = new Uint32Array(width * height * 2);
  const bits = new Uint32Array(table.threshold.buffer);
  for (let i = 0; i < width * height; i++) alias.set([bits[i]!, table.other[i]!], i * 2);
  return { width, height, texels, alias, lit: true };
}

/** The bounds that the compiler gives a punctual light with this row. */
function punctualBounds(row: LightRow): LightBounds {
  const [position, color, axis] = [row.position, row.color, row.direction ?? [0, 0, 1]] as [Vec3, Vec3, Vec3];
  const bounds = { ...pointBounds(luminance(...color)), min: position, max: position, axis };
  if (row.kind !== LIGHT_SPOT) return bounds;
  const [scale, offset] = [row.spot_scale, row.spot_offset] as [number, number];
  const [inner, outer] = [Math.acos(Math.min(1, (1 - offset) / scale)), Math.acos(-offset / scale)];
  return { ...bounds, normals: inner, emission: outer - inner };
}

async function lightTable(
  scene: KitScene,
  triangles: readonly KitTriangle[],
  order: Uint32Array,
  lit: boolean,
): Promise<LightTable & { readonly ofTriangle: Map<number, number> }> {
  const candidates: Candidate[] = [];
  const ofTriangle = new Map<number, number>();
  order.forEach((index, place) => {
    const triangle = triangles[index]!;
    const row = scene.materials[triangle.material]!;
    const emissive = row.emissive as readonly number[] | undefined;
    if (!emissive) return;
    ofTriangle.set(place, candidates.length);
    const positions = triangle.corners.flatMap(({ at }) => at);
    const twoSided = ((row.flags as number) & MATERIAL_DOUBLE_SIDED) !== 0;
    candidates.push(triangleLight(Float32Array.from(positions), place, Math.max(...emissive), twoSided, false));
  });
  const mean = candidates.length > 0 ? candidates.reduce((sum, { power }) => sum + power, 0) / candidates.length : 1;
  const punctual = (scene.lights ?? []).map((light): Candidate => {
    const row = { triangle: NONE, profile: NONE, ...light };
    return { row, power: mean, bounds: light.kind === LIGHT_DIRECTIONAL ? null : punctualBounds(light) };
  });
  candidates.push(...punctual.filter(({ bounds }) => bounds), ...punctual.filter(({ bounds }) => !bounds));
  if (lit) candidates.push({ ...environmentLight(1, 1), power: mean });
  return { ...(await buildLightTable(candidates, async () => undefined)), ofTriangle };
}

/** All triangles, those of the meshes behind the world's, as the compiler hands them to its tree. */
function geometryOf({ triangles, meshes = [] }: KitScene) {
  const all = [triangles, ...meshes.map((mesh) => mesh.triangles)];
  const ends = all.map((_, i) => all.slice(0, i + 1).reduce((sum, { length: count }) => sum + count, 0));
  let next = triangles.length;
  const instances = meshes.flatMap((mesh, group) =>
    mesh.placements.map((matrix) => {
      const firstPrimitive = next;
      next += mesh.triangles.length;
      return { group, world: Float64Array.from(matrix), firstPrimitive };
    }),
  );
  const ids = all.flatMap((some) => some.map((_, id) => id));
  const flat = all.flat();
  return { ends, instances, ids, flat, positions: Float32Array.from(flat.flatMap(({ corners }) => corners.flatMap(({ at }) => [...at]))) };
}

export async function compileKit(scene: KitScene): Promise<CompiledScene> {
  const { flat, ids, positions, ...placed } = geometryOf(scene);
  const bvh = await buildSceneTree({ ...placed, positions }, async () => undefined);
  const { lit, ...environment } = environmentOf(scene);
  const lights = await lightTable(scene, flat, bvh.order, lit);
  const tangents = packedTangents(flat.flatMap((triangle) => triangle.corners.map((one) => ({ normal: edges(triangle).normal, ...one }))));
  const ordered = Array.from(bvh.order, (index, place) => ({ index, place, triangle: flat[index]! }));
  const sections = {
    nodes: bvh.nodes,
    triangles: packRows(
      Triangle,
      ordered.map(({ index, place, triangle }) => {
        const [v0, v1, v2] = [0, 3, 6].map((k) => [...positions.subarray(index * 9 + k, index * 9 + k + 3)]) as [
          number[],
          number[],
          number[],
        ];
        return { v0, v1, v2, primitive: ids[index]!, material: triangle.material, light: lights.ofTriangle.get(place) ?? NONE };
      }),
    ),
    corners: packRows(
      TriangleCorners,
      ordered.map(({ place }) => ({ a: place * 3, b: place * 3 + 1, c: place * 3 + 2 })),
    ),
    vertices: packRows(
      Vertex,
      ordered.flatMap(({ index, triangle }) => {
        const { normal } = edges(triangle);
        return triangle.corners.map((corner, k) => ({
          normal: packNormal([...(corner.normal ?? normal)]),
          tangent: tangents[index * 3 + k]!,
          uv0: corner.uv ?? [0, 0],
        }));
      }),
    ),
    extras: new Uint8Array(0),
    materials: packRows(Material, scene.materials),
    textures: packRows(TextureUse, scene.textures ?? []),
    lights: lights.rows,
    lightNodes: lights.nodes,
    profiles: scene.profiles ?? new Float32Array(0),
  };
  const compiled = { ...sections, texels: scene.texels ?? { side: 1, layers: 1, data: new Uint8Array(4) }, environment };
  const root = toHex(
    sha256(new TextEncoder().encode(JSON.stringify(scene, (_, value: unknown) => (typeof value === 'function' ? String(value) : value)))),
  );
  return {
    summary: { ...summaryOf(root, scene), needs: sceneBytes(compiled) },
    ...compiled,
  };
}

function summaryOf(root: string, scene: KitScene): SceneSummary {
  return {
    root,
    bytes: 0,
    needs: { bytes: 0, bindingBytes: 0 },
    triangles: scene.triangles.length,
    materials: scene.materials.length,
    textures: scene.textures?.length ?? 0,
    lights: 0,
    bounds: { min: [-1, -1, -1], max: [1, 1, 1] },
    cameras: [],
    view: FRONT,
    animationSeconds: 0,
    variants: [],
    warnings: [],
    compileSeconds: 0,
  };
}

/** From +Z at the origin; a unit sphere fills most of the frame. */
export const FRONT: PerspectiveCamera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.3, lens: null };

export interface Shot {
  readonly camera?: Camera;
  readonly side?: number;
  readonly samples?: number;
  readonly bounces?: number;
  readonly seed?: number;
}

export function request(root: string, shot: Shot = {}): TraceRequest {
  const side = shot.side ?? 16;
  return {
    sceneRoot: root,
    frame: { camera: shot.camera ?? FRONT, width: side, height: side, bounces: shot.bounces ?? 8, seed: shot.seed ?? 1 },
    rect: { x: 0, y: 0, width: side, height: side },
    pass: { first: 0, count: shot.samples ?? 16 },
  };
}

/** Renders on a film, or throws with the engine's own words. */
export async function render(engine: RenderEngine, scene: KitScene, shot: Shot = {}): Promise<Film> {
  const compiled = await compileKit(scene);
  engine.adopt(compiled);
  const outcome = await engine.trace(new AbortController().signal, request(compiled.summary.root, shot));
  if (!outcome.ok) throw new Error(`${outcome.reason}: ${outcome.text}`);
  return outcome.film;
}

/** Mean of a film's pixels, per channel. */
export function meanOf(film: Film): Vec3 {
  const sum = [0, 0, 0];
  filmLight(film.light).forEach((value, i) => {
    sum[i % 3]! += value;
  });
  const paths = film.width * film.height * film.samples;
  return [sum[0]! / paths, sum[1]! / paths, sum[2]! / paths];
}
