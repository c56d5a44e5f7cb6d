/** Every extension that is rendered may be required; no other; and Meshopt goes by either of its names. */
import { Logger, WebIO } from '@gltf-transform/core';
import { EXTMeshoptCompression } from '@gltf-transform/extensions';
import { expect, test } from 'vitest';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { boxGlb, sceneFiles, type Bytes } from './fixtures.ts';
import { withJson } from './json-kit.ts';

const compile = (glb: Bytes) => compileScene(new AbortController().signal, sceneFiles(glb));
const requiring = async (name: string): Promise<Bytes> =>
  withJson(await boxGlb(), (json) => Object.assign(json, { extensionsUsed: [name], extensionsRequired: [name] }));

test.each([
  ...['anisotropy', 'clearcoat', 'diffuse_transmission', 'dispersion', 'emissive_strength', 'ior', 'iridescence'].map(
    (name) => `KHR_materials_${name}`,
  ),
  ...['pbrSpecularGlossiness', 'sheen', 'specular', 'transmission', 'unlit', 'variants', 'volume'].map((name) => `KHR_materials_${name}`),
  'KHR_texture_transform',
  'KHR_texture_basisu',
  'EXT_texture_webp',
  'EXT_texture_avif',
  'KHR_lights_punctual',
  'EXT_lights_ies',
  'EXT_lights_image_based',
  'KHR_mesh_quantization',
  'KHR_draco_mesh_compression',
  'EXT_meshopt_compression',
  'KHR_meshopt_compression',
  'EXT_mesh_gpu_instancing',
  'KHR_node_visibility',
  'KHR_animation_pointer',
])('%s may be required', async (name) => {
  expect((await compile(await requiring(name))).summary.warnings).toEqual([]);
});

test.each(['KHR_gaussian_splatting', 'KHR_materials_subsurface', 'toString'])('%s may not', async (name) => {
  const error: unknown = await compile(await requiring(name)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SceneError);
  expect((error as SceneError).message).toContain(name);
  const optional = withJson(await boxGlb(), (json) => Object.assign(json, { extensionsUsed: [name] }));
  expect((await compile(optional)).summary.warnings).toEqual([`The extension ${name} is not supported and was ignored.`]);
});

test('a file packed with Meshopt compiles to the same scene under the ratified name and the old one', async () => {
  const { MeshoptEncoder } = await import('meshoptimizer/encoder');
  await MeshoptEncoder.ready;
  const io = new WebIO()
    .setLogger(new Logger(Logger.Verbosity.SILENT))
    .registerExtensions([EXTMeshoptCompression])
    .registerDependencies({ 'meshopt.encoder': MeshoptEncoder });
  const document = await io.readBinary(await boxGlb());
  document.createExtension(EXTMeshoptCompression).setRequired(true);
  const glb = Uint8Array.from(await io.writeBinary(document));
  const renamed = withJson(glb, (json) => {
    const copy = JSON.parse(JSON.stringify(json).replaceAll('EXT_meshopt_compression', 'KHR_meshopt_compression')) as object;
    Object.assign(json, copy);
  });
  const [old, ratified] = [await compile(glb), await compile(renamed)];
  expect(ratified.summary.root).toBe(old.summary.root);
  expect(ratified.summary.triangles).toBe(12);
});

test.each([
  ['EXT_texture_avif', 4, /^textures\[0\]\.extensions\.EXT_texture_avif\.source: index 4 is out of range, the file has 0 images/],
  ['KHR_texture_basisu', 'a', /^textures\[0\]\.extensions\.KHR_texture_basisu\.source: a whole number of 0 or more was expected/],
])('a texture whose %s names %j is refused by its path', async (name, source, text) => {
  const glb = withJson(await boxGlb(), (json) => Object.assign(json, { textures: [{ extensions: { [name]: { source } } }] }));
  const error: unknown = await compile(glb).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SceneError);
  expect((error as SceneError).message).toMatch(text);
});
