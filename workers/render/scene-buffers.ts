/**
 * A compiled scene on the device: one storage buffer per section, texels and environment as
 * textures. Refuses nothing itself; `sceneNeeds` says which limits it takes and `openDevice` refuses.
 */
import type { DeviceRoom } from '#lib/gpu/engine.ts';
import type { Tree } from '#shaders/index.ts';
import type { CompiledEnvironment, CompiledScene } from '../scene/compiled-scene.ts';
import {
  Light,
  LIGHT_ENVIRONMENT,
  LIGHT_NODES_PER_ROW,
  LightNode,
  Material,
  MATERIAL_ALPHA_BLEND,
  MATERIAL_ALPHA_MASK,
  MATERIAL_DOUBLE_SIDED,
  NODES_PER_ROW,
  PROFILE_ROW,
  Triangle,
  TRIANGLE_CLASS_SHIFT,
  TRIANGLE_CULL,
  TRIANGLE_MATERIAL,
  TRIANGLE_SEE_THROUGH,
  TRIANGLES_PER_ROW,
  Vertex,
  VertexExtra,
  WideNode,
} from '#shaders/layout.ts';
import { buildWideTree } from '../scene/wide-tree.ts';
import { albedoTexture } from './albedo-texture.ts';
import { CameraMedia } from './camera-media.ts';
import { DEFAULT_LIMITS, type LimitNeeds } from './device.ts';
import { lightKinds, materialFeatures, sceneFeatures, type Features } from './features.ts';
import type { FrameScene } from './frame.ts';
import { BUFFER_SECTIONS, bufferBytes, sceneBytes } from './scene-bytes.ts';
import { shadeClassOf } from './shade-class.ts';

/** The limits a scene needs, never below the defaults. */
export function sceneNeeds(scene: CompiledScene): LimitNeeds {
  const { bindingBytes: largest } = sceneBytes(scene);
  const { width, height } = scene.environment;
  return {
    maxStorageBufferBindingSize: Math.max(DEFAULT_LIMITS.maxStorageBufferBindingSize, largest),
    maxBufferSize: Math.max(DEFAULT_LIMITS.maxBufferSize, largest),
    maxTextureDimension2D: Math.max(DEFAULT_LIMITS.maxTextureDimension2D, scene.texels.side, width, height),
    maxTextureArrayLayers: Math.max(DEFAULT_LIMITS.maxTextureArrayLayers, scene.texels.layers),
  };
}

/**
 * Density over the unit square that an alias table draws each texel with; mean 1. From the table
 * itself, not from radiance, so that it is exact whatever rounding built the table.
 */
export function aliasDensity(alias: Uint32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const thresholds = new Float32Array(alias.buffer, alias.byteOffset, alias.length);
  const sum = new Float64Array(alias.length / 2);
  for (let i = 0; i < sum.length; i++) {
    const keep = Math.min(Math.max(thresholds[i * 2]!, 0), 1);
    sum[i]! += keep;
    const other = alias[i * 2 + 1]!;
    if (keep < 1) sum[other]! += 1 - keep;
  }
  return Float32Array.from(sum);
}

const viewOf = (bytes: Uint8Array<ArrayBuffer>): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The triangle section with the TRIANGLE_* bits of each material added. */
function flaggedTriangles(scene: CompiledScene): Uint8Array<ArrayBuffer> {
  const materials = viewOf(scene.materials);
  const bits = Array.from({ length: scene.materials.byteLength / Material.size }, (_, i) => {
    const flags = materials.getUint32(i * Material.size + Material.offsets.flags, true);
    const f = (offset: number): number => materials.getFloat32(i * Material.size + offset, true);
    const transmits = f(Material.offsets.transmission) > 0;
    const volume = f(Material.offsets.thickness) > 0 && (transmits || f(Material.offsets.diffuse_transmission) > 0);
    const cull = (flags & MATERIAL_DOUBLE_SIDED) === 0 && !transmits && !volume ? TRIANGLE_CULL : 0;
    const blended = (flags & (MATERIAL_ALPHA_MASK | MATERIAL_ALPHA_BLEND)) !== 0;
    const shading = shadeClassOf(materialFeatures(materials, i * Material.size)) << TRIANGLE_CLASS_SHIFT;
    return cull | shading | (blended || transmits || volume ? TRIANGLE_SEE_THROUGH : 0);
  });
  const out = scene.triangles.slice();
  const words = viewOf(out);
  for (let t = 0; t < out.byteLength / Triangle.size; t++) {
    const at = t * Triangle.size + Triangle.offsets.material;
    const word = words.getUint32(at, true);
    words.setUint32(at, (word | bits[word & TRIANGLE_MATERIAL]!) >>> 0, true);
  }
  return out;
}

/** Vertices as kernels read them: with extras, each row followed by its own. */
function vertexRows({ vertices, extras }: CompiledScene): Uint8Array<ArrayBuffer> {
  if (extras.byteLength === 0) return vertices;
  const out = new Uint8Array(vertices.byteLength + extras.byteLength);
  const rows: readonly (readonly [Uint8Array<ArrayBuffer>, number, number])[] = [
    [vertices, Vertex.size, 0],
    [extras, VertexExtra.size, Vertex.size],
  ];
  for (const [from, size, offset] of rows) {
    for (let at = 0, to = offset; at < from.byteLength; at += size, to += Vertex.size + VertexExtra.size) {
      out.set(from.subarray(at, at + size), to);
    }
  }
  return out;
}

/** Rows of the tree that kernels read. The wide one is made here, for only some devices want it. */
const treeRows = (scene: CompiledScene, tree: Tree): Uint8Array<ArrayBuffer> =>
  tree === 'binary' ? scene.nodes : buildWideTree(scene.nodes).rows;

/** What the scene takes on a device that reads this tree, all of it counted. */
export const roomWith = (scene: CompiledScene, tree: Tree): DeviceRoom =>
  sceneBytes(scene, { form: tree, byteLength: treeRows(scene, tree).byteLength });

export class SceneBuffers {
  readonly features: Features;
  /** Which tree was uploaded. */
  readonly tree: Tree;
  readonly frame: FrameScene;
  /** For group 0 of the trace pass, bindings 1 to 13 in order, and 14 where triangles are read from texels. */
  readonly resources: readonly GPUBindingResource[];
  readonly #owned: readonly (GPUBuffer | GPUTexture)[];

  constructor(device: GPUDevice, scene: CompiledScene, tree: Tree = 'binary') {
    this.tree = tree;
    const rows = scene.lights.byteLength / Light.size;
    const words = viewOf(scene.lights);
    const last = (rows - 1) * Light.size;
    const lit = rows > 0 && words.getUint32(last + Light.offsets.kind, true) === LIGHT_ENVIRONMENT;
    const { width, height } = scene.environment;
    const envPick = lit ? words.getFloat32(last + Light.offsets.pick, true) : 0;
    const { placed } = lightKinds(scene.lights);
    const treeShare = placed > 0 ? words.getFloat32(Light.offsets.pick, true) : 0;
    const media = new CameraMedia(scene);
    this.frame = {
      lights: rows,
      envWidth: width,
      envHeight: height,
      envPick,
      treeLights: placed,
      treeShare,
      mediaAt: (eye) => media.at(eye),
    };
    this.features = sceneFeatures(scene);
    const triangles = flaggedTriangles(scene);
    const nodes = treeResource(device, tree, treeRows(scene, tree));
    const sections = { ...scene, triangles, vertices: vertexRows(scene) };
    const buffers = BUFFER_SECTIONS.slice(1).map((name) => storage(device, name, sections[name]));
    const again =
      tree === 'wide-texels' ? [rowTexture(device, 'triangles', 'rgba32uint', triangles, TRIANGLES_PER_ROW * Triangle.size)] : [];
    const textures = [
      texelArray(device, scene.texels),
      radianceTexture(device, scene.environment),
      aliasTexture(device, scene.environment),
      rowTexture(device, 'light nodes', 'rgba32uint', scene.lightNodes, LIGHT_NODES_PER_ROW * LightNode.size),
      rowTexture(device, 'profiles', 'r32float', scene.profiles, PROFILE_ROW * 4),
    ];
    this.#owned = [nodes, ...buffers, ...textures, ...again];
    this.resources = [
      'createView' in nodes ? nodes.createView() : { buffer: nodes },
      ...buffers.map((buffer) => ({ buffer })),
      ...textures.map((texture, i) => texture.createView(i === 0 ? { dimension: '2d-array' } : {})), // texels are layers
      albedoTexture(device).createView({ dimension: '2d-array' }),
      ...again.map((texture) => texture.createView()),
    ];
  }

  destroy(): void {
    for (const thing of this.#owned) thing.destroy();
  }
}

const treeResource = (device: GPUDevice, tree: Tree, rows: Uint8Array<ArrayBuffer>): GPUBuffer | GPUTexture =>
  tree === 'wide-texels' ? rowTexture(device, 'nodes', 'rgba32uint', rows, NODES_PER_ROW * WideNode.size) : storage(device, 'nodes', rows);

/** An empty section still needs one element to be bound. */
function storage(device: GPUDevice, name: string, bytes: Uint8Array<ArrayBuffer>): GPUBuffer {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: `scene ${name}`, size: bufferBytes(bytes), usage });
  if (bytes.byteLength > 0) device.queue.writeBuffer(buffer, 0, bytes);
  return buffer;
}

function texelArray(device: GPUDevice, texels: CompiledScene['texels']): GPUTexture {
  const { side, layers, data } = texels;
  const texture = device.createTexture({
    label: 'scene texels',
    size: [side, side, layers],
    format: 'rgba8uint',
    usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST,
  });
  const layerBytes = side * side * 4;
  for (let layer = 0; layer < layers; layer++) {
    const bytes = data.subarray(layer * layerBytes, (layer + 1) * layerBytes);
    device.queue.writeTexture({ texture, origin: [0, 0, layer] }, bytes, { bytesPerRow: side * 4, rowsPerImage: side }, [side, side, 1]);
  }
  return texture;
}

function imageTexture(
  device: GPUDevice,
  label: string,
  format: GPUTextureFormat,
  environment: CompiledEnvironment,
  data: GPUAllowSharedBufferSource,
): GPUTexture {
  const { width, height } = environment;
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ label, size: [width, height], format, usage });
  const bytesPerRow = data.byteLength / height;
  device.queue.writeTexture({ texture }, data, { bytesPerRow, rowsPerImage: height }, [width, height]);
  return texture;
}

function radianceTexture(device: GPUDevice, environment: CompiledEnvironment): GPUTexture {
  const texels = environment.texels.slice();
  const density = aliasDensity(environment.alias);
  density.forEach((value, i) => {
    texels[i * 4 + 3] = value;
  });
  return imageTexture(device, 'environment radiance', 'rgba32float', environment, texels);
}

const aliasTexture = (device: GPUDevice, environment: CompiledEnvironment): GPUTexture =>
  imageTexture(device, 'environment alias', 'rg32uint', environment, environment.alias);

/** Stands where a scene has nothing to bind. */
const emptyTexture = (device: GPUDevice, label: string, format: GPUTextureFormat): GPUTexture =>
  device.createTexture({ label, size: [1, 1], format, usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST });

/** Values one after the other, `rowBytes` to a row of texels; the last row is filled up with zeros. */
function rowTexture(
  device: GPUDevice,
  label: string,
  format: 'rgba32uint' | 'r32float',
  data: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
  rowBytes: number,
): GPUTexture {
  if (data.byteLength === 0) return emptyTexture(device, label, format);
  const height = Math.ceil(data.byteLength / rowBytes);
  const padded = new Uint8Array(height * rowBytes);
  padded.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const width = rowBytes / (format === 'r32float' ? 4 : 16);
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ label, size: [width, height], format, usage });
  device.queue.writeTexture({ texture }, padded, { bytesPerRow: rowBytes, rowsPerImage: height }, [width, height]);
  return texture;
}
