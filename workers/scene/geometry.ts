/**
 * Turns the placed nodes into triangles and vertices: world-space ones of what is placed once, and
 * behind them the meshes that instances share, in their own space. Morphing, skinning, flat normals,
 * tangents. Degenerate triangles are dropped, but every triangle of the file keeps its id, the same
 * shared or not, so that ids do not depend on rounding. Builds no BVH and reads no materials.
 */
import type { Document } from '@gltf-transform/core';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';
import { isInvertible, isRigid, placementMatrices, planSharing } from './instances.ts';
import { identity, multiply, type Matrix } from './matrix.ts';
import type { Placement } from './placement.ts';
import { readNumbers } from './accessor-numbers.ts';
import type { PlacedNode, Pose } from './pose.ts';
import { readPrimitive, type PrimitiveData } from './primitive.ts';
import { TriangleSink } from './triangle-sink.ts';

/** Triangles in file order: those in world space, then group by group. */
export interface Geometry {
  /** Triangles as placed, instances counted. */
  readonly placedCount: number;
  /** Ends of the world's triangles, then of each group's. */
  readonly ends: readonly number[];
  readonly instances: readonly PlacedGroup[];
  /** Three corners of 3 numbers per triangle. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Three vertex indices per triangle, as TriangleCorners. */
  readonly corners: Uint32Array<ArrayBuffer>;
  readonly primitiveIds: Uint32Array<ArrayBuffer>;
  /** As Triangle.material: the index, and TRIANGLE_MIRRORED. */
  readonly materials: Uint32Array<ArrayBuffer>;
  /** Vertex[]. */
  readonly vertices: Uint8Array<ArrayBuffer>;
  /** VertexExtra[] in the same order, or empty. */
  readonly extras: Uint8Array<ArrayBuffer>;
  readonly dropped: number;
}

/** One placement of a group. */
export interface PlacedGroup {
  readonly group: number;
  readonly world: Matrix;
  /** Added to the ids of the group's triangles. */
  readonly firstPrimitive: number;
}

/** What geometry must know of a material. `index` is its row in the compiled scene. */
export interface MaterialNeeds {
  /** Which of `uvSets` the tangents follow; null: no tangents wanted. */
  readonly tangentUv: 0 | 1 | null;
  /** TEXCOORD sets of the file that vertices carry as uv0 and uv1. */
  readonly uvSets: readonly [number, number];
  /** Lights lie in world space. */
  readonly emits: boolean;
}

/** @throws SceneError for defects that only decoded values show, and for a scene without triangles. */
export async function buildGeometry(
  json: GltfJson,
  document: Document,
  pose: Pose,
  needs: (material: number) => MaterialNeeds,
  defaultMaterial: number,
  pause: () => Promise<void>,
): Promise<Geometry> {
  const { listed, read } = primitiveReader(json, document, needs, defaultMaterial);
  const plan = planSharing(json, document, pose, (mesh, p) => !needs(listed(mesh)[p] ?? defaultMaterial).emits);
  const sink = new TriangleSink(plan);
  for (const placed of pose.placed) {
    const mesh = placed.node.mesh;
    if (mesh === undefined || !drawsTriangles(document, mesh)) continue;
    await pause();
    const joints = jointMatrices(json, document, pose, placed);
    const group = isRigid(placed) ? plan.groups.get(mesh) : undefined;
    for (const world of placementMatrices(document, placed)) {
      const shared = group !== undefined && isInvertible(world);
      const first = sink.nextId;
      for (const [p, material] of listed(mesh).entries()) {
        const data = read(mesh, p);
        if (!data) continue;
        if (shared && !needs(material).emits) {
          sink.passOver(data.corners.length / 3);
          continue;
        }
        sink.add(data, { world, joints, weights: placed.weights, path: `nodes[${placed.index}]`, ...needs(material) }, material);
      }
      if (shared) sink.place({ group, world, firstPrimitive: first });
    }
  }
  sink.endGroup();
  for (const mesh of plan.groups.keys()) {
    await pause();
    sink.startGroup();
    for (const [p, material] of listed(mesh).entries()) {
      const data = read(mesh, p);
      if (!data) continue;
      const placement: Placement = { world: identity(), joints: null, weights: [], path: `meshes[${mesh}]`, ...needs(material) };
      if (needs(material).emits) sink.passOver(data.corners.length / 3);
      else sink.add(data, placement, material);
    }
    sink.endGroup();
  }
  return sink.finish();
}

const drawsTriangles = (document: Document, mesh: number): boolean =>
  (document.getRoot().listMeshes().at(mesh)?.listPrimitives() ?? []).some((primitive) => primitive.getMode() > 3);

/** Materials of a mesh's primitives, and their data, each read once. */
function primitiveReader(
  json: GltfJson,
  document: Document,
  needs: (material: number) => MaterialNeeds,
  defaultMaterial: number,
): { listed: (mesh: number) => readonly number[]; read: (mesh: number, p: number) => PrimitiveData | null } {
  const cache = new Map<string, PrimitiveData | null>();
  const meshes = document.getRoot().listMeshes();
  const listed = (mesh: number): readonly number[] =>
    json.meshes[mesh]?.primitives.map(({ material }) => material ?? defaultMaterial) ?? [];
  const read = (mesh: number, p: number): PrimitiveData | null => {
    const path = `meshes[${mesh}].primitives[${p}]`;
    const primitive = meshes[mesh]?.listPrimitives()[p];
    if (!primitive) return null;
    if (!cache.has(path)) cache.set(path, readPrimitive(document, primitive, path, needs(listed(mesh)[p] ?? defaultMaterial).uvSets));
    return cache.get(path) ?? null;
  };
  return { listed, read };
}

/** World of each joint times its inverse bind matrix; null without a skin (glTF 2.0, section 3.7.3). */
function jointMatrices(json: GltfJson, document: Document, pose: Pose, { node }: PlacedNode): readonly Matrix[] | null {
  const skin = node.skin === undefined ? undefined : json.skins[node.skin];
  if (!skin) return null;
  const inverse = skin.inverseBindMatrices === undefined ? undefined : document.getRoot().listAccessors()[skin.inverseBindMatrices];
  const values = inverse ? readNumbers(inverse) : null;
  if (values && (values.length < skin.joints.length * 16 || !values.every(Number.isFinite))) {
    throw new SceneError(
      `skins[${node.skin}].inverseBindMatrices: ${skin.joints.length} finite matrices are needed; export the file again.`,
    );
  }
  return skin.joints.map((joint, j) => {
    const world = pose.worlds[joint] as Matrix;
    return values ? multiply(world, values.subarray(j * 16, j * 16 + 16)) : world;
  });
}
