/** What a creator chooses from a file (variants, cameras), and what a primitive's vertices carry: joints, coordinates, colours. */
import { describe, expect, test } from 'vitest';
import { IMAGE_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { Triangle, Vertex, VertexExtra } from '#shaders/layout.ts';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { boxGlb, quadDocument, sceneFiles, writeGlb, type Bytes, type LooseJson } from './fixtures.ts';
import { addNumbers, withJson } from './json-kit.ts';
import { field, one } from './oracle.ts';

const compile = (glb: Bytes, variant: string | null = null) => compileScene(new AbortController().signal, { ...sceneFiles(glb), variant });
const at = <T>(list: readonly T[], i = 0): T => list[i] as T;
const primitive = (json: LooseJson) => at(at(json.meshes).primitives);
async function sentence(compiling: Promise<unknown>): Promise<string> {
  const error: unknown = await compiling.then(
    () => 'compiled',
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SceneError);
  return (error as SceneError).message;
}

describe('variants', () => {
  const file = async (edit: (json: LooseJson) => void = () => {}): Promise<Bytes> =>
    withJson(await boxGlb(), (json) => {
      json['extensions'] = { KHR_materials_variants: { variants: [{ name: 'red' }, { name: 'blue' }] } };
      json.materials.push({ name: 'r' }, { name: 'b' });
      const mappings = [
        { material: 1, variants: [0] },
        { material: 2, variants: [1] },
      ];
      Object.assign(primitive(json), { extensions: { KHR_materials_variants: { mappings } } });
      edit(json);
    });
  const material = async (variant: string | null, glb = file()) =>
    one((await compile(await glb, variant)).triangles, Triangle, 0, 'material');

  test('a name selects its materials, null the file as it is, and each is another root', async () => {
    expect([await material(null), await material('red'), await material('blue')]).toEqual([0, 1, 2]);
    const { summary } = await compile(await file());
    expect([summary.variants, summary.warnings]).toEqual([['red', 'blue'], []]);
    expect((await compile(await file(), 'red')).summary.root).not.toBe(summary.root);
  });

  test('a primitive that the variant leaves out keeps its material', async () => {
    const bare = file((json) => delete primitive(json)['extensions']);
    expect(await material('red', bare)).toBe(0);
  });

  test('a name that is not there is refused with the names that are', async () => {
    expect(await sentence(compile(await file(), 'green'))).toBe('There is no material variant "green"; there are "red", "blue".');
    expect(await sentence(compile(await boxGlb(), 'green'))).toBe('There is no material variant "green"; the file has none.');
  });

  test('malformed ones are refused by their path', async () => {
    const map = (mappings: unknown) => (json: LooseJson) =>
      void Object.assign(primitive(json), { extensions: { KHR_materials_variants: { mappings } } });
    expect(await sentence(compile(await file(map([{ material: 9, variants: [0] }])), 'red'))).toMatch(
      /^meshes\[0\]\.primitives\[0\]\.extensions\.KHR_materials_variants\.mappings\[0\]\.material: index 9 is out of range, the file has 3 materials/,
    );
    expect(await sentence(compile(await file(map([{ material: 1, variants: 'red' }])), 'red'))).toMatch(
      /KHR_materials_variants\.mappings\[0\]\.variants: expected a list/,
    );
    const nameless = file((json) => (json['extensions'] = { KHR_materials_variants: { variants: [{}] } }));
    expect(await sentence(compile(await nameless))).toMatch(/^extensions\.KHR_materials_variants\.variants\[0\]\.name: expected/);
  });
});

describe('cameras', () => {
  const file = async (cameras: readonly object[], nodes: readonly object[]): Promise<Bytes> =>
    withJson(await boxGlb(), (json) => {
      json['cameras'] = cameras;
      json.nodes.push(...(nodes as Record<string, unknown>[]));
      Object.assign((json['scenes'] as LooseJson[])[0] as object, { nodes: json.nodes.map((_, i) => i).filter((i) => i !== 3) });
    });
  const lens = { type: 'perspective', perspective: { yfov: 1, znear: 0.1 } };

  test('each has a name of its own, hidden ones too, in the order of the file', async () => {
    const hidden = { extensions: { KHR_node_visibility: { visible: false } } };
    const glb = await file(
      [lens, { ...lens, name: 'second' }],
      [{ camera: 1 }, { name: 'eye', camera: 0 }, { name: 'x' }, { name: 'eye', camera: 0, ...hidden }],
    );
    expect((await compile(glb)).summary.cameras.map(({ name }) => name)).toEqual(['eye', 'eye (2)', 'second']);
  });

  test('scale, mirrored or not, and an infinite zfar change nothing', async () => {
    const turned = { rotation: [0, Math.SQRT1_2, 0, Math.SQRT1_2], translation: [1, 2, 3] };
    const plain = await compile(await file([lens], [{ ...turned, camera: 0 }]));
    const far = { type: 'perspective', perspective: { yfov: 1, znear: 0.1, zfar: 1e9, aspectRatio: 3 } };
    const scaled = await compile(await file([far], [{ ...turned, scale: [3, 0.5, 2], camera: 0 }]));
    const mirrored = await compile(await file([lens], [{ ...turned, scale: [-1, 1, 1], camera: 0 }]));
    const { eye, up, target } = at(plain.summary.cameras).camera;
    expect([eye, up.map(Math.round), target.map((x, i) => Math.round((x - (eye[i] as number)) * 1e6))]).toEqual([
      [1, 2, 3],
      [0, 1, 0],
      [-1e6, 0, 0].map(Math.round),
    ]);
    for (const { summary } of [scaled, mirrored]) {
      const { camera } = at(summary.cameras);
      expect(camera).toMatchObject({ eye, tanHalfVfov: (at(plain.summary.cameras).camera as { tanHalfVfov: number }).tanHalfVfov });
      camera.up.forEach((value, i) => expect(value).toBeCloseTo(up[i] as number, 12));
      camera.target.forEach((value, i) => expect(value).toBeCloseTo(target[i] as number, 12));
    }
  });

  test('an orthographic one has half its height; one without a view is a warning', async () => {
    const flat = (ymag: number) => ({ type: 'orthographic', orthographic: { xmag: 3, ymag, znear: 0, zfar: 10 } });
    const { summary } = await compile(
      await file(
        [flat(-2), flat(0)],
        [
          { name: 'plan', camera: 0 },
          { name: 'none', camera: 1 },
        ],
      ),
    );
    expect(summary.cameras).toMatchObject([{ name: 'plan', camera: { halfHeight: 2, lens: null } }]);
    expect(summary.warnings).toEqual(['The camera "none" (nodes[2]) has neither a field of view nor a height and was left out.']);
  });
});

describe('vertices', () => {
  test('eight influences, of floats and of normalised bytes, are blended as their sum', async () => {
    const { document, node } = quadDocument();
    const joints = Array.from({ length: 8 }, (_, j) => document.createNode(`j${j}`).setTranslation([j, 2 * j, j * j]));
    const skin = document.createSkin();
    joints.forEach((joint) => {
      document.getRoot().listScenes()[0]?.addChild(joint);
      skin.addJoint(joint);
    });
    node.setSkin(skin);
    const weights = [51, 0, 17, 34, 0, 85, 17, 51];
    const glb = withJson(await writeGlb(document), (json) => {
      const four = (values: readonly number[]) => Array.from({ length: 4 }, () => values).flat();
      Object.assign(primitive(json).attributes, {
        JOINTS_0: addNumbers(json, 'VEC4', four([0, 1, 2, 3]), 'u8'),
        WEIGHTS_0: addNumbers(json, 'VEC4', four(weights.slice(0, 4).map((w) => w / 255))),
        JOINTS_1: addNumbers(json, 'VEC4', four([4, 5, 6, 7]), 'u16'),
        WEIGHTS_1: addNumbers(json, 'VEC4', four(weights.slice(4)), 'u8-normalized'),
      });
    });
    const mean = (of: (j: number) => number) => weights.reduce((sum, w, j) => sum + (w / 255) * of(j), 0);
    const { min, max } = (await compile(glb)).summary.bounds;
    [mean((j) => j), mean((j) => 2 * j), mean((j) => j * j)].forEach((value, axis) =>
      expect(((min[axis] as number) + (max[axis] as number)) / 2).toBeCloseTo(value, 5),
    );
    // The control: the first four alone, their weights scaled to sum to 1, lie elsewhere.
    const four = withJson(glb, (json) => {
      delete primitive(json).attributes['JOINTS_1'];
      delete primitive(json).attributes['WEIGHTS_1'];
    });
    expect((await compile(four)).summary.bounds.max[0]).toBeCloseTo(1 + (2 * 17 + 3 * 34) / 102, 5);
  });

  test('morphed normals and tangents, and a sparse target', async () => {
    const { document } = quadDocument();
    const glb = withJson(await writeGlb(document), (json) => {
      const zeros = { componentType: 5126, type: 'VEC3', count: 4 };
      const values = addNumbers(json, 'VEC3', [0, 0, 8]);
      const indices = addNumbers(json, 'SCALAR', [2], 'u8');
      const views = [values, indices].map((accessor) => at(json.accessors, accessor)['bufferView'] as number);
      const sparse = { count: 1, indices: { bufferView: views[1], componentType: 5121 }, values: { bufferView: views[0] } };
      json.accessors.push({ ...zeros, sparse });
      const POSITION = json.accessors.length - 1;
      const NORMAL = addNumbers(json, 'VEC3', Array.from({ length: 4 }, () => [2, 0, -2]).flat());
      Object.assign(primitive(json), { targets: [{ POSITION, NORMAL }] });
      Object.assign(at(json.nodes), { weights: [0.5] });
    });
    const { summary, vertices } = await compile(glb);
    // Normal (0, 0, 1) + half of (2, 0, -2) is (1, 0, 0), whose octahedral code is the largest x.
    expect([summary.bounds.max, one(vertices, Vertex, 0, 'normal')]).toEqual([[1, 1, 4], 32767]);
  });

  test('a material on TEXCOORD_3 samples TEXCOORD_3', async () => {
    const { document, material } = quadDocument();
    material.setNormalTexture(null);
    const glb = withJson(await writeGlb(document), (json) => {
      const set = (k: number) => addNumbers(json, 'VEC2', [k, 0, k, 1, k, 2, k, 3]);
      Object.assign(primitive(json).attributes, { TEXCOORD_1: set(1), TEXCOORD_2: set(2), TEXCOORD_3: set(3) });
      json['images'] = [{ uri: PIXEL }];
      json['textures'] = [{ source: 0 }];
      const map = (texCoord: number) => ({ index: 0, texCoord });
      Object.assign(at(json.materials), { pbrMetallicRoughness: { baseColorTexture: map(3), metallicRoughnessTexture: map(1) } });
    });
    const { vertices, extras, summary } = await compile(glb);
    expect([field(vertices, Vertex, 2, 'uv0'), field(extras, VertexExtra, 2, 'uv1')]).toEqual([
      [1, 2],
      [3, 2],
    ]);
    expect(summary.warnings).toEqual([]);
  });

  test('coordinates near the end of f32 stay where any transform of a texture leaves them finite', async () => {
    const glb = withJson(await writeGlb(quadDocument().document), (json) => {
      Object.assign(primitive(json).attributes, { TEXCOORD_0: addNumbers(json, 'VEC2', [3e38, -3e38, 1e9, -7.5, 0, 0, 1, 1]) });
    });
    const { vertices } = await compile(glb);
    expect([field(vertices, Vertex, 0, 'uv0'), field(vertices, Vertex, 1, 'uv0')]).toEqual([
      [1e9, -1e9],
      [1e9, -7.5],
    ]);
    // The greatest factors and offset of texture-slots.ts, on the largest image.
    const f = Math.fround;
    expect(f(f(f(1e6 * 1e9) + f(1e6 * 1e9) + 1e6) * IMAGE_SIDE_PX_MAX)).toBeLessThan(1e30);
  });

  test.each([
    ['VEC3', 'f32', [1, 0.5, 0], [65_535, 32_768, 0, 65_535]],
    ['VEC4', 'u8-normalized', [255, 128, 0, 64], [65_535, 128 * 257, 0, 64 * 257]],
    ['VEC4', 'f32', [1, 0.5, 0, 0.25], [65_535, 32_768, 0, 16_384]],
    ['VEC4', 'u16-normalized', [65_535, 1, 459, 7], [65_535, 1, 459, 7]],
    ['VEC3', 'f32', [0.007, 0.0078, 0.0001], [459, 511, 7, 65_535]],
  ] as const)('colours as %s of %s', async (type, as, color, [r, g, b, a]) => {
    const glb = withJson(await writeGlb(quadDocument().document), (json) => {
      Object.assign(primitive(json).attributes, { COLOR_0: addNumbers(json, type, [color, color, color, color].flat(), as) });
    });
    expect(field((await compile(glb)).extras, VertexExtra, 0, 'color')).toEqual([r + g * 65_536, b + a * 65_536]);
  });
});

/** A white PNG of one pixel. */
const PIXEL = 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==';
