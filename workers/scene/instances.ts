/**
 * Where meshes are placed, and which of them are kept once: a rigid mesh whose repetitions would add
 * more than INSTANCE_REPEAT_TRIANGLES triangles is traced in its own space through instances. Parts
 * that emit stay in world space, where lights are, and so does a placement that flattens the mesh
 * or shears it past what f32 inverts well. Counts everything before anything is allocated; moves no vertex.
 */
import type { Document } from '@gltf-transform/core';
import { INSTANCE_REPEAT_TRIANGLES, SCENE_INSTANCES_MAX, SCENE_PLACED_TRIANGLES_MAX, SCENE_TRIANGLES_MAX } from '#lib/protocol/limits.ts';
import { readNumbers } from './accessor-numbers.ts';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';
import { compose, determinant, multiply, type Matrix, type Quaternion, type Vec3 } from './matrix.ts';
import type { PlacedNode, Pose } from './pose.ts';
import { triangleCount } from './primitive.ts';

export interface SharingPlan {
  /** Meshes of the file kept once, by index; the value is the group they become. */
  readonly groups: ReadonlyMap<number, number>;
  /** Triangles to be stored. */
  readonly stored: number;
  /** Triangles as placed. */
  readonly placed: number;
}

interface MeshCount {
  readonly triangles: number;
  /** Of primitives that may be shared. */
  readonly shareable: number;
}

/** @throws SceneError when there is nothing to render or more than limits allow. */
export function planSharing(
  json: GltfJson,
  document: Document,
  pose: Pose,
  shareable: (mesh: number, primitive: number) => boolean,
): SharingPlan {
  const meshes = document.getRoot().listMeshes();
  const counts = meshes.map((mesh, m): MeshCount => {
    const each = mesh.listPrimitives().map((primitive) => {
      const corners = (primitive.getIndices() ?? primitive.getAttribute('POSITION'))?.getCount() ?? 0;
      return primitive.getAttribute('POSITION') ? triangleCount(primitive.getMode(), corners) : 0;
    });
    const sum = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0);
    return { triangles: sum(each), shareable: sum(each.filter((_, p) => shareable(m, p))) };
  });
  const drawn = pose.placed.filter(({ node }) => (counts[node.mesh ?? -1]?.triangles ?? 0) > 0);
  const copies = drawn.map((placed) => copiesOf(document, placed));
  const instances = copies.reduce((a, b) => a + b, 0);
  const placed = drawn.reduce((sum, { node }, i) => sum + (copies[i] as number) * (counts[node.mesh as number] as MeshCount).triangles, 0);
  refuseCounts(json, instances, placed);
  const sharing = new Map<number, number>();
  for (const one of drawn) {
    if (!isRigid(one)) continue;
    for (const world of placementMatrices(document, one)) {
      if (isInvertible(world)) sharing.set(one.node.mesh as number, (sharing.get(one.node.mesh as number) ?? 0) + 1);
    }
  }
  const repeats = (m: number): number => ((sharing.get(m) ?? 0) - 1) * (counts[m] as MeshCount).shareable;
  // A scene that would not fit flattened shares whatever it can.
  const threshold = placed > SCENE_TRIANGLES_MAX ? 0 : INSTANCE_REPEAT_TRIANGLES;
  const kept = [...sharing.keys()].filter((m) => repeats(m) > threshold).sort((a, b) => a - b);
  const stored = placed - kept.reduce((sum, m) => sum + repeats(m), 0);
  if (stored > SCENE_TRIANGLES_MAX) {
    throw new SceneError(
      `meshes: the scene has ${stored} triangles, more than the ${SCENE_TRIANGLES_MAX} that can be rendered; make it simpler.`,
    );
  }
  return { groups: new Map(kept.map((m, group) => [m, group])), stored, placed };
}

function refuseCounts(json: GltfJson, instances: number, placed: number): void {
  if (placed === 0) {
    throw new SceneError(
      `The scene has no triangles${json.meshes.length === 0 ? ' (meshes: the file has none)' : ''}; export one with a mesh.`,
    );
  }
  if (instances > SCENE_INSTANCES_MAX) {
    throw new SceneError(
      `nodes: they place ${instances} meshes, more than the ${SCENE_INSTANCES_MAX} that can be; make the scene simpler.`,
    );
  }
  if (placed > SCENE_PLACED_TRIANGLES_MAX) {
    throw new SceneError(
      `meshes: the scene has ${placed} triangles, more than the ${SCENE_PLACED_TRIANGLES_MAX} that can be rendered; make it simpler.`,
    );
  }
}

/** Neither skinned nor morphed: every placement is the same mesh. */
export const isRigid = ({ node, weights }: PlacedNode): boolean => node.skin === undefined && weights.every((weight) => weight === 0);

/** Volume of the image of the unit cube over the product of its edges: 1 at right angles. */
const VOLUME_SHARE_MIN = 1e-3;

export function isInvertible(m: Matrix): boolean {
  const length = (at: number): number => Math.sqrt([0, 1, 2].reduce((sum, k) => sum + (m[at + k] as number) * (m[at + k] as number), 0));
  const lengths = [length(0), length(4), length(8)];
  const product = lengths.reduce((a, b) => a * b, 1);
  return lengths.every((l) => l > 1e-8 && l < 1e8) && Math.abs(determinant(m)) > VOLUME_SHARE_MIN * product && m.every(Number.isFinite);
}

/** How often a node places its mesh; only counts, decodes nothing. */
function copiesOf(document: Document, { node }: Pick<PlacedNode, 'node' | 'index'>): number {
  const attributes = node.extensions?.['EXT_mesh_gpu_instancing']?.['attributes'];
  if (typeof attributes !== 'object' || attributes === null) return 1;
  const named = Object.keys(INSTANCE_WIDTHS).map((name) => (attributes as Readonly<Record<string, unknown>>)[name]);
  const accessor = document.getRoot().listAccessors()[Number(named.find((index) => index !== undefined) ?? -1)];
  return accessor?.getCount() ?? 1;
}

const INSTANCE_WIDTHS = { TRANSLATION: 3, ROTATION: 4, SCALE: 3 } as const;

function instanceAttributes(
  document: Document,
  extension: Readonly<Record<string, unknown>>,
  node: number,
): [string, Float64Array, number][] {
  const path = `nodes[${node}].extensions.EXT_mesh_gpu_instancing.attributes`;
  const attributes = (extension['attributes'] ?? {}) as Readonly<Record<string, unknown>>;
  const accessors = document.getRoot().listAccessors();
  let count = -1;
  return Object.entries(INSTANCE_WIDTHS).flatMap(([name, width]): [string, Float64Array, number][] => {
    const index = attributes[name];
    if (index === undefined) return [];
    const accessor = accessors[Number(index)];
    const values = accessor ? readNumbers(accessor) : new Float64Array(0);
    if (
      !accessor ||
      accessor.getElementSize() !== width ||
      (count >= 0 && accessor.getCount() !== count) ||
      !values.every(Number.isFinite)
    ) {
      throw new SceneError(`${path}.${name}: it names no fitting list of finite values; export the file again.`);
    }
    count = accessor.getCount();
    return [[name, values, width]];
  });
}

/** One world matrix, or one per instance of EXT_mesh_gpu_instancing; never held all at once. */
export function* placementMatrices(document: Document, { node, world, index }: PlacedNode): Generator<Matrix> {
  const extension = node.extensions?.['EXT_mesh_gpu_instancing'];
  if (!extension) {
    yield world;
    return;
  }
  const attributes = new Map(
    instanceAttributes(document, extension, index).map(([name, values, width]) => [name, [values, width]] as const),
  );
  const take = (name: string, i: number, fallback: readonly number[]): readonly number[] => {
    const [values, width] = attributes.get(name) ?? [null, 0];
    return values ? Array.from(values.subarray(i * width, (i + 1) * width)) : fallback;
  };
  const count = copiesOf(document, { node, index });
  for (let i = 0; i < count; i++) {
    const [t, r, s] = [take('TRANSLATION', i, [0, 0, 0]), take('ROTATION', i, [0, 0, 0, 1]), take('SCALE', i, [1, 1, 1])];
    yield multiply(world, compose(t as unknown as Vec3, r as unknown as Quaternion, s as unknown as Vec3));
  }
}
