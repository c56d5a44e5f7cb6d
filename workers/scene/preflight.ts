/**
 * Checks a parsed glTF document against its bytes before anything is decoded: every reference,
 * range and count. What passes here cannot make the decoders read outside a buffer, loop or
 * allocate more than limits.ts allows. It does not look at values inside buffers (geometry.ts does).
 */
import {
  SCENE_ACCESSOR_BYTES_MAX,
  SCENE_ACCESSORS_MAX,
  SCENE_LIGHTS_MAX,
  SCENE_MATERIALS_MAX,
  SCENE_NODE_DEPTH_MAX,
  SCENE_NODES_MAX,
} from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import type { Container } from './container.ts';
import { checkExtensions, MESHOPT_EXTENSIONS, TEXTURE_SOURCE_EXTENSIONS } from './extensions.ts';
import { parseGltfJson, type GltfAccessor, type GltfJson } from './gltf-json.ts';
import { checkCompressed } from './preflight-compressed.ts';
import { checkDeformation } from './preflight-deformation.ts';
import type { ResourceReader } from './resources.ts';

export interface CheckedGltf {
  readonly json: GltfJson;
  /** Bytes of each buffer; null for a meshopt fallback buffer, whose bytes nobody reads. */
  readonly buffers: readonly (Uint8Array<ArrayBuffer> | null)[];
  /** Bytes behind the URIs of images and light profiles. */
  readonly resource: ResourceReader;
  readonly warnings: readonly string[];
}

const COMPONENT_BYTES: Readonly<Record<number, number>> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 };
const COMPONENTS: Readonly<Record<string, number>> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT2: 4, MAT3: 9, MAT4: 16 };

const fail = (path: string, what: string): never => {
  throw new SceneError(`${path}: ${what}; export the file again.`);
};

/** @throws SceneError, one sentence with the JSON path of the first defect. */
export function preflight(container: Container): CheckedGltf {
  const json = parseGltfJson(container.json);
  if (json.asset.version !== '2.0' && !json.asset.version.startsWith('2.')) {
    throw new SceneError(`asset.version: the file is glTF "${json.asset.version}", only 2.0 can be read; export it as glTF 2.0.`);
  }
  const warnings = checkExtensions(json);
  checkCounts(json);
  const buffers = json.buffers.map((_, i) => openBuffer(json, container, i));
  json.bufferViews.forEach((_, i) => checkBufferView(json, buffers, i));
  let bytes = 0;
  json.accessors.forEach((accessor, i) => {
    checkAccessor(json, accessor, i);
    bytes += accessor.count * elementBytes(accessor);
    if (bytes > SCENE_ACCESSOR_BYTES_MAX) {
      fail(`accessors[${i}]`, `the accessors up to here claim ${bytes} bytes, more than the ${SCENE_ACCESSOR_BYTES_MAX} a scene may have`);
    }
  });
  checkReferences(json);
  checkDeformation(json);
  checkCompressed(json, buffers);
  checkTree(json);
  return { json, buffers, resource: container.resource, warnings };
}

function checkCounts(json: GltfJson): void {
  const bound = (
    list: 'nodes' | 'accessors' | 'bufferViews' | 'meshes' | 'materials' | 'textures' | 'images' | 'buffers',
    max: number,
  ): void => {
    if (json[list].length <= max) return;
    throw new SceneError(`${list}: the file has ${json[list].length} of them, more than the ${max} a scene may have; make it simpler.`);
  };
  bound('nodes', SCENE_NODES_MAX);
  bound('materials', SCENE_MATERIALS_MAX);
  for (const list of ['accessors', 'bufferViews', 'meshes', 'textures', 'images', 'buffers'] as const) bound(list, SCENE_ACCESSORS_MAX);
  const lights = json.extensions?.['KHR_lights_punctual']?.['lights'];
  if (Array.isArray(lights) && lights.length > SCENE_LIGHTS_MAX)
    fail('extensions.KHR_lights_punctual.lights', `${lights.length} lights are too many`);
}

function openBuffer(json: GltfJson, container: Container, i: number): Uint8Array<ArrayBuffer> | null {
  const buffer = json.buffers[i] as GltfJson['buffers'][number];
  const path = `buffers[${i}]`;
  if (buffer.uri === undefined) {
    if (MESHOPT_EXTENSIONS.some((name) => buffer.extensions?.[name]?.['fallback'] === true)) return null;
    if (i !== 0 || !container.binary) return fail(path, 'it names no data and the file has no binary chunk for it');
    return takeBytes(path, container.binary, buffer.byteLength);
  }
  return takeBytes(path, container.resource(buffer.uri, `${path}.uri`), buffer.byteLength);
}

function takeBytes(path: string, bytes: Uint8Array<ArrayBuffer>, claimed: number): Uint8Array<ArrayBuffer> {
  if (claimed > bytes.length) fail(`${path}.byteLength`, `it claims ${claimed} bytes but ${bytes.length} are there`);
  return bytes;
}

function checkBufferView(json: GltfJson, buffers: readonly (Uint8Array | null)[], i: number): void {
  const view = json.bufferViews[i] as GltfJson['bufferViews'][number];
  const path = `bufferViews[${i}]`;
  inRange(view.buffer, json.buffers.length, `${path}.buffer`, 'buffers');
  const within = (buffer: number, offset: number, length: number, where: string): void => {
    const available = (json.buffers[buffer] as GltfJson['buffers'][number]).byteLength;
    if (offset + length <= available) return;
    fail(where, `bytes ${offset} to ${offset + length} lie outside buffer ${buffer}, which has ${available}`);
  };
  within(view.buffer, view.byteOffset, view.byteLength, path);
  const packed = MESHOPT_EXTENSIONS.map((name) => [name, view.extensions?.[name]] as const).find(([, value]) => value !== undefined);
  if (!packed) {
    if (buffers[view.buffer] === null) fail(`${path}.buffer`, 'it points at a buffer without data');
    return;
  }
  const where = `${path}.extensions.${packed[0]}`;
  const whole = (key: string, fallback?: number): number => {
    const value = packed[1]?.[key] ?? fallback;
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail(`${where}.${key}`, 'a whole number is missing');
  };
  inRange(whole('buffer'), json.buffers.length, `${where}.buffer`, 'buffers');
  if (buffers[whole('buffer')] === null) fail(`${where}.buffer`, 'it points at a buffer without data');
  within(whole('buffer'), whole('byteOffset', 0), whole('byteLength'), where);
  if (whole('count') * whole('byteStride') > view.byteLength) fail(where, 'its count and stride claim more bytes than the view has');
}

const elementBytes = (accessor: GltfAccessor): number =>
  (COMPONENT_BYTES[accessor.componentType] as number) * (COMPONENTS[accessor.type] as number);

function checkAccessor(json: GltfJson, accessor: GltfAccessor, i: number): void {
  const path = `accessors[${i}]`;
  const range = (viewIndex: number, offset: number, count: number, bytes: number, where: string): void => {
    inRange(viewIndex, json.bufferViews.length, `${where}.bufferView`, 'bufferViews');
    const view = json.bufferViews[viewIndex] as GltfJson['bufferViews'][number];
    const stride = view.byteStride ?? bytes;
    if (stride < bytes) fail(where, `its elements of ${bytes} bytes do not fit the stride ${stride} of bufferViews[${viewIndex}]`);
    const end = offset + stride * (count - 1) + bytes;
    if (end > view.byteLength) {
      fail(where, `its ${count} elements reach byte ${end} but bufferViews[${viewIndex}] has ${view.byteLength} bytes`);
    }
  };
  if (accessor.bufferView !== undefined) range(accessor.bufferView, accessor.byteOffset, accessor.count, elementBytes(accessor), path);
  const sparse = accessor.sparse;
  if (!sparse) return;
  if (sparse.count > accessor.count) fail(`${path}.sparse.count`, `${sparse.count} exceeds the ${accessor.count} elements of the accessor`);
  const indexBytes = COMPONENT_BYTES[sparse.indices.componentType] as number;
  range(sparse.indices.bufferView, sparse.indices.byteOffset, sparse.count, indexBytes, `${path}.sparse.indices`);
  range(sparse.values.bufferView, sparse.values.byteOffset, sparse.count, elementBytes(accessor), `${path}.sparse.values`);
}

function inRange(index: number | undefined, length: number, path: string, list: string): void {
  if (index === undefined || index < length) return;
  fail(path, `index ${index} is out of range, the file has ${length} ${list}`);
}

function checkReferences(json: GltfJson): void {
  const to = (
    index: number | undefined,
    list:
      | 'accessors'
      | 'bufferViews'
      | 'images'
      | 'samplers'
      | 'textures'
      | 'materials'
      | 'meshes'
      | 'skins'
      | 'cameras'
      | 'nodes'
      | 'scenes',
    path: string,
  ): void => inRange(index, json[list].length, path, list);
  json.images.forEach((image, i) => {
    to(image.bufferView, 'bufferViews', `images[${i}].bufferView`);
    if (image.bufferView === undefined && image.uri === undefined) fail(`images[${i}]`, 'it has neither data nor a URI');
  });
  json.textures.forEach((texture, i) => {
    to(texture.source, 'images', `textures[${i}].source`);
    to(texture.sampler, 'samplers', `textures[${i}].sampler`);
    for (const name of TEXTURE_SOURCE_EXTENSIONS) {
      const source: unknown = texture.extensions?.[name]?.['source'];
      if (source !== undefined && !(Number.isSafeInteger(source) && (source as number) >= 0)) {
        fail(`textures[${i}].extensions.${name}.source`, 'a whole number of 0 or more was expected');
      }
      to(source as number | undefined, 'images', `textures[${i}].extensions.${name}.source`);
    }
  });
  json.materials.forEach((material, i) => checkTextureInfos(json, material, `materials[${i}]`));
  json.meshes.forEach((mesh, m) =>
    mesh.primitives.forEach((primitive, p) => {
      const path = `meshes[${m}].primitives[${p}]`;
      to(primitive.material, 'materials', `${path}.material`);
      to(primitive.indices, 'accessors', `${path}.indices`);
      for (const [semantic, index] of Object.entries(primitive.attributes)) to(index, 'accessors', `${path}.attributes.${semantic}`);
      primitive.targets.forEach((target, t) => {
        for (const [semantic, index] of Object.entries(target)) to(index, 'accessors', `${path}.targets[${t}].${semantic}`);
      });
      const draco: unknown = primitive.extensions?.['KHR_draco_mesh_compression']?.['bufferView'];
      if (draco !== undefined) to(draco as number, 'bufferViews', `${path}.extensions.KHR_draco_mesh_compression.bufferView`);
    }),
  );
  json.skins.forEach((skin, i) => {
    to(skin.inverseBindMatrices, 'accessors', `skins[${i}].inverseBindMatrices`);
    skin.joints.forEach((joint, j) => to(joint, 'nodes', `skins[${i}].joints[${j}]`));
  });
  checkAnimations(json);
  json.nodes.forEach((node, i) => {
    for (const [key, list] of [
      ['mesh', 'meshes'],
      ['skin', 'skins'],
      ['camera', 'cameras'],
    ] as const)
      to(node[key], list, `nodes[${i}].${key}`);
    node.children.forEach((child, c) => to(child, 'nodes', `nodes[${i}].children[${c}]`));
  });
  json.scenes.forEach((scene, i) => scene.nodes.forEach((node, n) => to(node, 'nodes', `scenes[${i}].nodes[${n}]`)));
  to(json.scene, 'scenes', 'scene');
}

function checkAnimations(json: GltfJson): void {
  json.animations.forEach((animation, a) => {
    animation.samplers.forEach((sampler, s) => {
      inRange(sampler.input, json.accessors.length, `animations[${a}].samplers[${s}].input`, 'accessors');
      inRange(sampler.output, json.accessors.length, `animations[${a}].samplers[${s}].output`, 'accessors');
    });
    animation.channels.forEach((channel, c) => {
      inRange(channel.sampler, animation.samplers.length, `animations[${a}].channels[${c}].sampler`, 'samplers in this animation');
      inRange(channel.target.node, json.nodes.length, `animations[${a}].channels[${c}].target.node`, 'nodes');
    });
  });
}

/** Texture references hide at any depth below a material (extensions), so all objects are walked. */
function checkTextureInfos(json: GltfJson, value: unknown, path: string, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > 5) return;
  for (const [key, child] of Object.entries(value)) {
    const here = `${path}.${key}`;
    if (key.endsWith('Texture') && typeof child === 'object' && child !== null) {
      const index = (child as { readonly index?: unknown }).index;
      if (!Number.isSafeInteger(index) || (index as number) < 0) fail(`${here}.index`, 'a whole number is missing');
      inRange(index as number, json.textures.length, `${here}.index`, 'textures');
    }
    checkTextureInfos(json, child, here, depth + 1);
  }
}

/** Nodes must form trees (section 3.5.2): one parent at most, no cycle, bounded depth. */
function checkTree(json: GltfJson): void {
  const parent = new Int32Array(json.nodes.length).fill(-1);
  json.nodes.forEach((node, i) =>
    node.children.forEach((child, c) => {
      if (parent[child] !== -1) fail(`nodes[${i}].children[${c}]`, `node ${child} already has the parent ${parent[child]}`);
      parent[child] = i;
    }),
  );
  const depth = new Int32Array(json.nodes.length).fill(-1);
  for (let start = 0; start < parent.length; start++) {
    const chain: number[] = [];
    let at = start;
    while (at !== -1 && depth[at] === -1) {
      chain.push(at);
      if (chain.length > SCENE_NODE_DEPTH_MAX) {
        fail(`nodes[${start}]`, `it lies in a cycle or deeper than the ${SCENE_NODE_DEPTH_MAX} levels a scene may have`);
      }
      at = parent[at] as number;
    }
    let level = at === -1 ? 0 : (depth[at] as number) + 1;
    for (let k = chain.length - 1; k >= 0; k--) depth[chain[k] as number] = level++;
    if (level > SCENE_NODE_DEPTH_MAX) fail(`nodes[${start}]`, `it lies deeper than the ${SCENE_NODE_DEPTH_MAX} levels a scene may have`);
  }
}
