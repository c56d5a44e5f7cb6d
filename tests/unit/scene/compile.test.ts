/** What a file says is what the sections hold: placement, attributes, materials, codecs, cameras, poses. */
import { Document, Logger, WebIO, type Accessor } from '@gltf-transform/core';
import {
  EXTMeshGPUInstancing,
  EXTMeshoptCompression,
  KHRDracoMeshCompression,
  KHRLightsPunctual,
  KHRMaterialsIOR,
  KHRMaterialsVolume,
  KHRTextureTransform,
} from '@gltf-transform/extensions';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Light, LIGHT_SPOT, Material, NONE, TEXTURE_SRGB, TextureUse, Triangle, TriangleCorners, Vertex, WRAP_CLAMP } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { addQuads, boxGlb, emissiveRoomGlb, pngImage, sceneFiles, texturedQuadGlb, writeGlb, type Bytes } from './fixtures.ts';
import { field, one } from './oracle.ts';

const compile = (glb: Bytes, frameTimeS = 0) => compileScene(new AbortController().signal, sceneFiles(glb, frameTimeS));
const quad = { corner: [-1, -1, 0], edge1: [2, 0, 0], edge2: [0, 2, 0] } as const;

/** A document of one quad facing +z, whose node the caller may turn. */
function quadDocument(withNormals = true) {
  const document = new Document();
  const material = document.createMaterial('m');
  addQuads(document, 'quad', [quad], material, withNormals);
  return { document, material, node: document.getRoot().listNodes()[0] as NonNullable<ReturnType<Document['createNode']>> };
}

function normalOf(scene: CompiledScene, vertex: number): number[] {
  const word = one(scene.vertices, Vertex, vertex, 'normal');
  const [u, v] = [((word << 16) >> 16) / 32767, (word >> 16) / 32767];
  const z = 1 - Math.abs(u) - Math.abs(v);
  const [x, y] = z >= 0 ? [u, v] : [(1 - Math.abs(v)) * Math.sign(u || 1), (1 - Math.abs(u)) * Math.sign(v || 1)];
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length].map((n) => Math.round(n * 1000) / 1000 + 0);
}

const allVertices = (scene: CompiledScene): number[] => Array.from({ length: scene.vertices.length / Vertex.size }, (_, i) => i);

describe('determinism', () => {
  test('the same file gives the same bytes and root, twice', async () => {
    const glb = await emissiveRoomGlb();
    const [a, b] = [await compile(glb), await compile(glb)];
    expect({ ...a, summary: a.summary.root }).toEqual({ ...b, summary: b.summary.root });
  });

  test('the golden roots, which every peer must reach', async () => {
    expect((await compile(await boxGlb())).summary.root).toBe('89cd20fb6ab88e8578ab484de0af2d7637ce7832ae08a32494cb9841c4cdda24');
    expect((await compile(await emissiveRoomGlb())).summary.root).toBe('3c3510ac7137d46bb1a6da9be08debc0800eb552f650c16a4bc02552d08d1ca2');
    expect((await compile(await texturedQuadGlb())).summary.root).toBe('f07fceb6c5ba71364e4b1f966983590ce23fa2e96a827316cb3079ffe069e0a1');
  });

  test('another file or another time of a moving file gives another root', async () => {
    expect((await compile(await boxGlb())).summary.root).not.toBe((await compile(await emissiveRoomGlb())).summary.root);
  });
});

describe('geometry', () => {
  test('a mirrored node flags its triangles and keeps its normals outward', async () => {
    const { document, node } = quadDocument();
    node.setScale([-1, 1, 1]).setTranslation([5, 0, 0]);
    const scene = await compile(await writeGlb(document));
    expect(one(scene.corners, TriangleCorners, 0, 'flags')).toBe(1);
    expect(allVertices(scene).map((v) => normalOf(scene, v))).toEqual(Array.from({ length: 4 }, () => [0, 0, 1]));
    expect(scene.summary.bounds).toEqual({ min: [4, -1, 0], max: [6, 1, 0] });
  });

  test.each([1, -1])('missing normals become those of the faces, at scale x %d', async (scale) => {
    const { document, node } = quadDocument(false);
    node.setRotation([0, Math.SQRT1_2, 0, Math.SQRT1_2]).setScale([scale, 1, 1]);
    const scene = await compile(await writeGlb(document));
    expect(scene.vertices.length / Vertex.size).toBe(6);
    for (const v of allVertices(scene)) expect(normalOf(scene, v)).toEqual([1, 0, 0]);
  });

  test('a normal under uneven scale follows the inverse transpose', async () => {
    const { document, node } = quadDocument();
    document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.getAttribute('NORMAL')?.setArray(Float32Array.from([1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0].map((n) => n * Math.SQRT1_2)));
    node.setScale([2, 1, 1]);
    const scene = await compile(await writeGlb(document));
    expect(normalOf(scene, 0)).toEqual([0.447, 0.894, 0]);
  });

  test('strips and fans draw the triangles that the specification lists', async () => {
    for (const [mode, expected] of [[5, [[0, 1, 2], [1, 3, 2]]], [6, [[1, 2, 0], [2, 3, 0]]]] as const) {
      const { document } = quadDocument();
      document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.setMode(mode).setIndices(null);
      const scene = await compile(await writeGlb(document));
      const rows = Array.from({ length: 2 }, (_, t) => [one(scene.triangles, Triangle, t, 'primitive'), field(scene.corners, TriangleCorners, t, 'corners')] as const);
      expect(rows.sort((a, b) => a[0] - b[0]).map(([, corners]) => corners)).toEqual(expected);
    }
  });

  test('a triangle without area is dropped and its id stays unused', async () => {
    const { document } = quadDocument();
    const primitive = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
    primitive?.getIndices()?.setArray(Uint16Array.from([0, 1, 1, 0, 1, 2, 0, 2, 3]));
    const scene = await compile(await writeGlb(document));
    expect([0, 1].map((t) => one(scene.triangles, Triangle, t, 'primitive')).sort()).toEqual([1, 2]);
  });

  test('instances of EXT_mesh_gpu_instancing are placed one by one', async () => {
    const { document, node } = quadDocument();
    const list = document.createAccessor().setType('VEC3').setArray(Float32Array.from([0, 0, 0, 10, 0, 0, 20, 0, 0])).setBuffer(document.getRoot().listBuffers()[0] ?? null);
    node.setExtension('EXT_mesh_gpu_instancing', document.createExtension(EXTMeshGPUInstancing).createInstancedMesh().setAttribute('TRANSLATION', list));
    const scene = await compile(await writeGlb(document));
    expect([scene.summary.triangles, scene.summary.bounds.max[0]]).toEqual([6, 21]);
  });
});

describe('tangents', () => {
  const decode = (scene: CompiledScene, vertex: number): number[] => {
    const word = one(scene.vertices, Vertex, vertex, 'tangent');
    const [u, v] = [((word << 16) >> 16) / 32767, ((word << 1) >> 17) / 16383];
    const z = 1 - Math.abs(u) - Math.abs(v);
    return [u, v, z, word >= 0x80000000 ? -1 : 1].map((n) => Math.round(n * 1000) / 1000 + 0);
  };

  test('only a material with a normal texture gets them; u runs along +x and the sign is +1', async () => {
    const { document, material } = quadDocument();
    expect(one((await compile(await writeGlb(document))).vertices, Vertex, 0, 'tangent')).toBe(NONE);
    material.setNormalTexture(document.createTexture().setImage(pngImage(1, 1, () => [128, 128, 255, 255])).setMimeType('image/png'));
    const scene = await compile(await writeGlb(document));
    for (const v of allVertices(scene)) expect(decode(scene, v)).toEqual([1, 0, 0, 1]);
  });

  test('a mirrored layout turns the sign, and a vertex between both is split', async () => {
    const { document, material } = quadDocument();
    material.setNormalTexture(document.createTexture().setImage(pngImage(1, 1, () => [128, 128, 255, 255])).setMimeType('image/png'));
    const uv = document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.getAttribute('TEXCOORD_0') as Accessor;
    // Corner 1 is folded over onto corner 3, so the first triangle is seen in a mirror.
    uv.setArray(Float32Array.from([0, 1, 0, 0, 1, 0, 0, 0]));
    const scene = await compile(await writeGlb(document));
    expect(scene.vertices.length / Vertex.size).toBe(6);
    const signs = [0, 1].map((t) => field(scene.corners, TriangleCorners, t, 'corners').map((v) => decode(scene, v)[3]));
    expect(signs.map((s) => new Set(s).size)).toEqual([1, 1]);
    expect(new Set(signs.flat())).toEqual(new Set([1, -1]));
  });
});

describe('materials and textures', () => {
  test('factors, absorption and flags arrive; a primitive without material gets the default one', async () => {
    const { document, material } = quadDocument();
    const volume = document.createExtension(KHRMaterialsVolume).createVolume().setThicknessFactor(1).setAttenuationColor([0.5, 1, 0.25]).setAttenuationDistance(2);
    material.setExtension('KHR_materials_volume', volume).setExtension('KHR_materials_ior', document.createExtension(KHRMaterialsIOR).createIOR().setIOR(1.33));
    material.setDoubleSided(true).setAlphaMode('MASK').setAlphaCutoff(0.25).setRoughnessFactor(0.125);
    addQuads(document, 'bare', [quad], null);
    const scene = await compile(await writeGlb(document));
    const get = (name: Parameters<typeof field<typeof Material.fields>>[3]) => field(scene.materials, Material, 0, name);
    expect(get('attenuation')[0]).toBeCloseTo(Math.log(2) / 2, 7);
    expect(get('attenuation')[2]).toBeCloseTo(Math.log(4) / 2, 7);
    expect([get('flags'), get('alpha_cutoff'), get('roughness'), get('ior')[0], get('base_color_texture')]).toEqual([[1 | 4], [0.25], [0.125], Math.fround(1.33), [NONE]]);
    const used = new Set([0, 1, 2, 3].map((t) => one(scene.triangles, Triangle, t, 'material')));
    expect(used).toEqual(new Set([0, 1]));
    expect([one(scene.materials, Material, 1, 'roughness'), one(scene.materials, Material, 1, 'metallic')]).toEqual([1, 1]);
  });

  test('an image lies in its layer texel by texel; wrap, transform and sRGB are noted', async () => {
    const { document, material } = quadDocument();
    const texture = document.createTexture().setMimeType('image/png').setImage(pngImage(3, 2, (x, y) => [x * 10, y * 10, 7, 200 + x]));
    material.setBaseColorTexture(texture).setMetallicRoughnessTexture(texture);
    const transform = document.createExtension(KHRTextureTransform).createTransform().setOffset([0.25, 0.5]).setScale([2, 3]);
    material.getBaseColorTextureInfo()?.setWrapS(33071).setExtension('KHR_texture_transform', transform);
    const scene = await compile(await writeGlb(document));
    expect(scene.textures.length / TextureUse.size).toBe(2);
    expect([scene.texels.side, scene.texels.layers, scene.summary.textures]).toEqual([4, 1, 1]);
    const slot = one(scene.materials, Material, 0, 'base_color_texture');
    expect(one(scene.textures, TextureUse, slot, 'flags')).toBe(WRAP_CLAMP | TEXTURE_SRGB);
    expect([field(scene.textures, TextureUse, slot, 'transform_u'), field(scene.textures, TextureUse, slot, 'transform_v')]).toEqual([[2, 0, 0.25, 0], [0, 3, 0.5, 0]]);
    const [x, y] = field(scene.textures, TextureUse, slot, 'origin') as [number, number];
    expect(field(scene.textures, TextureUse, slot, 'size')).toEqual([3, 2]);
    const texel = ((y + 1) * scene.texels.side + x + 2) * 4;
    expect([...scene.texels.data.subarray(texel, texel + 4)]).toEqual([20, 10, 7, 202]);
  });

  test.each(['jpeg', 'webp'] as const)('%s images decode with the decoder that travels along', async (kind) => {
    const [width, height] = [16, 16];
    const data = new Uint8ClampedArray(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) data.set([200, 100, 50], i * 4);
    const file = { jpeg: 'mozjpeg_enc', webp: 'webp_enc' }[kind];
    const require = createRequire(import.meta.url);
    const codec = kind === 'jpeg' ? await import('@jsquash/jpeg/encode.js') : await import('@jsquash/webp/encode.js');
    const wasm = await WebAssembly.compile(Uint8Array.from(readFileSync(require.resolve(`@jsquash/${kind}/codec/enc/${file}.wasm`))));
    await (codec.init as unknown as (module: WebAssembly.Module) => Promise<void>)(wasm);
    const bytes = new Uint8Array(await codec.default({ width, height, data, colorSpace: 'srgb' } as unknown as ImageData));
    const scene = await compile(await texturedQuadGlb(bytes, `image/${kind}`));
    const center = (8 * scene.texels.side + 8) * 4;
    [200, 100, 50, 255].forEach((value, c) => expect(Math.abs((scene.texels.data[center + c] as number) - value)).toBeLessThanOrEqual(4));
  });
});

describe('compressed meshes', () => {
  test('Draco and Meshopt give the box back', async () => {
    const read = async () => new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).readBinary(await boxGlb());
    const { MeshoptEncoder } = await import('meshoptimizer/encoder');
    await MeshoptEncoder.ready;
    const require = createRequire(import.meta.url);
    const draco = (await (require('draco3dgltf') as { createEncoderModule(): Promise<unknown> }).createEncoderModule()) as object;
    const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions([KHRDracoMeshCompression, EXTMeshoptCompression]);
    io.registerDependencies({ 'draco3d.encoder': draco, 'meshopt.encoder': MeshoptEncoder });
    for (const extension of [KHRDracoMeshCompression, EXTMeshoptCompression]) {
      const document = await read();
      document.createExtension<InstanceType<typeof extension>>(extension as never).setRequired(true);
      const { summary } = await compile(Uint8Array.from(await io.writeBinary(document)));
      expect(summary.triangles, extension.EXTENSION_NAME).toBe(12);
      for (let axis = 0; axis < 3; axis++) expect(summary.bounds.max[axis], extension.EXTENSION_NAME).toBeCloseTo(0.5, 3);
    }
  });
});

describe('cameras and lights', () => {
  test('a perspective camera looks along its node; an orthographic one is a warning', async () => {
    const { document } = quadDocument();
    const scene = document.getRoot().listScenes()[0];
    const flat = document.createCamera('flat').setType('orthographic').setZNear(0.1).setZFar(10);
    const lens = document.createCamera('lens').setType('perspective').setYFov(Math.PI / 2).setZNear(0.1);
    scene?.addChild(document.createNode('a').setCamera(flat)).addChild(document.createNode('b').setCamera(lens).setTranslation([0, 0, 4]));
    const { summary } = await compile(await writeGlb(document));
    expect(summary.cameras).toEqual([{ name: 'b', camera: { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: expect.closeTo(1, 12) as number } }]);
    expect(summary.warnings).toEqual(['The camera "a" (nodes[1]) is not a perspective camera and was left out.']);
  });

  test('the default view sees all of the bounding sphere', async () => {
    const { summary } = await compile(await boxGlb());
    const { eye, tanHalfVfov } = summary.view;
    const radius = Math.sqrt(3) / 2;
    expect(Math.hypot(...eye) * Math.sin(Math.atan(tanHalfVfov))).toBeCloseTo(radius, 6);
  });

  test('a spot light points along its node with the cones of KHR_lights_punctual', async () => {
    const { document } = quadDocument();
    const light = document.createExtension(KHRLightsPunctual).createLight('spot').setType('spot').setIntensity(3).setColor([1, 0.5, 0]).setOuterConeAngle(1).setInnerConeAngle(0.5);
    document.getRoot().listScenes()[0]?.addChild(document.createNode().setTranslation([0, 1, 2]).setExtension('KHR_lights_punctual', light));
    const scene = await compile(await writeGlb(document));
    const get = (name: Parameters<typeof field<typeof Light.fields>>[3]) => field(scene.lights, Light, 0, name);
    expect([get('kind'), get('position'), get('direction').map((x) => x + 0), get('color'), get('pick')]).toEqual([[LIGHT_SPOT], [0, 1, 2], [0, 0, -1], [3, 1.5, 0], [1]]);
    expect(get('spot_scale')[0]).toBeCloseTo(1 / (Math.cos(0.5) - Math.cos(1)), 6);
    expect(get('spot_offset')[0]).toBeCloseTo(-Math.cos(1) / (Math.cos(0.5) - Math.cos(1)), 6);
  });
});

describe('poses', () => {
  function moving(interpolation: 'LINEAR' | 'STEP', path: 'translation' | 'rotation', values: readonly number[]): Document {
    const { document, node } = quadDocument();
    const buffer = document.getRoot().listBuffers()[0] ?? null;
    const accessor = (type: 'SCALAR' | 'VEC3' | 'VEC4', array: readonly number[]) => document.createAccessor().setType(type).setArray(Float32Array.from(array)).setBuffer(buffer);
    const sampler = document.createAnimationSampler().setInput(accessor('SCALAR', [0, 2])).setOutput(accessor(path === 'rotation' ? 'VEC4' : 'VEC3', values)).setInterpolation(interpolation);
    document.createAnimation().addSampler(sampler).addChannel(document.createAnimationChannel().setSampler(sampler).setTargetNode(node).setTargetPath(path));
    node.setTranslation([100, 0, 0]);
    return document;
  }

  test('time 0 is the pose of the file; later times are sampled and end values hold', async () => {
    const glb = await writeGlb(moving('LINEAR', 'translation', [0, 0, 0, 8, 0, 0]));
    const x = async (time: number) => (await compile(glb, time)).summary.bounds.max[0];
    expect([await x(0), await x(0.5), await x(1), await x(9)]).toEqual([101, 3, 5, 9]);
    expect((await compile(glb)).summary.animationSeconds).toBe(2);
  });

  test('STEP holds, and a rotation turns at even speed', async () => {
    const step = await writeGlb(moving('STEP', 'translation', [0, 0, 0, 8, 0, 0]));
    expect((await compile(step, 1.9)).summary.bounds.max[0]).toBe(1);
    const turn = await writeGlb(moving('LINEAR', 'rotation', [0, 0, 0, 1, 0, 0, Math.sin(1), Math.cos(1)]));
    const { bounds } = (await compile(turn, 0.5)).summary;
    expect(bounds.max[1]).toBeCloseTo(Math.cos(0.5) + Math.sin(0.5), 5);
  });

  test('a skin moves its vertices with its joints, wherever its own node is', async () => {
    const { document, node } = quadDocument();
    const buffer = document.getRoot().listBuffers()[0] ?? null;
    const primitive = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
    primitive?.setAttribute('JOINTS_0', document.createAccessor().setType('VEC4').setArray(Uint8Array.from(Array.from({ length: 4 }, () => [0, 1, 0, 0]).flat())).setBuffer(buffer));
    primitive?.setAttribute('WEIGHTS_0', document.createAccessor().setType('VEC4').setArray(Float32Array.from(Array.from({ length: 4 }, () => [0.5, 0.5, 0, 0]).flat())).setBuffer(buffer));
    const [a, b] = [document.createNode('a').setTranslation([0, 10, 0]), document.createNode('b').setTranslation([0, 20, 0])];
    document.getRoot().listScenes()[0]?.addChild(a).addChild(b);
    node.setSkin(document.createSkin().addJoint(a).addJoint(b)).setTranslation([500, 0, 0]);
    expect((await compile(await writeGlb(document))).summary.bounds).toEqual({ min: [-1, 14, 0], max: [1, 16, 0] });
  });

  test('morph targets are added by weight', async () => {
    const { document, node } = quadDocument();
    const delta = document.createAccessor().setType('VEC3').setArray(new Float32Array(12).fill(2)).setBuffer(document.getRoot().listBuffers()[0] ?? null);
    document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', delta));
    node.setWeights([0.5]);
    expect((await compile(await writeGlb(document))).summary.bounds).toEqual({ min: [0, 0, 1], max: [2, 2, 1] });
  });
});
