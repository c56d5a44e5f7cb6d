/** One scene in every container gives one root; an archive that is not sound ends in one sentence. */
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { packSceneFiles } from '#lib/gpu/pack-scene.ts';
import { SCENE_ARCHIVE_ENTRIES_MAX } from '#lib/protocol/limits.ts';
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { boxGlb, editGlb, emissiveRoomGlb, joinGlb, sceneFiles, type Bytes } from './fixtures.ts';
import { compressedGlb, looseFiles, zipped } from './fuzz-corpus.ts';
import { extensionsGlb } from './fuzz-extensions.ts';

const compile = (bytes: Bytes) => compileScene(new AbortController().signal, sceneFiles(bytes));
const root = async (bytes: Bytes): Promise<string> => (await compile(bytes)).summary.root;
type Files = Readonly<Record<string, Bytes>>;

function packed(files: Files): Bytes {
  const result = packSceneFiles(Object.entries(files).map(([path, bytes]) => ({ path, bytes })));
  if (!result.ok) throw new Error(result.text);
  return result.bytes;
}

async function sentence(bytes: Bytes): Promise<string> {
  const outcome: unknown = await compile(bytes).catch((error: unknown) => error);
  if (!(outcome instanceof SceneError)) throw new Error(`expected a SceneError, got ${String(outcome)}`);
  expect(outcome.message).toMatch(/^[^\n]{10,300}\.$/);
  return outcome.message;
}

/** The loose files with a change to the text of their document. */
async function renamed(from: string, to: string): Promise<Files> {
  const files = await looseFiles();
  const document = new TextDecoder().decode(files['model/scene.gltf']).replaceAll(from, to);
  return { ...files, 'model/scene.gltf': new TextEncoder().encode(document) };
}

describe('one scene', () => {
  test('has one root as loose files, zips of them, a GLB of them and a zip of that', async () => {
    const files = await looseFiles();
    const glb = packed(files);
    const expected = await root(glb);
    expect([...glb.subarray(0, 4)]).toEqual([...new TextEncoder().encode('glTF')]);
    expect(await root(zipped(files, 6))).toBe(expected);
    expect(await root(zipped(files, 0))).toBe(expected);
    expect(await root(zipped({ 'scene.glb': glb }, 6))).toBe(expected);
    // Control: another picture is another root.
    const { 'model/scene.gltf': document, 'model/scene data.bin': data } = files as Required<typeof files>;
    const picture = files['model/textures/Base Color.png']!.slice();
    const { pngImage } = await import('./fixtures.ts');
    const other = pngImage(4, 4, () => [1, 2, 3, 255]);
    expect(picture).not.toEqual(other);
    expect(await root(packed({ 'a.gltf': document!, 'scene data.bin': data!, 'textures/Base Color.png': other }))).not.toBe(expected);
  });

  test('is packed to the same bytes whatever the order and the folder the files come in', async () => {
    const files = await looseFiles();
    const glb = packed(files);
    expect(packed(Object.fromEntries(Object.entries(files).reverse()))).toEqual(glb);
    expect(packed(Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path.replace('model/', ''), bytes])))).toEqual(glb);
    expect(packed({ 'any.zip': zipped(files, 6) })).toEqual(glb);
    // What the scene does not name is left out.
    expect(packed({ ...files, 'model/notes.txt': new Uint8Array(9), '__MACOSX/model/._scene.gltf': new Uint8Array(3) })).toEqual(glb);
  });

  test('a whole GLB is not touched', async () => {
    const glb = await emissiveRoomGlb();
    expect(packed({ 'room.glb': glb })).toBe(glb);
    expect(packed({ 'room.zip': zipped({ 'in/room.glb': glb }, 6) })).toEqual(glb);
  });

  test.each(['extensions', 'meshopt', 'draco'])('of %s keeps its root when its data moves', async (kind) => {
    const glb = kind === 'extensions' ? await extensionsGlb() : await compressedGlb(kind as 'draco' | 'meshopt');
    let document = '';
    let data: Bytes = new Uint8Array();
    editGlb(glb, (json, binary) => {
      data = new Uint8Array(binary.buffer as ArrayBuffer);
      Object.assign(json.buffers[0] as object, { uri: 'data.bin' });
      document = JSON.stringify(json);
    });
    expect(await root(packed({ 'scene.gltf': new TextEncoder().encode(document), 'data.bin': data }))).toBe(await root(glb));
  });
});

describe('names of files', () => {
  test.each([
    ['percent-encoded', 'scene%20data.bin', 'scene%20data.bin'],
    ['as they are', 'scene%20data.bin', 'scene data.bin'],
    ['with ./ and a detour', './textures/Base%20Color.png', './other/../textures/./Base%20Color.png'],
    ['with backslashes', './textures/Base%20Color.png', 'textures\\\\Base Color.png'],
    ['in other letters', './textures/Base%20Color.png', 'Textures/base color.PNG'],
    ['of another machine', './textures/Base%20Color.png', 'C:/Users/me/Desktop/Base%20Color.png'],
    ['outside the folder', './textures/Base%20Color.png', '../../elsewhere/Base%20Color.png'],
  ])('are found %s', async (_, from, to) => {
    expect(await root(packed(await renamed(from, to)))).toBe(await root(packed(await looseFiles())));
  });

  test.each([
    ['a missing file', 'https', 'textures/none.png', /^images\[0\]\.uri: the file "textures\/none\.png" is missing/],
    ['an address', '', 'https://example.org/a.png', /^images\[0\]\.uri: the data lies on the network/],
  ])('%s is named', async (_, __, to, text) => {
    const files = await renamed('./textures/Base%20Color.png', to);
    expect(await sentence(zipped(files, 6))).toMatch(text);
    expect(packSceneFiles(Object.entries(files).map(([path, bytes]) => ({ path, bytes })))).toMatchObject({
      ok: false,
      text: expect.stringMatching(text),
    });
  });

  test('two files that it could be are both named, and neither is guessed', async () => {
    const files = await renamed('./textures/Base%20Color.png', 'base%20color.png');
    const copy = files['model/textures/Base Color.png'] as Bytes;
    expect(await sentence(zipped({ ...files, 'model/old/Base Color.png': copy }, 6))).toMatch(
      /could be "model\/old\/Base Color\.png" or "model\/textures/,
    );
  });

  test('a .gltf alone says that its files are missing', async () => {
    expect(await sentence((await looseFiles())['model/scene.gltf'] as Bytes)).toMatch(/^buffers\[0\]\.uri: the data lies in another file/);
  });
});

describe('an archive', () => {
  /** Changes 16- or 32-bit words of the first central entry, or of the end record. */
  async function changed(record: 0x02014b50 | 0x06054b50, offset: number, word: number, bits: 16 | 32): Promise<Bytes> {
    const zip = zipped({ 'box.glb': await boxGlb() }, 6);
    const view = new DataView(zip.buffer);
    let at = zip.length - 4;
    while (view.getUint32(at, true) !== record) at -= 1;
    if (bits === 16) view.setUint16(at + offset, word, true);
    else view.setUint32(at + offset, word, true);
    return zip;
  }

  test.each([
    ['encrypted', () => changed(0x02014b50, 8, 1, 16), /^Byte \d+: "box\.glb" in the archive is encrypted/],
    ['of zip64', () => changed(0x06054b50, 16, 0xffffffff, 32), /^Byte \d+: the archive has the zip64 form/],
    ['a part of several', () => changed(0x06054b50, 4, 1, 16), /^Byte \d+: the archive is one part of several/],
    [
      'with an entry of impossible size',
      () => changed(0x02014b50, 24, 0x7fffffff, 32),
      /claims to unpack \d+ bytes to 2147483647, which is impossible/,
    ],
    [
      'with a size that is a little off',
      async () => changed(0x02014b50, 24, (await boxGlb()).length - 1, 32),
      /does not unpack to the bytes it claims/,
    ],
    ['with a wrong checksum', () => changed(0x02014b50, 16, 7, 32), /does not match its checksum/],
    ['with a foreign compression', () => changed(0x02014b50, 10, 14, 16), /compressed by method 14, only deflate/],
    ['with an entry beyond its end', () => changed(0x02014b50, 42, 0x7ffffff0, 32), /has no header there/],
    ['without a scene', () => zipped({ 'readme.txt': new Uint8Array(3) }, 0), /holds no \.gltf and no \.glb/],
    [
      'with two scenes',
      async () => zipped({ 'a.glb': await boxGlb(), 'b.glb': await boxGlb() }, 0),
      /several scenes \("a\.glb" and "b\.glb"\)/,
    ],
    [
      'with a path that leads outside',
      async () => zipped({ '../box.glb': await boxGlb() }, 0),
      /^Byte \d+: the entry "\.\.\/box\.glb" of the archive leads outside/,
    ],
    ['with an absolute path', async () => zipped({ '/etc/box.glb': await boxGlb() }, 0), /leads outside/],
    [
      'with too many entries',
      () =>
        Uint8Array.from(
          zipSync(Object.fromEntries(Array.from({ length: SCENE_ARCHIVE_ENTRIES_MAX + 1 }, (_, i) => [`${i}`, new Uint8Array()])), {
            level: 0,
          }),
        ),
      /has 20001 entries/,
    ],
  ] as const)('%s is refused', async (_, make, text) => {
    expect(await sentence(await make())).toMatch(text);
  });

  test('with two entries of one name is refused', async () => {
    const zip = zipped({ 'box.glb': await boxGlb(), 'bax.glb': new Uint8Array(2) }, 0);
    const text = new TextDecoder('latin1').decode(zip).replaceAll('bax.glb', 'box.glb');
    expect(await sentence(Uint8Array.from(text, (c) => c.charCodeAt(0) & 255))).toMatch(/two entries named "box\.glb"/);
  });

  test('that unpacks to more than it says is stopped on the way', async () => {
    // 64 MiB of zeros deflate to 64 KiB; the directory admits to a thousand bytes.
    const zip = Uint8Array.from(zipSync({ 'box.glb': new Uint8Array(64 * 1024 * 1024) }, { level: 9 }));
    const view = new DataView(zip.buffer);
    let at = zip.length - 4;
    while (view.getUint32(at, true) !== 0x02014b50) at -= 1;
    view.setUint32(at + 24, 1000, true);
    const before = performance.now();
    expect(await sentence(zip)).toMatch(/does not unpack to the bytes it claims/);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test('the deepest scene gives way, and litter of other systems is no scene', async () => {
    const zip = zipped({ 'a/b/old.glb': joinGlb('{}', null), 'new.glb': await boxGlb(), '__MACOSX/._new.glb': new Uint8Array(4) }, 6);
    expect(await root(zip)).toBe(await root(await boxGlb()));
  });
});
