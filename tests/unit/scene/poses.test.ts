/** Cameras, punctual lights, animations, skins and morph targets land where the file puts them. */
import type { Document } from '@gltf-transform/core';
import { KHRLightsPunctual } from '@gltf-transform/extensions';
import { describe, expect, test } from 'vitest';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';
import { Light, LIGHT_SPOT } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { boxGlb, quadDocument, sceneFiles, writeGlb, type Bytes } from './fixtures.ts';
import { field } from './oracle.ts';

const compile = (glb: Bytes, frameTimeS = 0) => compileScene(new AbortController().signal, sceneFiles(glb, frameTimeS));

describe('cameras and lights', () => {
  test('a perspective camera looks along its node', async () => {
    const { document } = quadDocument();
    const lens = document
      .createCamera('lens')
      .setType('perspective')
      .setYFov(Math.PI / 2)
      .setZNear(0.1);
    document
      .getRoot()
      .listScenes()[0]
      ?.addChild(document.createNode('b').setCamera(lens).setTranslation([0, 0, 4]));
    const { summary } = await compile(await writeGlb(document));
    expect(summary.cameras).toEqual([
      { name: 'b', camera: { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: expect.closeTo(1, 12) as number, lens: null } },
    ]);
    expect(summary.warnings).toEqual([]);
  });

  test('the default view sees all of the bounding sphere', async () => {
    const { summary } = await compile(await boxGlb());
    const { eye, tanHalfVfov } = summary.view as PerspectiveCamera;
    const radius = Math.sqrt(3) / 2;
    expect(Math.hypot(...eye) * Math.sin(Math.atan(tanHalfVfov))).toBeCloseTo(radius, 6);
  });

  test('a spot light points along its node with the cones of KHR_lights_punctual', async () => {
    const { document } = quadDocument();
    const light = document
      .createExtension(KHRLightsPunctual)
      .createLight('spot')
      .setType('spot')
      .setIntensity(3)
      .setColor([1, 0.5, 0])
      .setOuterConeAngle(1)
      .setInnerConeAngle(0.5);
    document
      .getRoot()
      .listScenes()[0]
      ?.addChild(document.createNode().setTranslation([0, 1, 2]).setExtension('KHR_lights_punctual', light));
    const scene = await compile(await writeGlb(document));
    const get = (name: Parameters<typeof field<typeof Light.fields>>[3]) => field(scene.lights, Light, 0, name);
    expect([get('kind'), get('position'), get('direction').map((x) => x + 0), get('color'), get('pick')]).toEqual([
      [LIGHT_SPOT],
      [0, 1, 2],
      [0, 0, -1],
      [3, 1.5, 0],
      [1],
    ]);
    expect(get('spot_scale')[0]).toBeCloseTo(1 / (Math.cos(0.5) - Math.cos(1)), 6);
    expect(get('spot_offset')[0]).toBeCloseTo(-Math.cos(1) / (Math.cos(0.5) - Math.cos(1)), 6);
  });

  test('a spot light of 180° is one also where its right angle was rounded up to f32, and a wider one is refused', async () => {
    const spot = async (outer: number) => {
      const { document } = quadDocument();
      const lights = document.createExtension(KHRLightsPunctual);
      const light = lights.createLight('spot').setType('spot').setIntensity(3).setOuterConeAngle(outer);
      document.getRoot().listScenes()[0]?.addChild(document.createNode().setExtension('KHR_lights_punctual', light));
      const scene = await compile(await writeGlb(document));
      return field(scene.lights, Light, 0, 'spot_offset')[0];
    };
    expect(Math.fround(Math.PI / 2)).toBeGreaterThan(Math.PI / 2);
    expect(await spot(Math.fround(Math.PI / 2))).toBeCloseTo(0, 6);
    await expect(spot(1.6)).rejects.toThrow(/outerConeAngle: expected a number from 0 to 1\.5708; export/);
  });
});

describe('poses', () => {
  function moving(interpolation: 'LINEAR' | 'STEP', path: 'translation' | 'rotation', values: readonly number[]): Document {
    const { document, node } = quadDocument();
    const buffer = document.getRoot().listBuffers()[0] ?? null;
    const accessor = (type: 'SCALAR' | 'VEC3' | 'VEC4', array: readonly number[]) =>
      document.createAccessor().setType(type).setArray(Float32Array.from(array)).setBuffer(buffer);
    const sampler = document
      .createAnimationSampler()
      .setInput(accessor('SCALAR', [0, 2]))
      .setOutput(accessor(path === 'rotation' ? 'VEC4' : 'VEC3', values))
      .setInterpolation(interpolation);
    document
      .createAnimation()
      .addSampler(sampler)
      .addChannel(document.createAnimationChannel().setSampler(sampler).setTargetNode(node).setTargetPath(path));
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
    primitive?.setAttribute(
      'JOINTS_0',
      document
        .createAccessor()
        .setType('VEC4')
        .setArray(Uint8Array.from(Array.from({ length: 4 }, () => [0, 1, 0, 0]).flat()))
        .setBuffer(buffer),
    );
    primitive?.setAttribute(
      'WEIGHTS_0',
      document
        .createAccessor()
        .setType('VEC4')
        .setArray(Float32Array.from(Array.from({ length: 4 }, () => [0.5, 0.5, 0, 0]).flat()))
        .setBuffer(buffer),
    );
    const [a, b] = [document.createNode('a').setTranslation([0, 10, 0]), document.createNode('b').setTranslation([0, 20, 0])];
    document.getRoot().listScenes()[0]?.addChild(a).addChild(b);
    node.setSkin(document.createSkin().addJoint(a).addJoint(b)).setTranslation([500, 0, 0]);
    expect((await compile(await writeGlb(document))).summary.bounds).toEqual({ min: [-1, 14, 0], max: [1, 16, 0] });
  });

  test('morph targets are added by weight', async () => {
    const { document, node } = quadDocument();
    const delta = document
      .createAccessor()
      .setType('VEC3')
      .setArray(new Float32Array(12).fill(2))
      .setBuffer(document.getRoot().listBuffers()[0] ?? null);
    document.getRoot().listMeshes()[0]?.listPrimitives()[0]?.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', delta));
    node.setWeights([0.5]);
    expect((await compile(await writeGlb(document))).summary.bounds).toEqual({ min: [0, 0, 1], max: [2, 2, 1] });
  });
});
