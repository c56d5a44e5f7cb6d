/**
 * What compressed meshes will unpack to, added up before a decoder runs: Meshopt views by their
 * count and stride, Draco payloads by their own first bytes, against what the accessors declare.
 * Expects a document whose references hold (preflight.ts).
 */
import { SCENE_ACCESSOR_BYTES_MAX, SCENE_TRIANGLES_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { dracoClaim } from './draco-claim.ts';
import { MESHOPT_EXTENSIONS } from './extensions.ts';
import type { GltfJson } from './gltf-json.ts';

const DRACO = 'KHR_draco_mesh_compression';

const fail = (path: string, what: string): never => {
  throw new SceneError(`${path}: ${what}; export the file again.`);
};

/** @throws SceneError naming the first view or primitive that claims too much. */
export function checkCompressed(json: GltfJson, buffers: readonly (Uint8Array | null)[]): void {
  checkMeshopt(json);
  let faces = 0;
  json.meshes.forEach((mesh, m) =>
    mesh.primitives.forEach((primitive, p) => {
      const draco = primitive.extensions?.[DRACO];
      if (!draco) return;
      const path = `meshes[${m}].primitives[${p}].extensions.${DRACO}`;
      faces += checkDraco(json, buffers, primitive, draco, path);
      if (faces > SCENE_TRIANGLES_MAX)
        fail(path, `the meshes up to here claim ${faces} triangles, more than the ${SCENE_TRIANGLES_MAX} a scene may have`);
    }),
  );
}

function checkMeshopt(json: GltfJson): void {
  let bytes = 0;
  json.bufferViews.forEach((view, i) => {
    const name = MESHOPT_EXTENSIONS.find((one) => view.extensions?.[one] !== undefined);
    if (name === undefined) return;
    const packed = view.extensions?.[name] ?? {};
    bytes += Number(packed['count']) * Number(packed['byteStride']);
    if (bytes > SCENE_ACCESSOR_BYTES_MAX) {
      const where = `bufferViews[${i}].extensions.${name}`;
      fail(where, `the views up to here unpack to ${bytes} bytes, more than the ${SCENE_ACCESSOR_BYTES_MAX} a scene may have`);
    }
  });
}

/** @returns the triangles of the payload. */
function checkDraco(
  json: GltfJson,
  buffers: readonly (Uint8Array | null)[],
  primitive: GltfJson['meshes'][number]['primitives'][number],
  draco: Readonly<Record<string, unknown>>,
  path: string,
): number {
  const view = json.bufferViews[draco['bufferView'] as number] ?? fail(`${path}.bufferView`, 'a whole number is missing');
  const bytes = buffers[view.buffer]?.subarray(view.byteOffset, view.byteOffset + view.byteLength);
  const claim = (bytes && dracoClaim(bytes)) ?? fail(path, 'its payload is no mesh of Draco 2.2 or is cut off');
  const attributes = draco['attributes'];
  if (typeof attributes !== 'object' || attributes === null) return fail(`${path}.attributes`, 'an object is missing');
  for (const [semantic, id] of Object.entries(attributes)) {
    if (primitive.attributes[semantic] === undefined)
      fail(`${path}.attributes`, `${JSON.stringify(semantic)} is no attribute of the primitive`);
    if (!Number.isSafeInteger(id) || id < 0) fail(`${path}.attributes.${semantic}`, 'a whole number is missing');
  }
  const declared = (accessor: number | undefined): number => (accessor === undefined ? 0 : (json.accessors[accessor]?.count ?? 0));
  const points = declared(primitive.attributes['POSITION']);
  if (claim.points > points) fail(path, `its payload claims ${claim.points} vertices but the accessor has ${points}`);
  // Without indices the decoder's own are used; three corners to a triangle.
  const corners = primitive.indices === undefined ? SCENE_TRIANGLES_MAX * 3 : declared(primitive.indices);
  if (claim.faces * 3 > corners) fail(path, `its payload claims ${claim.faces} triangles but the accessor has ${corners} corners`);
  return claim.faces;
}
