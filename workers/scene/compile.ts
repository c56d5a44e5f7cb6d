/**
 * Compiles the creator's files into the flat sections that kernels read, the same bytes on every
 * peer. Orders the stages, gives way to an abort between them, and hashes the result. Draws
 * nothing and needs no GPU, no DOM and no network beyond its own decoders.
 */
import type { SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import { stretch } from '../render/timeline.ts';
import { Material, NONE, TextureUse, Triangle, TRIANGLE_MATERIAL } from '#shaders/layout.ts';
import { featuresOf, type Features, type LightKinds } from '../render/features.ts';
import { sceneBytes } from '../render/scene-bytes.ts';
import { animateGltf } from './animation.ts';
import type { Bvh } from './bvh.ts';
import { sceneBounds, defaultView, readCameras } from './cameras.ts';
import { oneLine, type CompiledEnvironment, type CompiledScene } from './compiled-scene.ts';
import { openContainer } from './container.ts';
import { readDocument } from './document.ts';
import { EmissionMeter } from './emission.ts';
import { BLACK, compileEnvironment, type Environment } from './environment.ts';
import { buildGeometry, type Geometry, type MaterialNeeds } from './geometry.ts';
import { compileImageLight, lightsByImage } from './image-light.ts';
import { compileImages } from './images.ts';
import { buildSceneTree } from './instances-tree.ts';
import { compileLights, type Candidate, type SceneLights } from './lights.ts';
import { readIesLights } from './lights-ies.ts';
import { readPunctualLights } from './lights-punctual.ts';
import { compileMaterials, type CompiledMaterial, type TextureSlot } from './materials.ts';
import { PLAIN_UV_SETS } from './materials/texture-slots.ts';
import { thinOpenMeshes } from './open-meshes.ts';
import { poseScene } from './pose.ts';
import { preflight } from './preflight.ts';
import { SectionHashes } from './root.ts';
import { packRows } from './rows.ts';
import type { PlacedImage } from './texels.ts';
import { applyVariant, variantNames } from './variants.ts';

export { SceneError } from './compiled-scene.ts';

/** How long a stage may run before an abort is looked for. */
const ABORT_CHECK_MS = 50;

/**
 * @throws SceneError for a defect of the files; `signal.reason` when aborted.
 * At `frameTimeS` 0 animations are not applied (see animation.ts).
 * @param foresee told which kernels the scene will take, before its images and surroundings are decoded; what only these
 * can tell (an emitter that is black) may be in it though the scene turns out not to have it.
 */
export async function compileScene(
  signal: AbortSignal,
  files: SceneFiles,
  foresee: (features: Features) => void = () => undefined,
): Promise<CompiledScene> {
  const started = performance.now();
  const pause = givingWay(signal);
  const ended = stages(started);
  const hashes = new SectionHashes();
  const checked = preflight(openContainer(files.scene));
  await pause();
  ended('check');
  const document = await readDocument(checked);
  ended('document');
  const animated = animateGltf(applyVariant(checked.json, files.variant), document, files.frameTimeS);
  const thinned = await thinOpenMeshes(animated.json, document, pause);
  const { json } = thinned;
  const pose = poseScene(json);
  const { materials, slots, warnings } = compileMaterials(json);
  ended('pose');
  const geometry = await buildGeometry(json, document, pose, needsOf(materials), materials.length - 1, pause);
  ended('geometry');
  const bvh = await buildSceneTree(geometry, pause);
  ended('tree');
  const { bounds, radius } = sceneBounds(geometry.positions.subarray(0, (geometry.ends[0] as number) * 9), bvh.instanceBounds);
  const ies = readIesLights(checked, json, pose);
  const candidates = [...ies.candidates, ...readPunctualLights(json, pose, radius)];
  const rows = materialRows(materials);
  const lit = { lights: kindsOf(geometry, materials, candidates), surrounded: files.environment !== null || lightsByImage(json) };
  foresee(featuresOf({ materials: rows, nodes: bvh.nodes, extras: geometry.extras, ...lit }));
  const { texels, placed } = await compileImages(document, slots, pause);
  hashes.add('texels', texels.data);
  ended('images');
  const environment = files.environment
    ? compileEnvironment(files.environment.file, files.environment.intensity)
    : ((await compileImageLight(json, document, pause)) ?? BLACK);
  hashes.add('environment', environment.texels);
  hashes.add('environment-alias', environment.alias);
  ended('environment');
  const meter = new EmissionMeter(geometry, slots, placed);
  const lights = await compileLights(geometry, bvh.order, materials, meter, candidates, environment.meanLuminance, radius, pause);
  ended('lights');
  const sections = {
    nodes: bvh.nodes,
    ...orderTriangles(geometry, bvh, lights),
    vertices: geometry.vertices,
    extras: geometry.extras,
    materials: rows,
    textures: textureRows(slots, placed),
    lights: lights.rows,
    lightNodes: lights.nodes,
    profiles: ies.profiles,
    texels,
    environment: sectionOf(environment),
  };
  ended('order');
  await pause();
  const { root, bytes } = await rootOf(hashes, sections);
  ended('root');
  const cameras = readCameras(json, pose, bounds);
  const summary: SceneSummary = {
    ...{ root, bytes, bounds, needs: sceneBytes(sections) },
    ...{ triangles: geometry.placedCount, materials: animated.json.materials.length, textures: placed.size, lights: lights.count },
    ...{ cameras: cameras.cameras, view: defaultView(bounds, radius) },
    ...{ animationSeconds: animated.animationSeconds, variants: variantNames(json) },
    warnings: [...checked.warnings, ...animated.warnings, ...thinned.warnings, ...warnings, ...cameras.warnings].map(oneLine),
    compileSeconds: (performance.now() - started) / 1000,
  };
  return { summary, ...sections };
}

const sectionOf = ({ width, height, texels, alias }: Environment): CompiledEnvironment => ({ width, height, texels, alias });

/** Puts each stage on the timeline as it ends. */
function stages(started: number): (name: string) => void {
  let begun = started;
  return (name) => void (begun = stretch(`compile: ${name}`, begun));
}

/** The lights as they will be, if everything that may shine does. */
function kindsOf(geometry: Geometry, materials: readonly CompiledMaterial[], candidates: readonly Candidate[]): LightKinds {
  const emits = materials.map(({ emissive }) => emissive.some((value) => value > 0));
  const world = geometry.materials.subarray(0, geometry.ends[0] as number);
  const emissive = world.reduce((sum, material) => sum + Number(emits[material & TRIANGLE_MATERIAL] ?? false), 0);
  return {
    placed: emissive + candidates.filter(({ bounds }) => bounds !== null).length,
    emissive,
    photometric: candidates.filter(({ row }) => row.profile !== undefined && row.profile !== NONE).length,
    punctual: candidates.length,
  };
}

const needsOf =
  (materials: readonly CompiledMaterial[]) =>
  (index: number): MaterialNeeds => ({
    tangentUv: materials[index]?.tangentUv ?? null,
    uvSets: materials[index]?.uvSets ?? PLAIN_UV_SETS,
    emits: materials[index]?.emissive.some((value) => value > 0) ?? false,
  });

/** Adds what is not hashed yet. */
function rootOf(hashes: SectionHashes, sections: Omit<CompiledScene, 'summary'>): ReturnType<SectionHashes['root']> {
  const { texels, environment } = sections;
  hashes.add('nodes', sections.nodes);
  hashes.add('triangles', sections.triangles);
  hashes.add('corners', sections.corners);
  hashes.add('vertices', sections.vertices);
  hashes.add('vertex-extras', sections.extras);
  hashes.add('materials', sections.materials);
  hashes.add('textures', sections.textures);
  hashes.add('lights', sections.lights);
  hashes.add('light-nodes', sections.lightNodes);
  hashes.add('profiles', sections.profiles);
  hashes.add('shape', Uint32Array.of(texels.side, texels.layers, environment.width, environment.height));
  return hashes.root();
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
