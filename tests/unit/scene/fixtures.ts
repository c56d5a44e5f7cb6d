/**
 * Small GLB files built in code, for tests of any area: a box, a textured quad, a closed room lit by
 * an emissive quad. `editGlb` takes one apart and puts it together again with a defect.
 */
import { Document, Logger, WebIO, type Material } from '@gltf-transform/core';
import { ALL_EXTENSIONS, KHRMaterialsEmissiveStrength } from '@gltf-transform/extensions';
import { encode } from 'fast-png';
import type { SceneFiles } from '#lib/gpu/engine.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export const sceneFiles = (scene: Bytes, frameTimeS = 0): SceneFiles => ({ scene, environment: null, frameTimeS, variant: null });

export async function writeGlb(document: Document): Promise<Bytes> {
  const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(ALL_EXTENSIONS);
  return Uint8Array.from(await io.writeBinary(document));
}

/** Corners, normals, uv and indices of a rectangle spanned by two edges; its normal is edge1 × edge2. */
export interface Quad {
  readonly corner: readonly [number, number, number];
  readonly edge1: readonly [number, number, number];
  readonly edge2: readonly [number, number, number];
}

/** Adds a mesh of quads with its own node to the document's one scene. */
export function addQuads(document: Document, name: string, quads: readonly Quad[], material: Material | null, withNormals = true): void {
  const root = document.getRoot();
  const buffer = root.listBuffers()[0] ?? document.createBuffer();
  const positions: number[] = [];
  const normals: number[] = [];
  const uv: number[] = [];
  const indices: number[] = [];
  quads.forEach(({ corner, edge1, edge2 }, q) => {
    const [a, b] = [edge1, edge2];
    const n = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    const length = Math.sqrt(n.reduce((sum, x) => sum + x * x, 0));
    for (const [s, t] of [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const) {
      positions.push(...corner.map((x, axis) => x + s * (a[axis] as number) + t * (b[axis] as number)));
      normals.push(...n.map((x) => x / length));
      uv.push(s, 1 - t);
    }
    indices.push(...[0, 1, 2, 0, 2, 3].map((i) => q * 4 + i));
  });
  const accessor = (type: 'VEC2' | 'VEC3' | 'SCALAR', array: Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>) =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const primitive = document.createPrimitive().setMaterial(material);
  primitive.setAttribute('POSITION', accessor('VEC3', Float32Array.from(positions)));
  if (withNormals) primitive.setAttribute('NORMAL', accessor('VEC3', Float32Array.from(normals)));
  primitive.setAttribute('TEXCOORD_0', accessor('VEC2', Float32Array.from(uv)));
  primitive.setIndices(accessor('SCALAR', Uint16Array.from(indices)));
  const scene = root.listScenes()[0] ?? document.createScene();
  scene.addChild(document.createNode(name).setMesh(document.createMesh(name).addPrimitive(primitive)));
}

/** The six outward faces of an axis-aligned box. */
export function boxQuads(min: readonly [number, number, number], max: readonly [number, number, number]): Quad[] {
  const [x, y, z] = [max[0] - min[0], max[1] - min[1], max[2] - min[2]];
  return [
    { corner: [min[0], min[1], max[2]], edge1: [x, 0, 0], edge2: [0, y, 0] },
    { corner: [max[0], min[1], min[2]], edge1: [-x, 0, 0], edge2: [0, y, 0] },
    { corner: [max[0], min[1], max[2]], edge1: [0, 0, -z], edge2: [0, y, 0] },
    { corner: [min[0], min[1], min[2]], edge1: [0, 0, z], edge2: [0, y, 0] },
    { corner: [min[0], max[1], max[2]], edge1: [x, 0, 0], edge2: [0, 0, -z] },
    { corner: [min[0], min[1], min[2]], edge1: [x, 0, 0], edge2: [0, 0, z] },
  ];
}

/** A unit cube around the origin, 12 triangles, grey. */
export async function boxGlb(): Promise<Bytes> {
  const document = new Document();
  const grey = document.createMaterial('grey').setBaseColorFactor([0.5, 0.5, 0.5, 1]).setMetallicFactor(0);
  addQuads(document, 'box', boxQuads([-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]), grey);
  return writeGlb(document);
}

/** An 8-bit rgba PNG. `pixel` returns four codes. */
export function pngImage(width: number, height: number, pixel: (x: number, y: number) => readonly number[]): Bytes {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) data.set(pixel(i % width, Math.floor(i / width)), i * 4);
  return Uint8Array.from(encode({ width, height, data, channels: 4, depth: 8 }));
}

/** A 2 × 2 quad in the plane z = 0 facing +z, with `image` as its base colour (default: four colours). */
export async function texturedQuadGlb(image?: Bytes, mimeType = 'image/png'): Promise<Bytes> {
  const document = new Document();
  const colors = [
    [255, 0, 0, 255],
    [0, 255, 0, 255],
    [0, 0, 255, 255],
    [255, 255, 255, 255],
  ] as const;
  const bytes = image ?? pngImage(2, 2, (x, y) => colors[(y * 2 + x) as 0 | 1 | 2 | 3]);
  const texture = document.createTexture('four colours').setImage(bytes).setMimeType(mimeType);
  const material = document.createMaterial('picture').setBaseColorTexture(texture).setMetallicFactor(0).setRoughnessFactor(1);
  addQuads(document, 'quad', [{ corner: [-1, -1, 0], edge1: [2, 0, 0], edge2: [0, 2, 0] }], material);
  return writeGlb(document);
}

/** A closed room of side 2 (inward faces) with a lamp of side 0.5 under its ceiling and a camera inside. */
export async function emissiveRoomGlb(): Promise<Bytes> {
  const document = new Document();
  const white = document.createMaterial('white').setBaseColorFactor([0.7, 0.7, 0.7, 1]).setMetallicFactor(0).setRoughnessFactor(1);
  const strength = document.createExtension(KHRMaterialsEmissiveStrength).createEmissiveStrength().setEmissiveStrength(10);
  const lamp = document.createMaterial('lamp').setEmissiveFactor([1, 0.9, 0.8]).setBaseColorFactor([0, 0, 0, 1]);
  lamp.setExtension('KHR_materials_emissive_strength', strength);
  const inward = boxQuads([-1, -1, -1], [1, 1, 1]).map(({ corner, edge1, edge2 }): Quad => ({ corner, edge1: edge2, edge2: edge1 }));
  addQuads(document, 'room', inward, white);
  addQuads(document, 'lamp', [{ corner: [-0.25, 0.98, -0.25], edge1: [0.5, 0, 0], edge2: [0, 0, 0.5] }], lamp);
  const camera = document.createCamera('inside').setType('perspective').setYFov(1).setZNear(0.01);
  const scene = document.getRoot().listScenes()[0] ?? document.createScene();
  scene.addChild(document.createNode('eye').setCamera(camera).setTranslation([0, 0, 0.9]));
  return writeGlb(document);
}

type Item = Record<string, unknown>;
/** The JSON of a file that this module built, open to any change. */
export interface LooseJson {
  [key: string]: unknown;
  buffers: Item[];
  bufferViews: Item[];
  accessors: Item[];
  materials: Item[];
  nodes: Item[];
  meshes: { primitives: (Item & { attributes: Record<string, number> })[] }[];
}

/** Rebuilds a GLB with changes to its JSON and binary chunk. */
export function editGlb(glb: Bytes, edit: (json: LooseJson, binary: DataView) => void): Bytes {
  const view = new DataView(glb.buffer, glb.byteOffset, glb.byteLength);
  const jsonLength = view.getUint32(12, true);
  const json = JSON.parse(new TextDecoder().decode(glb.subarray(20, 20 + jsonLength))) as LooseJson;
  const binary = glb.slice(20 + jsonLength + 8);
  edit(json, new DataView(binary.buffer));
  return joinGlb(JSON.stringify(json), binary);
}

export function joinGlb(json: string, binary: Uint8Array | null): Bytes {
  let text = new TextEncoder().encode(json);
  if (text.length % 4 !== 0) text = new TextEncoder().encode(json + ' '.repeat(4 - (text.length % 4)));
  const total = 20 + text.length + (binary ? 8 + binary.length : 0);
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  [0x46546c67, 2, total, text.length, 0x4e4f534a].forEach((word, i) => view.setUint32(i * 4, word, true));
  out.set(text, 20);
  if (binary) {
    view.setUint32(20 + text.length, binary.length, true);
    view.setUint32(24 + text.length, 0x004e4942, true);
    out.set(binary, 28 + text.length);
  }
  return out;
}

/** A square of side 2 in the plane z = 0 that faces +z. */
export const UNIT_QUAD: Quad = { corner: [-1, -1, 0], edge1: [2, 0, 0], edge2: [0, 2, 0] };

/** A document of one quad facing +z, whose node the caller may turn. */
export function quadDocument(withNormals = true) {
  const document = new Document();
  const material = document.createMaterial('m');
  addQuads(document, 'quad', [UNIT_QUAD], material, withNormals);
  return { document, material, node: document.getRoot().listNodes()[0] as NonNullable<ReturnType<Document['createNode']>> };
}
