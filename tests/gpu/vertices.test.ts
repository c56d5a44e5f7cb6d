/** Colours of vertices and a second set of coordinates, which most scenes lack and kernels then know nothing of. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPixel, viewOfFilm } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { sceneFeatures } from '#workers/render/features.ts';
import { KERNELS } from '#workers/render/variant.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { pngImage, quadDocument, sceneFiles, writeGlb, type Bytes } from '../unit/scene/fixtures.ts';
import { addNumbers, withJson } from '../unit/scene/json-kit.ts';
import { testGpu } from './device.ts';
import { request } from './kit.ts';

const RED = [255, 0, 0, 255] as const;
const GREEN = [0, 255, 0, 255] as const;

/** An unlit quad: the left half of its texture is red by the first set; by the second the whole of it is green. */
async function quad(set: 0 | 1, colors: boolean): Promise<Bytes> {
  const { document, material } = quadDocument();
  material.setNormalTexture(null);
  material.setBaseColorTexture(
    document
      .createTexture()
      .setMimeType('image/png')
      .setImage(pngImage(2, 1, (x) => (x === 0 ? RED : GREEN))),
  );
  return withJson(await writeGlb(document), (json) => {
    const { attributes } = json.meshes[0]!.primitives[0]!;
    attributes['TEXCOORD_0'] = addNumbers(json, 'VEC2', Array.from({ length: 4 }, () => [0.25, 0.5]).flat());
    if (set === 1) attributes['TEXCOORD_1'] = addNumbers(json, 'VEC2', Array.from({ length: 4 }, () => [0.75, 0.5]).flat());
    if (colors) attributes['COLOR_0'] = addNumbers(json, 'VEC3', Array.from({ length: 4 }, () => [0.5, 0.25, 0.125]).flat());
    const [look] = json.materials as unknown as { pbrMetallicRoughness: Record<string, unknown>; extensions: unknown }[];
    Object.assign(look!, { extensions: { KHR_materials_unlit: {} } });
    Object.assign(look!.pbrMetallicRoughness['baseColorTexture'] as object, { texCoord: set });
    Object.assign(json, { extensionsUsed: ['KHR_materials_unlit'] });
  });
}

const engines: RenderEngine[] = [];
beforeAll(async () => {
  for (const kernel of KERNELS) engines.push(new RenderEngine(await testGpu(), { variant: { kernel, tree: 'wide', workgroup: 64 } }));
});
afterAll(async () => {
  for (const engine of engines) await engine.dispose();
});

it.each([
  [0, false, [1, 0, 0]],
  [0, true, [0.5, 0, 0]],
  [1, false, [0, 1, 0]],
  [1, true, [0, 0.25, 0]],
] as const)('a texture by set %d, with colours: %s', async (set, colors, expected) => {
  const scene = await compileScene(new AbortController().signal, sceneFiles(await quad(set, colors)));
  expect(sceneFeatures(scene).VERTEX_EXTRAS).toBe(set === 1 || colors);
  const camera = { eye: [0, 0, 3], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.1, lens: null } as const;
  for (const engine of engines) {
    engine.adopt(scene);
    const shot = { camera: { ...camera, eye: [...camera.eye], target: [...camera.target], up: [...camera.up] }, side: 8, samples: 1 };
    const outcome = await engine.trace(new AbortController().signal, request(scene.summary.root, shot as Parameters<typeof request>[1]));
    if (!outcome.ok) throw new Error(outcome.text);
    const { light } = readPixel(viewOfFilm(outcome.film.light), 27);
    for (let c = 0; c < 3; c++) expect(light[c]).toBeCloseTo(expected[c]!, 3);
  }
});
