/** `pictor render scene.gltf` reads the files beside the scene, and none that lie elsewhere. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSceneFiles } from '#cli/scene-files.ts';
import { packSceneFiles } from '#lib/gpu/pack-scene.ts';
import { emissiveRoomGlb } from '../scene/fixtures.ts';
import { looseFiles, zipped } from '../scene/fuzz-corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'pictor-scene-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (path: string, bytes: Uint8Array): string => {
  const full = join(folder, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, bytes);
  return full;
};
const read = async (file: string) => (await readSceneFiles({ file, environment: null, frameTimeS: 0, variant: null })).scene;

test('a .gltf, a zip and the page give one blob; a .glb is not touched', async () => {
  const files = await looseFiles();
  for (const [path, bytes] of Object.entries(files)) write(path, bytes);
  const expected = packSceneFiles(Object.entries(files).map(([path, bytes]) => ({ path, bytes })));
  if (!expected.ok) throw new Error(expected.text);
  expect(await read(join(folder, 'model/scene.gltf'))).toEqual(expected.bytes);
  expect(await read(write('scene.zip', zipped(files, 6)))).toEqual(expected.bytes);
  const room = await emissiveRoomGlb();
  expect(await read(write('room.glb', room))).toEqual(room);
});

test('a name that leads out of the folder, by dots or by a link, is a missing file', async () => {
  write('secret/key.png', new Uint8Array(9));
  const gltf = (uri: string) => new TextEncoder().encode(JSON.stringify({ asset: { version: '2.0' }, images: [{ uri }] }));
  const file = write('open/scene.gltf', gltf('../secret/key.png'));
  await expect(read(file)).rejects.toThrow(/images\[0\]\.uri: the file "\.\.\/secret\/key\.png" is missing/);
  symlinkSync(join(folder, 'secret/key.png'), join(folder, 'open/link.png'));
  writeFileSync(file, gltf('link.png'));
  await expect(read(file)).rejects.toThrow(/"link\.png" is missing/);
  // Control: the same name for a file of its own.
  rmSync(join(folder, 'open/link.png'));
  write('open/link.png', new Uint8Array(9));
  expect((await read(file)).length).toBeGreaterThan(9);
});
