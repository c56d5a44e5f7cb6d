/** Animations at a time: interpolation against independent mathematics, every pointer in its place, and what is ignored is said. */
import { describe, expect, test } from 'vitest';
import { Light, Material, TextureUse } from '#shaders/layout.ts';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { slerp, type Quaternion } from '#workers/scene/matrix.ts';
import { boxGlb, quadDocument, sceneFiles, texturedQuadGlb, writeGlb, type Bytes, type LooseJson } from './fixtures.ts';
import { addAnimation, withJson, type ChannelSpec } from './json-kit.ts';
import { field, one } from './oracle.ts';

const compile = (glb: Bytes, time: number) => compileScene(new AbortController().signal, sceneFiles(glb, time));
const animated = async (channels: readonly ChannelSpec[], edit: (json: LooseJson) => void = () => {}, glb = boxGlb()): Promise<Bytes> =>
  withJson(await glb, (json) => {
    edit(json);
    addAnimation(json, channels);
  });
/** The middle of the box, whose side is 1. */
const middle = async (glb: Bytes, time: number): Promise<number[]> => {
  const { min, max } = (await compile(glb, time)).summary.bounds;
  return min.map((low, axis) => (low + (max[axis] as number)) / 2);
};

describe('interpolation', () => {
  test('a cubic spline follows the Hermite basis, with tangents in units per second', async () => {
    const keys = [
      { in: [9, 9, 9], at: [1, 2, 3], out: [4, -2, 0] },
      { in: [-3, 5, 1], at: [2, 0, -1], out: [7, 7, 7] },
    ];
    const values = keys.flatMap((key) => [...key.in, ...key.at, ...key.out]);
    const glb = await animated([{ target: { node: 0, path: 'translation' }, times: [1, 3], values, interpolation: 'CUBICSPLINE' }]);
    for (const time of [1.25, 2, 2.9]) {
      const t = (time - 1) / 2;
      // De Casteljau over the Bézier form of the same curve: another formula for it.
      const expected = [0, 1, 2].map((i) => {
        const [p0, p3] = [keys[0]?.at[i] as number, keys[1]?.at[i] as number];
        let points = [p0, p0 + (2 * (keys[0]?.out[i] as number)) / 3, p3 - (2 * (keys[1]?.in[i] as number)) / 3, p3];
        while (points.length > 1) points = points.slice(1).map((p, k) => (points[k] as number) * (1 - t) + p * t);
        return points[0] as number;
      });
      (await middle(glb, time)).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
    }
    expect(await middle(glb, 0.5)).toEqual([1, 2, 3]);
    expect(await middle(glb, 50)).toEqual([2, 0, -1]);
  });

  test('rotations follow the shorter arc at even speed', async () => {
    const quaternion = (axis: readonly number[], angle: number) => [...axis.map((x) => x * Math.sin(angle / 2)), Math.cos(angle / 2)];
    const axis = [1, 2, 2].map((x) => x / 3);
    // The second key is negated: the same rotation, which must not make the body turn the long way.
    const values = [...quaternion(axis, 0.3), ...quaternion(axis, 1.7).map((x) => -x)];
    const offset = [3, -1, 2] as const;
    const glb = await animated([{ target: { node: 1, path: 'rotation' }, times: [0, 1], values }], (json) => {
      Object.assign(json.nodes[0] as object, { translation: offset });
      json.nodes.push({ children: [0] });
      Object.assign((json['scenes'] as LooseJson[])[0] as object, { nodes: [1] });
    });
    for (const time of [0.1, 0.5, 0.93]) {
      const angle = 0.3 + 1.4 * time;
      const along = offset.reduce((sum, x, i) => sum + x * (axis[i] as number), 0);
      const across = [1, 2, 0].map((j, i) => {
        const k = (i + 2) % 3;
        return (axis[j] as number) * (offset[k] as number) - (axis[k] as number) * (offset[j] as number);
      });
      // Rodrigues' formula.
      const expected = offset.map(
        (x, i) => x * Math.cos(angle) + (across[i] as number) * Math.sin(angle) + (axis[i] as number) * along * (1 - Math.cos(angle)),
      );
      (await middle(glb, time)).forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
    }
  });

  test('slerp agrees with the sine formula in doubles', () => {
    const turn = (angle: number): Quaternion => [0, Math.sin(angle / 2), 0, Math.cos(angle / 2)];
    for (const span of [1e-9, 1e-5, 1e-3, 0.1, 1, 2, 3.1]) {
      for (const t of [0, 0.2, 0.5, 0.9, 1]) {
        slerp(turn(0.4), turn(0.4 + span), t).forEach((value, i) =>
          expect(Math.abs(value - (turn(0.4 + span * t)[i] as number))).toBeLessThan(4e-15),
        );
      }
    }
  });

  test('every channel holds its own end values', async () => {
    const glb = await animated([
      { target: { node: 0, path: 'translation' }, times: [1, 2], values: [1, 0, 0, 2, 0, 0] },
      { target: '/nodes/0/scale', times: [3, 4], values: [1, 1, 1, 3, 3, 3] },
    ]);
    const at = async (time: number) => (await compile(glb, time)).summary.bounds.max[0];
    expect([await at(0.5), await at(2), await at(3.5), await at(9)]).toEqual([1.5, 2.5, 3, 3.5]);
    expect((await compile(glb, 0)).summary.animationSeconds).toBe(4);
  });

  test('time 0 is the file as it was saved; a property that two animations drive follows the first', async () => {
    const move = (x: number): ChannelSpec => ({ target: { node: 0, path: 'translation' }, times: [0], values: [x, 0, 0] });
    const glb = withJson(await animated([move(5)]), (json) =>
      addAnimation(json, [move(7), { target: '/nodes/0/scale', times: [0], values: [2, 2, 2] }]),
    );
    expect(await middle(glb, 0)).toEqual([0, 0, 0]);
    const { bounds } = (await compile(glb, 1e-6)).summary;
    expect([bounds.min[0], bounds.max[0]]).toEqual([4, 6]);
  });

  test('a node with a matrix that moves is placed by its channels, one whose weights move keeps its matrix', async () => {
    const matrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 8, 0, 0, 1];
    const edit = (json: LooseJson) => void Object.assign(json.nodes[0] as object, { matrix });
    expect(await middle(await animated([{ target: { node: 0, path: 'translation' }, times: [0], values: [1, 2, 3] }], edit), 1)).toEqual([
      1, 2, 3,
    ]);
    expect(await middle(await animated([{ target: { node: 0, path: 'weights' }, times: [0], values: [1] }], edit), 1)).toEqual([8, 0, 0]);
  });
});

describe('pointers', () => {
  test('factors of materials and their extensions', async () => {
    const of = (path: string, ...values: number[]): ChannelSpec => ({ target: `/materials/0/${path}`, times: [0, 2], values });
    const glb = await animated(
      [
        of('pbrMetallicRoughness/baseColorFactor', 0, 0, 0, 1, 1, 0.5, 0.25, 0.5),
        of('pbrMetallicRoughness/roughnessFactor', 0, 1),
        of('emissiveFactor', 0, 0, 0, 0.5, 1, 0.25),
        of('extensions/KHR_materials_emissive_strength/emissiveStrength', 2, 6),
        of('extensions/KHR_materials_clearcoat/clearcoatFactor', 1, 0),
        of('extensions/KHR_materials_iridescence/iridescenceThicknessMaximum', 100, 500),
        of('extensions/KHR_materials_anisotropy/anisotropyRotation', 0, 2),
      ],
      (json) => Object.assign(json.materials[0] as object, { extensions: { KHR_materials_anisotropy: { anisotropyStrength: 1 } } }),
    );
    const { materials, summary } = await compile(glb, 0.5);
    const get = (name: Parameters<typeof field<typeof Material.fields>>[3]) => field(materials, Material, 0, name);
    expect(get('base_color')).toEqual([0.25, 0.125, 0.0625, 0.875]);
    expect([get('roughness'), get('emissive'), get('clearcoat'), get('iridescence_thickness_max')]).toEqual([
      [0.25],
      [0.375, 0.75, 0.1875],
      [0.75],
      [200],
    ]);
    expect(get('anisotropy_direction')).toEqual([Math.fround(Math.cos(0.5)), Math.fround(Math.sin(0.5))]);
    expect(summary.warnings).toEqual([]);
    expect(field((await compile(glb, 0)).materials, Material, 0, 'clearcoat')).toEqual([0]);
  });

  test('texture transforms', async () => {
    const place = '/materials/0/pbrMetallicRoughness/baseColorTexture/extensions/KHR_texture_transform';
    const channels: ChannelSpec[] = [
      { target: `${place}/offset`, times: [0, 1], values: [0, 0, 1, 0.5] },
      { target: `${place}/rotation`, times: [0, 1], values: [0, 2] },
      { target: `${place}/scale`, times: [0, 1], values: [1, 1, 3, 5] },
    ];
    const scene = await compile(await animated(channels, () => {}, texturedQuadGlb()), 0.5);
    const [c, s] = [Math.cos(1), Math.sin(1)];
    for (const [name, row] of [
      ['transform_u', [2 * c, 3 * s, 0.5, 0]],
      ['transform_v', [-2 * s, 3 * c, 0.25, 0]],
    ] as const)
      field(scene.textures, TextureUse, 0, name).forEach((value, i) => expect(value).toBeCloseTo(row[i] as number, 6));
  });

  test('lights, cameras and visibility', async () => {
    const light = '/extensions/KHR_lights_punctual/lights/0';
    const glb = await animated(
      [
        { target: `${light}/color`, times: [0, 1], values: [0, 0, 0, 1, 0.5, 0.25] },
        { target: `${light}/intensity`, times: [0, 1], values: [0, 8] },
        { target: `${light}/range`, times: [0, 1], values: [10, 20] },
        { target: `${light}/spot/outerConeAngle`, times: [0, 1], values: [0.5, 1.5] },
        { target: '/cameras/0/perspective/yfov', times: [0, 1], values: [0.5, 1.5] },
        { target: '/cameras/0/perspective/znear', times: [0, 1], values: [1, 2] },
        { target: '/cameras/1/orthographic/ymag', times: [0, 1], values: [1, 3] },
        { target: '/nodes/2/translation', times: [0, 1], values: [0, 0, 4, 0, 2, 4] },
        { target: '/nodes/3/extensions/KHR_node_visibility/visible', times: [0, 1], values: [1, 0], interpolation: 'STEP' },
      ],
      (json) => {
        json['extensions'] = { KHR_lights_punctual: { lights: [{ type: 'spot', intensity: 1 }] } };
        json['cameras'] = [
          { type: 'perspective', perspective: { yfov: 1, znear: 0.1 } },
          { type: 'orthographic', orthographic: { xmag: 1, ymag: 1, znear: 0.1, zfar: 1 } },
        ];
        json.nodes.push(
          { extensions: { KHR_lights_punctual: { light: 0 } }, translation: [0, 5, 0] },
          { name: 'lens', camera: 0 },
          { mesh: 0, translation: [100, 0, 0] },
          { name: 'plan', camera: 1 },
        );
        Object.assign((json['scenes'] as LooseJson[])[0] as object, { nodes: [0, 1, 2, 3, 4] });
      },
    );
    const { lights, summary } = await compile(glb, 0.5);
    expect([field(lights, Light, 0, 'color'), one(lights, Light, 0, 'range')]).toEqual([[2, 1, 0.5], 15]);
    expect(one(lights, Light, 0, 'spot_scale')).toBeCloseTo(1 / (1 - Math.cos(1)), 6);
    expect(summary.cameras).toMatchObject([
      { name: 'lens', camera: { eye: [0, 1, 4], tanHalfVfov: expect.closeTo(Math.tan(0.5), 12) as number } },
      { name: 'plan', camera: { halfHeight: 2 } },
    ]);
    expect([summary.bounds.max[0], summary.warnings]).toEqual([100.5, []]);
    expect((await compile(glb, 1)).summary.bounds.max[0]).toBe(0.5);
  });

  test('morph weights: a whole list, or one of it beside the values of the mesh', async () => {
    const { document } = quadDocument();
    const buffer = document.getRoot().listBuffers()[0] ?? null;
    for (const axis of [0, 1, 2]) {
      const deltas = Float32Array.from({ length: 12 }, (_, i) => (i % 3 === axis ? 10 : 0));
      const accessor = document.createAccessor().setType('VEC3').setArray(deltas).setBuffer(buffer);
      document
        .getRoot()
        .listMeshes()[0]
        ?.listPrimitives()[0]
        ?.addTarget(document.createPrimitiveTarget().setAttribute('POSITION', accessor));
    }
    document.getRoot().listMeshes()[0]?.setWeights([0.1, 0.2, 0.3]);
    const glb = writeGlb(document);
    const whole = await animated([{ target: { node: 0, path: 'weights' }, times: [0, 1], values: [0, 0, 0, 1, 2, 3] }], () => {}, glb);
    (await middle(whole, 0.5)).forEach((value, i) => expect(value).toBeCloseTo([5, 10, 15][i] as number, 5));
    for (const target of ['/nodes/0/weights/1', '/meshes/0/weights/1']) {
      const part = await animated([{ target, times: [0, 1], values: [0, 4] }], () => {}, glb);
      (await middle(part, 0.5)).forEach((value, i) => expect(value).toBeCloseTo([1, 20, 3][i] as number, 5));
    }
  });

  test('what drives nothing that is rendered is one warning; what has no effect on a picture is none', async () => {
    const drive = (target: string): ChannelSpec => ({ target, times: [0], values: [1] });
    const lost = ['/nodes/0/name', '/materials/7/alphaCutoff', '/materials/0/normalTexture/scale', '/__proto__/polluted', 'materials', ''];
    const { summary } = await compile(await animated([...lost.map(drive), drive('/materials/0/alphaCutoff')]), 1);
    expect(summary.warnings).toEqual([
      'The animation of "/nodes/0/name" (animations[0].channels[0]) and 5 more drives nothing that is rendered and was ignored.',
    ]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const textured = await animated(
      [drive('/materials/0/pbrMetallicRoughness/baseColorTexture/extensions/KHR_texture_transform/rotation')],
      () => {},
      texturedQuadGlb(),
    );
    expect((await compile(textured, 1)).summary.warnings).toEqual([]);
  });
});

describe('keys of equal times', () => {
  test.each([
    ['LINEAR', [0, 1, 1, 2], [0, 0, 0, 4, 0, 0, 10, 0, 0, 20, 0, 0], [2, 10, 15]],
    ['STEP', [0, 1, 1, 2], [0, 0, 0, 4, 0, 0, 10, 0, 0, 20, 0, 0], [0, 10, 10]],
    ['LINEAR', [0, 1, 1, 1, 2], [0, 0, 0, 4, 0, 0, 7, 7, 7, 10, 0, 0, 20, 0, 0], [2, 10, 15]],
  ] as const)('%s at %j: the value jumps, and one warning says so', async (interpolation, times, values, expected) => {
    const glb = await animated([{ target: { node: 0, path: 'translation' }, times, values, interpolation }]);
    const found = await Promise.all([0.5, 1, 1.5].map(async (time) => (await middle(glb, time))[0]));
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 5));
    const warning = 'Keys of animations[0].samplers[0] have equal times, where the value jumps to that of the last.';
    expect((await compile(glb, 0)).summary.warnings).toEqual([warning]);
  });

  test('rising ones warn of nothing', async () => {
    const glb = await animated([{ target: { node: 0, path: 'translation' }, times: [0, 1], values: [0, 0, 0, 4, 0, 0] }]);
    expect((await compile(glb, 0)).summary.warnings).toEqual([]);
  });
});

describe('bad animations', () => {
  test.each<readonly [string, ChannelSpec, RegExp]>([
    [
      'too few values',
      { target: { node: 0, path: 'translation' }, times: [0, 1], values: [1, 2, 3] },
      /samplers\[0\]: 3 values do not fit 2 keys of "translation"/,
    ],
    [
      'a pointer with the wrong width',
      { target: '/materials/0/emissiveFactor', times: [0], values: [1] },
      /1 values do not fit 1 keys of "emissiveFactor"/,
    ],
    ['keys that fall', { target: '/nodes/0/scale', times: [1, 0], values: [1, 1, 1, 1, 1, 1] }, /key times must rise/],
    ['a value that is not finite', { target: '/nodes/0/scale', times: [0], values: [NaN, 1, 1] }, /values be finite/],
  ])('%s', async (_, channel, text) => {
    const error: unknown = await compile(await animated([channel]), 0).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SceneError);
    expect((error as SceneError).message).toMatch(text);
  });

  test('the control compiles', async () => {
    expect(
      (await compile(await animated([{ target: '/nodes/0/scale', times: [0, 1], values: [1, 1, 1, 1, 1, 1] }]), 1)).summary.warnings,
    ).toEqual([]);
  });
});
