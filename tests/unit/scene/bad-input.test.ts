/** Every defect of a file ends with one sentence that says what, where and what to do; its sound twin compiles. */
import { describe, expect, test } from 'vitest';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { boxGlb, editGlb, joinGlb, pngImage, sceneFiles, texturedQuadGlb, type Bytes, type LooseJson } from './fixtures.ts';
import { compressedGlb } from './fuzz-corpus.ts';

const compile = (bytes: Bytes) => compileScene(new AbortController().signal, sceneFiles(bytes));

async function sentence(bytes: Bytes): Promise<string> {
  const outcome = await compile(bytes).then(
    () => 'compiled',
    (error: unknown) => error,
  );
  if (!(outcome instanceof SceneError)) throw new Error(`expected a SceneError, got ${String(outcome)}`);
  expect(outcome.message).toMatch(/^[^\n]{10,300}\.$/);
  return outcome.message;
}

/** The box with a change to its JSON. */
const edited = async (edit: (json: LooseJson, binary: DataView) => void): Promise<Bytes> => editGlb(await boxGlb(), edit);
const at = <T>(list: readonly T[], i = 0): T => list[i] as T;
const primitive = (json: LooseJson) => at(at(json.meshes).primitives);

describe('the control', () => {
  test('the box compiles, also after being taken apart and joined again', async () => {
    expect((await compile(await boxGlb())).summary.triangles).toBe(12);
    expect((await compile(await edited(() => {}))).summary.triangles).toBe(12);
  });

  test('a .gltf with its data in data: URIs compiles', async () => {
    const glb = await boxGlb();
    let text = '';
    editGlb(glb, (json, binary) => {
      Object.assign(at(json.buffers), { uri: `data:application/octet-stream;base64,${Buffer.from(binary.buffer).toString('base64')}` });
      text = JSON.stringify(json);
    });
    const scene = await compile(new TextEncoder().encode(text));
    expect(scene.summary.root).toBe((await compile(glb)).summary.root);
  });
});

describe('the container', () => {
  const cases: readonly (readonly [string, (glb: Bytes) => Bytes, RegExp])[] = [
    ['an empty file', () => new Uint8Array(0), /empty/],
    ['a file that is not glTF', () => new TextEncoder().encode('not a scene at all'), /not glTF: byte 0/],
    [
      'a zip cut off',
      () => new TextEncoder().encode('PK\u0003\u0004 not a scene at all'),
      /^Byte 23: the archive ends without its directory/,
    ],
    ['a header cut off', (glb) => glb.slice(0, 14), /ends at byte 14, inside the GLB header/],
    ['a body cut off', (glb) => glb.slice(0, glb.length - 100), /^Byte 8: the header claims \d+ bytes but the file has \d+/],
    ['version 1', (glb) => patch(glb, 4, 1), /^Byte 4: the file is GLB version 1/],
    ['a claim of almost 4 GB in the header', (glb) => patch(glb, 8, 0xfffffff0), /^Byte 8: the header claims 4294967280 bytes/],
    ['a claim of almost 4 GB in a chunk', (glb) => patch(glb, 12, 0xfffffff0), /^Byte 12: chunk 0 claims 4294967280 bytes/],
    ['a first chunk that is not JSON', (glb) => patch(glb, 16, 0x004e4942), /^Byte 16: the first chunk is not JSON/],
    ['JSON that does not parse', () => joinGlb('{"asset":{"version":"2.0"},', null), /^Byte 20: the JSON .* cannot be parsed/],
    ['JSON that is no object', () => joinGlb('[1,2]', null), /expected (a glTF document|Object)|expected/],
  ];
  test.each(cases)('%s', async (_, damage, text) => {
    expect(await sentence(damage(await boxGlb()))).toMatch(text);
  });

  function patch(glb: Bytes, offset: number, word: number): Bytes {
    const copy = glb.slice();
    new DataView(copy.buffer).setUint32(offset, word, true);
    return copy;
  }
});

describe('the document', () => {
  const cases: readonly (readonly [string, (json: LooseJson, binary: DataView) => void, RegExp])[] = [
    ['glTF 1.0', (json) => Object.assign(json, { asset: { version: '1.0' } }), /^asset\.version: the file is glTF "1\.0"/],
    ['no asset', (json) => delete json['asset'], /^asset: expected/],
    ['a list that is no list', (json) => Object.assign(json, { nodes: 5 }), /^nodes: expected a list, found 5/],
    [
      'a buffer that claims 10 GB',
      (json) => Object.assign(at(json.buffers), { byteLength: 10e9 }),
      /^buffers\[0\]\.byteLength: it claims 10000000000 bytes/,
    ],
    [
      'a buffer in another file',
      (json) => Object.assign(at(json.buffers), { uri: 'box.bin' }),
      /^buffers\[0\]\.uri: the data lies in another file \("box\.bin"\)/,
    ],
    [
      'a view outside its buffer',
      (json) => Object.assign(at(json.bufferViews), { byteOffset: 1e6 }),
      /^bufferViews\[0\]: bytes 1000000 to \d+ lie outside buffer 0/,
    ],
    [
      'an accessor outside its view',
      (json) => Object.assign(at(json.accessors), { count: 9e9 }),
      /^accessors\[0\]: its 9000000000 elements reach byte/,
    ],
    [
      'a zero-filled accessor of 100 GB',
      (json) => json.accessors.push({ componentType: 5126, type: 'VEC4', count: 6e9 }),
      /^accessors\[\d\]: the accessors up to here claim \d+ bytes/,
    ],
    [
      'an unknown component type',
      (json) => Object.assign(at(json.accessors), { componentType: 5124 }),
      /^accessors\[0\]\.componentType: expected one of/,
    ],
    ['a negative count', (json) => Object.assign(at(json.accessors), { count: -1 }), /^accessors\[0\]\.count: expected a whole number/],
    [
      'an accessor without a view behind it',
      (json) => Object.assign(at(json.accessors), { bufferView: 77 }),
      /^accessors\[0\]\.bufferView: index 77 is out of range/,
    ],
    [
      'a material that is not there',
      (json) => Object.assign(primitive(json), { material: 3 }),
      /^meshes\[0\]\.primitives\[0\]\.material: index 3 is out of range, the file has 1 materials/,
    ],
    [
      'a texture that is not there',
      (json) => Object.assign(at(json.materials), { normalTexture: { index: 2 } }),
      /^materials\[0\]\.normalTexture\.index: index 2 is out of range/,
    ],
    ['a mesh that is not there', (json) => Object.assign(at(json.nodes), { mesh: 9 }), /^nodes\[0\]\.mesh: index 9/],
    [
      'a node that is its own ancestor',
      (json) => Object.assign(json, { nodes: [{ children: [1] }, { children: [0] }] }),
      /^nodes\[0\]: it lies in a cycle/,
    ],
    [
      'a node with two parents',
      (json) => Object.assign(json, { nodes: [{ children: [2] }, { children: [2] }, { mesh: 0 }] }),
      /^nodes\[1\]\.children\[0\]: node 2 already has the parent 0/,
    ],
    [
      'a tree too deep',
      (json) => Object.assign(json, { nodes: Array.from({ length: 400 }, (_, i) => (i < 399 ? { children: [i + 1] } : { mesh: 0 })) }),
      /deeper than the 256 levels/,
    ],
    [
      'too many nodes',
      (json) => Object.assign(json, { nodes: Array.from({ length: 200_001 }, () => ({})) }),
      /^nodes: the file has 200001 of them/,
    ],
    [
      'too many materials',
      (json) => Object.assign(json, { materials: Array.from({ length: 32_769 }, () => ({})) }),
      /^materials: the file has 32769 of them, more than the 32768/,
    ],
    [
      'an unknown required extension',
      (json) => Object.assign(json, { extensionsUsed: ['ACME_fur'], extensionsRequired: ['ACME_fur'] }),
      /^extensionsRequired\[0\]: .*ACME_fur/,
    ],
    ['no mesh in the scene', (json) => Object.assign(json, { nodes: [{}], meshes: [] }), /no triangles/],
    ['only points', (json) => Object.assign(primitive(json), { mode: 0 }), /no triangles/],
    ['triangles without area', (json) => Object.assign(at(json.nodes), { scale: [0, 0, 0] }), /no area/],
    [
      'a NaN position',
      (json, binary) => binary.setFloat32(positionOffset(json) + 4, NaN, true),
      /^accessors\[\d\]: the position of vertex 0 is not a finite number/,
    ],
    [
      'an infinite position',
      (json, binary) => binary.setFloat32(positionOffset(json), Infinity, true),
      /^accessors\[\d\]: the position of vertex 0 is not a finite number/,
    ],
    [
      'an index out of range',
      (json, binary) => binary.setUint16(indexOffset(json) + 4, 999, true),
      /^accessors\[\d\]: index 999 at position 2 is out of range, the mesh has 24 vertices/,
    ],
    [
      'a scale beyond all numbers',
      (json) => Object.assign(at(json.nodes), { scale: [1e39, 1, 1] }),
      /^nodes\[0\]: vertex 0 is placed outside/,
    ],
    [
      'normals that do not match',
      (json) => Object.assign(primitive(json).attributes, { NORMAL: primitive(json).attributes['TEXCOORD_0'] }),
      /NORMAL has 24 elements of 2 numbers for 24 positions/,
    ],
  ];

  const view = (json: LooseJson, accessor: Record<string, unknown>): number => {
    const bufferView = at(json.bufferViews, accessor['bufferView'] as number);
    return Number(bufferView['byteOffset'] ?? 0) + Number(accessor['byteOffset'] ?? 0);
  };
  const positionOffset = (json: LooseJson): number => view(json, at(json.accessors, primitive(json).attributes['POSITION']));
  const indexOffset = (json: LooseJson): number => view(json, at(json.accessors, Number(primitive(json)['indices'])));

  test.each(cases)('%s', async (_, edit, text) => {
    expect(await sentence(await edited(edit))).toMatch(text);
  });

  test('an unknown optional extension is one warning, not an error', async () => {
    const scene = await compile(await edited((json) => Object.assign(json, { extensionsUsed: ['ACME_fur'] })));
    expect(scene.summary.warnings).toEqual(['The extension ACME_fur is not supported and was ignored.']);
  });
});

describe('images', () => {
  test('an image that is no image, by its index and name', async () => {
    expect(await sentence(await texturedQuadGlb(new TextEncoder().encode('no image')))).toMatch(
      /^images\[0\] \("four colours"\): the image is neither PNG, JPEG, WebP, AVIF nor KTX2/,
    );
  });

  test('a PNG cut off', async () => {
    const png = pngImage(64, 64, (x, y) => [x * 4, y * 4, x ^ y, 255]);
    expect(await sentence(await texturedQuadGlb(png.slice(0, png.length - 60)))).toMatch(/^images\[0\].*the PNG is damaged/);
    expect((await compile(await texturedQuadGlb(png))).summary.textures).toBe(1);
  });

  test('a PNG that claims to be enormous is refused by its header', async () => {
    const png = pngImage(4, 4, () => [1, 2, 3, 4]);
    new DataView(png.buffer).setUint32(16, 100_000);
    expect(await sentence(await texturedQuadGlb(png))).toMatch(/^images\[0\].*100000 × 4 px, at most 8192 px/);
  });

  test('a JPEG that is only a header', async () => {
    expect(await sentence(await texturedQuadGlb(new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0]), 'image/jpeg'))).toMatch(
      /^images\[0\].*no readable size/,
    );
  });
});

describe('the environment', () => {
  const withEnvironment = async (file: Bytes) =>
    compileScene(new AbortController().signal, {
      scene: await boxGlb(),
      environment: { file, intensity: 1 },
      frameTimeS: 0,
      variant: null,
    });
  const hdr = (header: string, ...pixels: number[]): Bytes => Uint8Array.from([...new TextEncoder().encode(header), ...pixels]);
  const header = '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n';

  test('a sound one compiles', async () => {
    const scene = await withEnvironment(hdr(header, 128, 128, 128, 129, 0, 0, 0, 0));
    expect([...scene.environment.texels.subarray(0, 3)]).toEqual([1, 1, 1]);
  });

  test.each([
    ['text', new TextEncoder().encode('hello'), /neither a Radiance nor an OpenEXR file/],
    ['EXR', Uint8Array.of(0x76, 0x2f, 0x31, 0x01, 2, 0, 0, 0), /OpenEXR file that ends inside its header \(byte 8\)/],
    ['XYZE', hdr('#?RADIANCE\nFORMAT=32-bit_rle_xyze\n\n-Y 1 +X 2\n', 0), /32-bit_rle_xyze/],
    ['a turned image', hdr('#?RADIANCE\n\n+X 2 -Y 1\n', 0), /orientation "\+X 2 -Y 1"/],
    ['a claim beyond its bytes', hdr('#?RADIANCE\n\n-Y 9000 +X 18000\n', 1, 2, 3), /is 18000 × 9000 px, at most 134217728 texels/],
    ['a cut row', hdr(header, 128, 128, 128), /cut off in row 0/],
  ])('%s', async (_, file, text) => {
    const error: unknown = await withEnvironment(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SceneError);
    expect((error as SceneError).message).toMatch(text);
  });
});

test('an abort ends the compile with the reason of the signal', async () => {
  const controller = new AbortController();
  const running = compileScene(controller.signal, sceneFiles(await boxGlb()));
  controller.abort();
  await expect(running).rejects.toThrow(/abort/i);
});

describe('compressed meshes', () => {
  const view = (json: LooseJson): Item =>
    at(
      json.bufferViews,
      json.bufferViews.findIndex((item) => item['extensions'] !== undefined),
    );
  type Item = Record<string, unknown>;

  test('a Draco payload that claims more triangles than its accessor is refused before it is decoded', async () => {
    const glb = await compressedGlb('draco');
    expect((await compile(glb)).summary.triangles).toBe(12);
    const lying = editGlb(glb, (json) => Object.assign(at(json.accessors, Number(primitive(json)['indices'])), { count: 33 }));
    expect(await sentence(lying)).toMatch(
      /^meshes\[0\]\.primitives\[0\]\.extensions\.KHR_draco_mesh_compression: its payload claims 12 triangles but the accessor has 33 corners/,
    );
  });

  test('a Meshopt view that unpacks to 100 GB, which its absent fallback would hold, is refused', async () => {
    const glb = await compressedGlb('meshopt');
    expect((await compile(glb)).summary.triangles).toBe(12);
    const huge = editGlb(glb, (json) => {
      const packed = Object.values(view(json)['extensions'] as Record<string, Item>)[0] as Item;
      packed['count'] = 96e9 / Number(packed['byteStride']);
      Object.assign(view(json), { byteLength: 100e9 });
      Object.assign(at(json.buffers, Number(view(json)['buffer'])), { byteLength: 200e9 });
    });
    expect(await sentence(huge)).toMatch(
      /^bufferViews\[\d\]\.extensions\.EXT_meshopt_compression: the views up to here unpack to 96000000000 bytes/,
    );
  });

  test('a Draco payload that is damaged behind its first bytes', async () => {
    const damaged = editGlb(await compressedGlb('draco'), (_, binary) => {
      for (let i = 20; i < binary.byteLength; i++) binary.setUint8(i, 255);
    });
    expect(await sentence(damaged)).toMatch(/cannot be decoded|claims|no mesh of Draco/);
  });
});
