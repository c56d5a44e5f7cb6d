/**
 * Compiles the creator's files into the flat sections that kernels read, the same bytes on every
 * peer. Orders the stages, gives way to an abort between them, and hashes the result. Draws
 * nothing and needs no GPU, no DOM and no network beyond its own decoders.
 */
import type { SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import { Material, TextureUse, Triangle } from '#shaders/layout.ts';
import { sceneBytes } from '../render/scene-bytes.ts';
import { animateGltf } from './animation.ts';
import type { Bvh } from './bvh.ts';
import { sceneBounds, defaultView, readCameras } from './cameras.ts';
import { oneLine, type CompiledScene } from './compiled-scene.ts';
import { openContainer } from './container.ts';
import { readDocument } from './document.ts';
import { EmissionMeter } from './emission.ts';
import { BLACK, compileEnvironment } from './environment.ts';
import { buildGeometry, type Geometry, type MaterialNeeds } from './geometry.ts';
import { compileImageLight } from './image-light.ts';
import { compileImages } from './images.ts';
import { buildSceneTree } from './instances-tree.ts';
import { compileLights, type SceneLights } from './lights.ts';
import { readIesLights } from './lights-ies.ts';
import { readPunctualLights } from './lights-punctual.ts';
import { compileMaterials, type CompiledMaterial, type TextureSlot } from './materials.ts';
import { PLAIN_UV_SETS } from './materials/texture-slots.ts';
import { thinOpenMeshes } from './open-meshes.ts';
import { poseScene } from './pose.ts';
import { preflight } from './preflight.ts';
import { hashSections } from './root.ts';
import { packRows } from './rows.ts';
import type { PlacedImage } from './texels.ts';
import { applyVariant, variantNames } from './variants.ts';

export { SceneError } from './compiled-scene.ts';

/** How long a stage may run before an abort is looked for. */
const ABORT_CHECK_MS = 50;

/**
 * @throws SceneError for a defect of the files; `signal.reason` when aborted.
 * At `frameTimeS` 0 animations are not applied (see animation.ts).
 */
export async function compileScene(signal: AbortSignal, files: SceneFiles): Promise<CompiledScene> {
  const started = performance.now();
  const pause = givingWay(signal);
  const checked = preflight(openContainer(files.scene));
  await pause();
  const document = await readDocument(checked);
  const animated = animateGltf(applyVariant(checked.json, files.variant), document, files.frameTimeS);
  const thinned = await thinOpenMeshes(animated.json, document, pause);
  const { json } = thinned;
  const pose = poseScene(json);
  const { materials, slots, warnings } = compileMaterials(json);
  const needs = (index: number): MaterialNeeds => ({
    tangentUv: materials[index]?.tangentUv ?? null,
    uvSets: materials[index]?.uvSets ?? PLAIN_UV_SETS,
    emits: materials[index]?.emissive.some((value) => value > 0) ?? false,
  });
  const geometry = await buildGeometry(json, document, pose, needs, materials.length - 1, pause);
  const { texels, placed } = await compileImages(document, slots, pause);
  const bvh = await buildSceneTree(geometry, pause);
  const environment = files.environment
    ? compileEnvironment(files.environment.file, files.environment.intensity)
    : ((await compileImageLight(json, document, pause)) ?? BLACK);
  const { bounds, radius } = sceneBounds(geometry.positions.subarray(0, (geometry.ends[0] as number) * 9), bvh.instanceBounds);
  const meter = new EmissionMeter(geometry, slots, placed);
  const ies = readIesLights(checked, json, pose);
  const lights = await compileLights(
    geometry,
    bvh.order,
    materials,
    meter,
    [...ies.candidates, ...readPunctualLights(json, pose, radius)],
    environment.meanLuminance,
    radius,
    pause,
  );
  const { width, height } = environment;
  const sections = {
    nodes: bvh.nodes,
    ...orderTriangles(geometry, bvh, lights),
    vertices: geometry.vertices,
    extras: geometry.extras,
    materials: materialRows(materials),
    textures: textureRows(slots, placed),
    lights: lights.rows,
    lightNodes: lights.nodes,
    profiles: ies.profiles,
    texels,
    environment: { width, height, texels: environment.texels, alias: environment.alias },
  };
  await pause();
  const { root, bytes } = await hashSections(sections);
  const cameras = readCameras(json, pose, bounds);
  const summary: SceneSummary = {
    root,
    bytes,
    needs: sceneBytes(sections),
    triangles: geometry.placedCount,
    materials: animated.json.materials.length,
    textures: placed.size,
    lights: lights.count,
    bounds,
    cameras: cameras.cameras,
    view: defaultView(bounds, radius),
    animationSeconds: animated.animationSeconds,
    variants: variantNames(json),
    warnings: [...checked.warnings, ...animated.warnings, ...thinned.warnings, ...warnings, ...cameras.warnings].map(oneLine),
    compileSeconds: (performance.now() - started) / 1000,
  };
  return { summary, ...sections };
}

const materialRows = (materials: readonly CompiledMaterial[]): Uint8Array<ArrayBuffer> =>
  packRows(
    Material,
    materials.map(({ row }) => row),
  );

function textureRows(slots: readonly TextureSlot[], placed: ReadonlyMap<number, PlacedImage>): Uint8Array<ArrayBuffer> {
  const rows = slots.map(({ image, flags, transformU, transformV }) => {
    const spot = placed.get(image);
    const size = [spot?.image.width ?? 0, spot?.image.height ?? 0];
    return { origin: [spot?.x ?? 0, spot?.y ?? 0], size, layer: spot?.layer ?? 0, flags, transform_u: transformU, transform_v: transformV };
  });
  return packRows(TextureUse, rows);
}

/** A function to await between pieces of work: lets messages in and throws once aborted. */
function givingWay(signal: AbortSignal): () => Promise<void> {
  signal.throwIfAborted();
  let last = performance.now();
  return async () => {
    if (performance.now() - last > ABORT_CHECK_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    signal.throwIfAborted();
  };
}

/** Triangle and TriangleCorners rows in leaf order; written by hand because there are millions. */
function orderTriangles(geometry: Geometry, { order }: Bvh, lights: SceneLights): Pick<CompiledScene, 'triangles' | 'corners'> {
  const words = Triangle.size / 4;
  const triangles = new Uint8Array(order.length * Triangle.size);
  const asFloats = new Float32Array(triangles.buffer);
  const asWords = new Uint32Array(triangles.buffer);
  const corners = new Uint32Array(order.length * 3);
  const { v0, v1, v2, primitive, material, light } = Triangle.offsets;
  for (let place = 0; place < order.length; place++) {
    const from = order[place] as number;
    const to = place * words;
    for (let axis = 0; axis < 3; axis++) {
      asFloats[to + v0 / 4 + axis] = geometry.positions[from * 9 + axis] as number;
      asFloats[to + v1 / 4 + axis] = geometry.positions[from * 9 + 3 + axis] as number;
      asFloats[to + v2 / 4 + axis] = geometry.positions[from * 9 + 6 + axis] as number;
    }
    asWords[to + primitive / 4] = geometry.primitiveIds[from] as number;
    asWords[to + material / 4] = geometry.materials[from] as number;
    asWords[to + light / 4] = lights.ofTriangle[place] as number;
    for (let k = 0; k < 3; k++) corners[place * 3 + k] = geometry.corners[from * 3 + k] as number;
  }
  return { triangles, corners: new Uint8Array(corners.buffer) };
}
