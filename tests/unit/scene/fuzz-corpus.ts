/**
 * Sound files for the fuzzer to damage, made in code: together they use every extension, every mesh
 * and image codec, and every container that the scene compiler reads.
 */
import { Document, Logger, WebIO } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  EXTMeshGPUInstancing,
  EXTMeshoptCompression,
  KHRDracoMeshCompression,
  KHRLightsPunctual,
  KHRMeshQuantization,
} from '@gltf-transform/extensions';
import { zipSync } from 'fflate';
import type { SceneFiles } from '#lib/gpu/engine.ts';
import { codecSample, type SampleName } from './codec-samples.ts';
import { extensionsGlb } from './fuzz-extensions.ts';
import { addQuads, boxGlb, boxQuads, editGlb, emissiveRoomGlb, pngImage, texturedQuadGlb, writeGlb, type Bytes } from './fixtures.ts';

export interface Seedling {
  readonly name: string;
  readonly files: SceneFiles;
  /** What a zip holds, so that it can be damaged under a checksum that fits. */
  readonly parts?: Readonly<Record<string, Bytes>>;
}

const text = (value: string): Bytes => new TextEncoder().encode(value);

/** A skin, a morph target, rotation keys, instances and a lamp of each kind. */
export async function movingGlb(): Promise<Bytes> {
  const document = new Document();
  addQuads(document, 'a', [{ corner: [-1, -1, 0], edge1: [2, 0, 0], edge2: [0, 2, 0] }], document.createMaterial());
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const accessor = (type: 'SCALAR' | 'VEC3' | 'VEC4', array: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const mesh = document.getRoot().listMeshes()[0] ?? null;
  const primitive = mesh?.listPrimitives()[0];
  primitive?.setAttribute('JOINTS_0', accessor('VEC4', new Uint8Array(16)));
  primitive?.setAttribute(
    'WEIGHTS_0',
    accessor(
      'VEC4',
      Float32Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    ),
  );
  primitive?.setAttribute(
    'COLOR_0',
    accessor(
      'VEC4',
      Float32Array.from({ length: 16 }, () => 0.5),
    ),
  );
  primitive?.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', accessor('VEC3', new Float32Array(12).fill(1))));
  const scene = document.getRoot().listScenes()[0];
  const joint = document.createNode('joint').setTranslation([0, 1, 0]);
  const lights = document.createExtension(KHRLightsPunctual);
  for (const type of ['spot', 'point', 'directional'] as const)
    scene?.addChild(document.createNode(type).setExtension('KHR_lights_punctual', lights.createLight().setType(type).setRange(9)));
  const copies = document.createExtension(EXTMeshGPUInstancing).createInstancedMesh();
  copies.setAttribute('TRANSLATION', accessor('VEC3', Float32Array.from([0, 0, 0, 1, 1, 1])));
  copies.setAttribute('ROTATION', accessor('VEC4', Float32Array.from([0, 0, 0, 1, 0, 1, 0, 0])));
  scene?.addChild(joint).addChild(document.createNode('copies').setMesh(mesh).setExtension('EXT_mesh_gpu_instancing', copies));
  document.getRoot().listNodes()[0]?.setSkin(document.createSkin().addJoint(joint)).setWeights([0.5]);
  const input = accessor('SCALAR', Float32Array.from([0, 1]));
  const animation = document.createAnimation();
  for (const [path, output] of [
    ['rotation', accessor('VEC4', Float32Array.from([0, 0, 0, 1, 0, 1, 0, 0]))],
    ['translation', accessor('VEC3', Float32Array.from([0, 0, 0, 1, 1, 1]))],
  ] as const) {
    const sampler = document.createAnimationSampler().setInput(input).setOutput(output);
    animation
      .addSampler(sampler)
      .addChannel(document.createAnimationChannel().setSampler(sampler).setTargetNode(joint).setTargetPath(path));
  }
  return writeGlb(document);
}

/** A box of 6 quads through Draco or Meshopt, written with their own encoders. */
export async function compressedGlb(codec: 'draco' | 'meshopt'): Promise<Bytes> {
  const document = new Document();
  addQuads(document, 'box', boxQuads([-1, -1, -1], [1, 1, 1]), document.createMaterial('m'));
  document.createNode();
  const io = new WebIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(ALL_EXTENSIONS);
  if (codec === 'draco') {
    const { default: draco } = (await import('draco3dgltf' as string)) as {
      default: Record<'createEncoderModule' | 'createDecoderModule', () => Promise<unknown>>;
    };
    io.registerDependencies({ 'draco3d.encoder': await draco.createEncoderModule(), 'draco3d.decoder': await draco.createDecoderModule() });
    document.createExtension(KHRDracoMeshCompression).setRequired(true);
  } else {
    const { MeshoptEncoder } = await import('meshoptimizer/encoder');
    const { MeshoptDecoder } = await import('meshoptimizer/decoder');
    await Promise.all([MeshoptEncoder.ready, MeshoptDecoder.ready]);
    io.registerDependencies({ 'meshopt.encoder': MeshoptEncoder, 'meshopt.decoder': MeshoptDecoder });
    document
      .createExtension(EXTMeshoptCompression)
      .setRequired(true)
      .setEncoderOptions({ method: EXTMeshoptCompression.EncoderMethod.FILTER });
    document.createExtension(KHRMeshQuantization).setRequired(true);
  }
  return Uint8Array.from(await io.writeBinary(document));
}

/** A textured quad whose image another extension names, in a codec that glTF itself does not know. */
export async function codecGlb(sample: SampleName, mimeType: string, extension?: string): Promise<Bytes> {
  const glb = await texturedQuadGlb(codecSample(sample), mimeType);
  if (!extension) return glb;
  return editGlb(glb, (json) =>
    Object.assign(json, {
      textures: [{ extensions: { [extension]: { source: 0 } } }],
      extensionsUsed: [extension],
      extensionsRequired: [extension],
    }),
  );
}

/** scene.gltf, its buffer and its picture as files of their own, in a folder of their own. */
export async function looseFiles(): Promise<Record<string, Bytes>> {
  const picture = pngImage(4, 4, (x, y) => [x * 60, y * 60, 128, 255]);
  let document = '';
  let buffer: Bytes = new Uint8Array(0);
  editGlb(await texturedQuadGlb(picture), (json, binary) => {
    buffer = Uint8Array.from(new Uint8Array(binary.buffer));
    Object.assign(json.buffers[0] as object, { uri: 'scene%20data.bin' });
    Object.assign(json, { images: [{ name: 'four colours', uri: './textures/Base%20Color.png' }] });
    document = JSON.stringify(json);
  });
  return { 'model/scene.gltf': text(document), 'model/scene data.bin': buffer, 'model/textures/Base Color.png': picture };
}

/** A 4 × 2 Radiance file without runs. */
export const smallHdr = (): Bytes =>
  Uint8Array.from([
    ...text('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 4\n'),
    ...Array.from({ length: 32 }, (_, i) => (i % 4 === 3 ? 129 : 40 + i)),
  ]);

export const zipped = (parts: Readonly<Record<string, Bytes>>, level: 0 | 6): Bytes =>
  Uint8Array.from(zipSync(parts, { level, mtime: '1980-01-01' }));

export async function fuzzCorpus(): Promise<readonly Seedling[]> {
  const alone = (name: string, scene: Bytes, frameTimeS = 0): Seedling => ({
    name,
    files: { scene, environment: null, frameTimeS, variant: null },
  });
  const lit = (name: string, scene: Bytes, file: Bytes): Seedling => ({
    name,
    files: { scene, environment: { file, intensity: 1 }, frameTimeS: 0, variant: null },
  });
  const files = await looseFiles();
  const box = await boxGlb();
  const glb = { 'room.glb': await emissiveRoomGlb() };
  return [
    alone('extensions', await extensionsGlb(), 0.5),
    alone('moving', await movingGlb(), 0.5),
    alone('room', await emissiveRoomGlb()),
    alone('draco', await compressedGlb('draco')),
    alone('meshopt', await compressedGlb('meshopt')),
    alone('png', await codecGlb('pngInterlaced', 'image/png')),
    alone('jpeg', await codecGlb('jpegProgressive', 'image/jpeg')),
    alone('webp', await codecGlb('webp', 'image/webp', 'EXT_texture_webp')),
    alone('avif', await codecGlb('avif', 'image/avif', 'EXT_texture_avif')),
    alone('ktx2 etc1s', await codecGlb('ktx2Etc1s', 'image/ktx2', 'KHR_texture_basisu')),
    alone('ktx2 uastc', await codecGlb('ktx2UastcZstd', 'image/ktx2', 'KHR_texture_basisu')),
    { ...alone('zip', zipped(files, 6)), parts: files },
    { ...alone('stored zip of a glb', zipped(glb, 0)), parts: glb },
    lit('hdr', box, smallHdr()),
    lit('exr zip', box, codecSample('exrZip')),
    lit('exr piz', box, codecSample('exrPiz')),
  ];
}
