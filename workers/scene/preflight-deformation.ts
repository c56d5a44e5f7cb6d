/**
 * Bounds what morph targets and skins ask of the compiler, which grows with how often a file names
 * its lists of numbers, not with how long they are: a million deltas may serve any number of targets.
 * Expects a document whose references hold (preflight.ts).
 */
import { SCENE_MORPHED_VERTICES_MAX, SKIN_SETS_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import type { GltfJson } from './gltf-json.ts';

type GltfPrimitive = GltfJson['meshes'][number]['primitives'][number];

/** @throws SceneError with the JSON path of what asks for too much. */
export function checkDeformation(json: GltfJson): void {
  const work = json.meshes.map(({ primitives }, m) =>
    primitives.reduce((sum, primitive, p) => {
      if (`JOINTS_${SKIN_SETS_MAX}` in primitive.attributes) {
        throw new SceneError(
          `meshes[${m}].primitives[${p}].attributes: a vertex follows more than ${SKIN_SETS_MAX * 4} joints; export it with fewer.`,
        );
      }
      return sum + primitive.targets.length * verticesRead(json, primitive);
    }, 0),
  );
  let sum = 0;
  json.nodes.forEach(({ mesh }, i) => {
    sum += work[mesh ?? -1] ?? 0;
    if (sum <= SCENE_MORPHED_VERTICES_MAX) return;
    throw new SceneError(
      `nodes[${i}]: the morph targets up to here move ${sum} vertices, more than the ${SCENE_MORPHED_VERTICES_MAX} a scene may have; remove some.`,
    );
  });
}

/** Vertices that no triangle uses are not read (primitive.ts); a corner of a strip may serve three triangles. */
function verticesRead(json: GltfJson, { attributes, indices, mode }: GltfPrimitive): number {
  const given = json.accessors[attributes['POSITION'] ?? -1]?.count ?? 0;
  const corners = indices === undefined ? given : (json.accessors[indices]?.count ?? 0) * (mode === 4 ? 1 : 3);
  return Math.min(given, corners);
}
