/** Whatever is done to a file, compiling ends in a scene or in a SceneError, never in another exception. */
import { Document } from '@gltf-transform/core';
import {
  EXTMeshGPUInstancing,
  KHRLightsPunctual,
  KHRMaterialsTransmission,
  KHRMaterialsVolume,
  KHRTextureTransform,
} from '@gltf-transform/extensions';
import { expect, test } from 'vitest';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { addQuads, editGlb, emissiveRoomGlb, pngImage, sceneFiles, texturedQuadGlb, writeGlb, type Bytes } from './fixtures.ts';
import { randomNumbers } from './oracle.ts';

const VALUES: readonly unknown[] = [
  null,
  -1,
  0,
  1,
  3,
  0.5,
  1e9,
  1e300,
  '',
  'x',
  'data:,a',
  [],
  [0],
  [1, 2, 3],
  {},
  { index: 0 },
  { a: { b: 1 } },
  true,
];

/** A quad with a skin, a morph target, an animation, instances, a light, a normal map and volume glass. */
async function everythingGlb(): Promise<Bytes> {
  const document = new Document();
  const material = document.createMaterial().setNormalTexture(
    document
      .createTexture()
      .setImage(pngImage(2, 2, () => [128, 128, 255, 255]))
      .setMimeType('image/png'),
  );
  material
    .getNormalTextureInfo()
    ?.setExtension('KHR_texture_transform', document.createExtension(KHRTextureTransform).createTransform().setRotation(0.3));
  material.setExtension(
    'KHR_materials_transmission',
    document.createExtension(KHRMaterialsTransmission).createTransmission().setTransmissionFactor(1),
  );
  material.setExtension(
    'KHR_materials_volume',
    document.createExtension(KHRMaterialsVolume).createVolume().setAttenuationDistance(2).setAttenuationColor([1, 0.5, 0.1]),
  );
  addQuads(document, 'a', [{ corner: [-1, -1, 0], edge1: [2, 0, 0], edge2: [0, 2, 0] }], material);
  const buffer = document.getRoot().listBuffers()[0] ?? null;
  const accessor = (type: 'SCALAR' | 'VEC3' | 'VEC4', array: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>) =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const primitive = document.getRoot().listMeshes()[0]?.listPrimitives()[0];
  const node = document.getRoot().listNodes()[0];
  primitive?.setAttribute('JOINTS_0', accessor('VEC4', new Uint8Array(16)));
  primitive?.setAttribute(
    'WEIGHTS_0',
    accessor(
      'VEC4',
      Float32Array.from({ length: 16 }, (_, i) => (i % 4 === 0 ? 1 : 0)),
    ),
  );
  primitive?.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', accessor('VEC3', new Float32Array(12).fill(1))));
  const joint = document.createNode('joint').setTranslation([0, 1, 0]);
  const lamp = document
    .createNode('lamp')
    .setExtension('KHR_lights_punctual', document.createExtension(KHRLightsPunctual).createLight().setType('spot'));
  const copies = document.createNode('copies').setMesh(document.getRoot().listMeshes()[0] ?? null);
  const list = accessor('VEC3', Float32Array.from([0, 0, 0, 1, 1, 1]));
  copies.setExtension(
    'EXT_mesh_gpu_instancing',
    document.createExtension(EXTMeshGPUInstancing).createInstancedMesh().setAttribute('TRANSLATION', list),
  );
  document.getRoot().listScenes()[0]?.addChild(joint).addChild(lamp).addChild(copies);
  node?.setSkin(document.createSkin().addJoint(joint)).setWeights([0.5]);
  const sampler = document
    .createAnimationSampler()
    .setInput(accessor('SCALAR', Float32Array.from([0, 1])))
    .setOutput(accessor('VEC4', Float32Array.from([0, 0, 0, 1, 0, 1, 0, 0])));
  document
    .createAnimation()
    .addSampler(sampler)
    .addChannel(document.createAnimationChannel().setSampler(sampler).setTargetNode(joint).setTargetPath('rotation'));
  return writeGlb(document);
}

/** Replaces, removes or adds one value somewhere in `root`. */
function mutate(root: object, random: () => number): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const keys = Object.keys(at);
    const key = keys[Math.floor(random() * keys.length)];
    const child = key === undefined ? undefined : at[key];
    if (typeof child === 'object' && child !== null && random() < 0.8) {
      at = child as Record<string, unknown>;
      continue;
    }
    const value = structuredClone(VALUES[Math.floor(random() * VALUES.length)]);
    if (key === undefined || random() < 0.1) at['extra'] = value;
    else if (random() < 0.2) delete at[key];
    else at[key] = value;
    return;
  }
}

async function outcome(bytes: Bytes): Promise<'compiled' | 'refused'> {
  try {
    await compileScene(new AbortController().signal, sceneFiles(bytes, 0.5));
    return 'compiled';
  } catch (error) {
    if (error instanceof SceneError) return 'refused';
    throw error;
  }
}

test.each([['JSON values'], ['bytes']])(
  '600 files with changed %s',
  async (what) => {
    const random = randomNumbers(what.length);
    const sources = [await everythingGlb(), await emissiveRoomGlb(), await texturedQuadGlb()];
    const counts = { compiled: 0, refused: 0 };
    for (let i = 0; i < 600; i++) {
      const source = sources[i % 3] as Bytes;
      let bytes: Bytes = source.slice();
      if (what === 'bytes') bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      else
        bytes = editGlb(source, (json) => {
          for (let k = 0; k < 2; k++) mutate(json, random);
        });
      counts[await outcome(bytes)] += 1;
    }
    expect(counts.compiled).toBeGreaterThan(20);
    expect(counts.refused).toBeGreaterThan(20);
  },
  120_000,
);
