/**
 * Flattens the placed nodes into world-space triangles and vertices: instancing, morphing, skinning,
 * flat normals, tangents. Degenerate triangles are dropped, but every triangle of the file keeps
 * its id, so that ids do not depend on rounding. Builds no BVH and reads no materials.
 */
import type { Document } from '@gltf-transform/core';
import { SCENE_TRIANGLES_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';
import { compose, multiply, type Matrix, type Quaternion, type Vec3 } from './matrix.ts';
import { placeVertices, type Placement } from './placement.ts';
import { readNumbers } from './accessor-numbers.ts';
import type { PlacedNode, Pose } from './pose.ts';
import { readPrimitive, triangleCount, type PrimitiveData } from './primitive.ts';
import { VertexSink } from './vertex-sink.ts';

/** Triangles in file order. */
export interface Geometry {
  readonly count: number;
  /** Three corners of 3 numbers per triangle. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Three vertex indices and flags per triangle, as TriangleCorners. */
  readonly corners: Uint32Array<ArrayBuffer>;
  readonly primitiveIds: Uint32Array<ArrayBuffer>;
  readonly materials: Uint32Array<ArrayBuffer>;
  readonly vertices: Uint8Array<ArrayBuffer>;
  readonly dropped: number;
}

/** First corner and the two edges from it, of one triangle. */
export function cornerAndEdges({ positions }: Pick<Geometry, 'positions'>, triangle: number): Float32Array {
  const out = positions.slice(triangle * 9, triangle * 9 + 9);
  for (let i = 3; i < 9; i++) out[i] = (out[i] as number) - (out[i % 3] as number);
  return out;
}

/** What geometry must know of a material. `index` is its row in the compiled scene. */
export interface MaterialNeeds {
  /** Which of `uvSets` the tangents follow; null: no tangents wanted. */
  readonly tangentUv: 0 | 1 | null;
  /** TEXCOORD sets of the file that vertices carry as uv0 and uv1. */
  readonly uvSets: readonly [number, number];
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
  const sink = new TriangleSink(countTriangles(json, document, pose));
  const cache = new Map<string, PrimitiveData | null>();
  const meshes = document.getRoot().listMeshes();
  for (const placed of pose.placed) {
    if (placed.node.mesh === undefined) continue;
    await pause();
    const mesh = meshes[placed.node.mesh];
    const joints = jointMatrices(json, document, pose, placed);
    if (!mesh?.listPrimitives().some((primitive) => primitive.getMode() > 3)) continue;
    for (const world of instanceMatrices(document, placed)) {
      for (const [p, primitive] of mesh.listPrimitives().entries()) {
        const path = `meshes[${placed.node.mesh}].primitives[${p}]`;
        const material = json.meshes[placed.node.mesh]?.primitives[p]?.material ?? defaultMaterial;
        if (!cache.has(path)) cache.set(path, readPrimitive(document, primitive, path, needs(material).uvSets));
        const data = cache.get(path);
        if (!data) continue;
        const placement: Placement = { world, joints, weights: placed.weights, path: `nodes[${placed.index}]`, ...needs(material) };
        sink.add(data, placement, material);
      }
    }
  }
  return sink.finish();
}

function countTriangles(json: GltfJson, document: Document, pose: Pose): number {
  const perMesh = document
    .getRoot()
    .listMeshes()
    .map((mesh) =>
      mesh.listPrimitives().reduce((sum, primitive) => {
        const corners = (primitive.getIndices() ?? primitive.getAttribute('POSITION'))?.getCount() ?? 0;
        return sum + (primitive.getAttribute('POSITION') ? triangleCount(primitive.getMode(), corners) : 0);
      }, 0),
    );
  const total = pose.placed.reduce((sum, { node, index }) => {
    const copies = node.mesh === undefined ? 0 : instanceCount(document, node.extensions?.['EXT_mesh_gpu_instancing'], index);
    return sum + copies * (perMesh[node.mesh ?? 0] ?? 0);
  }, 0);
  if (total === 0) {
    throw new SceneError(
      `The scene has no triangles${json.meshes.length === 0 ? ' (meshes: the file has none)' : ''}; export one with a mesh.`,
    );
  }
  if (total > SCENE_TRIANGLES_MAX) {
    throw new SceneError(
      `meshes: the scene has ${total} triangles, more than the ${SCENE_TRIANGLES_MAX} that can be rendered; make it simpler.`,
    );
  }
  return total;
}

function instanceCount(document: Document, extension: Readonly<Record<string, unknown>> | undefined, node: number): number {
  if (!extension) return 1;
  const counts = instanceAttributes(document, extension, node).map(([, values, width]) => values.length / width);
  return counts[0] ?? 1;
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
function* instanceMatrices(document: Document, { node, world, index }: PlacedNode): Generator<Matrix> {
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
  const count = instanceCount(document, extension, index);
  for (let i = 0; i < count; i++) {
    const [t, r, s] = [take('TRANSLATION', i, [0, 0, 0]), take('ROTATION', i, [0, 0, 0, 1]), take('SCALE', i, [1, 1, 1])];
    yield multiply(world, compose(t as unknown as Vec3, r as unknown as Quaternion, s as unknown as Vec3));
  }
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

/** Collects placed primitives; sized once, from the counts in the file. */
class TriangleSink {
  readonly #triangles: Float32Array<ArrayBuffer>;
  readonly #corners: Uint32Array<ArrayBuffer>;
  readonly #ids: Uint32Array<ArrayBuffer>;
  readonly #materials: Uint32Array<ArrayBuffer>;
  readonly #vertices = new VertexSink();
  readonly #capacity: number;
  #kept = 0;
  #seen = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#triangles = new Float32Array(capacity * 9);
    this.#corners = new Uint32Array(capacity * 4);
    this.#ids = new Uint32Array(capacity);
    this.#materials = new Uint32Array(capacity);
  }

  add(data: PrimitiveData, placement: Placement, material: number): void {
    const placed = placeVertices(data, placement);
    const base = this.#vertices.add(placed, data);
    const p = placed.positions;
    for (let t = 0; t < placed.corners.length && this.#seen < this.#capacity; t += 3) {
      const id = this.#seen++;
      const [a, b, c] = [placed.corners[t] as number, placed.corners[t + 1] as number, placed.corners[t + 2] as number];
      if (!this.#writeCorners(p, a * 3, b * 3, c * 3)) continue;
      const at = this.#kept++;
      this.#corners.set([base + a, base + b, base + c, placed.mirrored[a] as number], at * 4);
      this.#ids[at] = id;
      this.#materials[at] = material;
    }
  }

  /** @returns false for a triangle without area, whose slot the next one takes. */
  #writeCorners(p: Float32Array, a: number, b: number, c: number): boolean {
    const out = this.#triangles;
    const at = this.#kept * 9;
    for (let axis = 0; axis < 3; axis++) {
      out[at + axis] = p[a + axis] as number;
      out[at + 3 + axis] = p[b + axis] as number;
      out[at + 6 + axis] = p[c + axis] as number;
    }
    const e = (corner: number, axis: number): number => (out[at + corner * 3 + axis] as number) - (out[at + axis] as number);
    const x = e(1, 1) * e(2, 2) - e(1, 2) * e(2, 1);
    const y = e(1, 2) * e(2, 0) - e(1, 0) * e(2, 2);
    const z = e(1, 0) * e(2, 1) - e(1, 1) * e(2, 0);
    return x !== 0 || y !== 0 || z !== 0;
  }

  finish(): Geometry {
    if (this.#kept === 0) throw new SceneError('All triangles of the scene have no area; export it at a larger scale.');
    const n = this.#kept;
    return {
      count: n,
      positions: this.#triangles.slice(0, n * 9),
      corners: this.#corners.slice(0, n * 4),
      primitiveIds: this.#ids.slice(0, n),
      materials: this.#materials.slice(0, n),
      vertices: this.#vertices.finish(),
      dropped: this.#seen - n,
    };
  }
}
