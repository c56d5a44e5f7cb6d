/** Which kernels a scene will take is known before its images are decoded: for every shipped scene just those that it takes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FEATURES, sceneFeatures, type Features } from '#workers/render/features.ts';
import { compileScene } from '#workers/scene/compile.ts';

const folder = join(import.meta.dirname, '../../../static/samples');
const names = readdirSync(folder).filter((name) => name.endsWith('.glb'));

async function foreseen(scene: Uint8Array<ArrayBuffer>): Promise<{ readonly early: Features | null; readonly late: Features }> {
  let early: Features | null = null;
  const files = { scene, environment: null, frameTimeS: 0, variant: null };
  const compiled = await compileScene(new AbortController().signal, files, (features) => (early = features));
  return { early, late: sceneFeatures(compiled) };
}

test.each(names)('%s', async (name) => {
  const { early, late } = await foreseen(Uint8Array.from(readFileSync(join(folder, name))));
  expect(FEATURES.filter((feature) => early?.[feature])).toEqual(FEATURES.filter((feature) => late[feature]));
});
