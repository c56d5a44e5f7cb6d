/** Materials, textures and compressed meshes arrive as the file says. */
import { Logger, WebIO } from '@gltf-transform/core';
import {
  EXTMeshoptCompression,
  KHRDracoMeshCompression,
  KHRMaterialsIOR,
  KHRMaterialsVolume,
  KHRTextureTransform,
} from '@gltf-transform/extensions';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Material, NONE, TEXTURE_SRGB, TextureUse, Triangle, WRAP_CLAMP } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { addQuads, boxGlb, pngImage, quadDocument, sceneFiles, texturedQuadGlb, UNIT_QUAD, writeGlb, type Bytes } from './fixtures.ts';
import { field, one } from './oracle.ts';

const compile = (glb: Bytes) => compileScene(new AbortController().signal, sceneFiles(glb));

describe('materials and textures', () => {
  test('factors, absorption and flags arrive; a primitive without material gets the default one', async () => {
    const { document, material } = quadDocument();
    const volume = document
      .createExtension(KHRMaterialsVolume)
      .createVolume()
      .setThicknessFactor(1)
      .setAttenuationColor([0.5, 1, 0.25])
      .setAttenuationDistance(2);
    material
      .setExtension('KHR_materials_volume', volume)
      .setExtension('KHR_materials_ior', document.createExtension(KHRMaterialsIOR).createIOR().setIOR(1.33));
    material.setDoubleSided(true).setAlphaMode('MASK').setAlphaCutoff(0.25).setRoughnessFactor(0.125);
    addQuads(document, 'bare', [UNIT_QUAD], null);
    const scene = await compile(await writeGlb(document));
    const get = (name: Parameters<typeof field<typeof Material.fields>>[3]) => field(scene.materials, Material, 0, name);
    expect(get('attenuation')[0]).toBeCloseTo(Math.log(2) / 2, 7);
    expect(get('attenuation')[2]).toBeCloseTo(Math.log(4) / 2, 7);
    expect([get('flags'), get('alpha_cutoff'), get('roughness'), get('ior')[0], get('base_color_texture')]).toEqual([
      [1 | 4],
      [0.25],
      [0.125],
      Math.fround(1.33),
      [NONE],
    ]);
    const used = new Set([0, 1, 2, 3].map((t) => one(scene.triangles, Triangle, t, 'material')));
    expect(used).toEqual(new Set([0, 1]));
    expect([one(scene.materials, Material, 1, 'roughness'), one(scene.materials, Material, 1, 'metallic')]).toEqual([1, 1]);
  });

  test('an image lies in its layer texel by texel; wrap, transform and sRGB are noted', async () => {
    const { document, material } = quadDocument();
    const texture = document
      .createTexture()
      .setMimeType('image/png')
      .setImage(pngImage(3, 2, (x, y) => [x * 10, y * 10, 7, 200 + x]));
    material.setBaseColorTexture(texture).setMetallicRoughnessTexture(texture);
    const transform = document.createExtension(KHRTextureTransform).createTransform().setOffset([0.25, 0.5]).setScale([2, 3]);
    material.getBaseColorTextureInfo()?.setWrapS(33071).setExtension('KHR_texture_transform', transform);
    const scene = await compile(await writeGlb(document));
    expect(scene.textures.length / TextureUse.size).toBe(2);
    expect([scene.texels.side, scene.texels.layers, scene.summary.textures]).toEqual([4, 1, 1]);
    const slot = one(scene.materials, Material, 0, 'base_color_texture');
    expect(one(scene.textures, TextureUse, slot, 'flags')).toBe(WRAP_CLAMP | TEXTURE_SRGB);
    expect([field(scene.textures, TextureUse, slot, 'transform_u'), field(scene.textures, TextureUse, slot, 'transform_v')]).toEqual([
      [2, 0, 0.25, 0],
      [0, 3, 0.5, 0],
    ]);
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
    const io = new WebIO()
      .setLogger(new Logger(Logger.Verbosity.SILENT))
      .registerExtensions([KHRDracoMeshCompression, EXTMeshoptCompression]);
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
