/**
 * Raw light and denoised picture on the job page: one click either way, the raw light comes back to
 * the last bit, and every file holds what the page says it holds. One creator, one worker, one
 * checker in real Chromium; the networks run on the software adapter.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import { decode } from 'fast-png';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toneMap } from '#lib/image/tonemap.ts';
import { openExr, readExrChannels } from '#workers/scene/exr.ts';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, temporaryFolder } from './harness.ts';

const SIDE_PX = 32;
const SAMPLES = 2;
const WAIT = { timeout: 240_000, interval: 200 };
const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] };

const refuse = (what: string): never => {
  throw new Error(`the EXR ${what}`);
};

/** The values of these channels, interleaved. */
function exr(file: Uint8Array<ArrayBuffer>, names: readonly string[]): Float32Array<ArrayBuffer> {
  const opened = openExr(file, refuse, { sidePx: SIDE_PX, texels: SIDE_PX ** 2 });
  expect(opened.channels.map(({ name }) => name)).toEqual(expect.arrayContaining([...names]));
  return readExrChannels(opened, names, refuse);
}

const layer = (name: string): readonly string[] => ['R', 'G', 'B'].map((channel) => `${name}${channel}`);

describe('raw and denoised', () => {
  const scene = join(temporaryFolder(), 'room.glb');
  let coordinator: CoordinatorProcess;
  let browser: Browser;
  let creator: Person;
  const people: Person[] = [];
  /** Files of weights that the creator's page asked for. */
  const weights: string[] = [];
  const arrive = async (path: string, width = 1280): Promise<Person> => {
    const person = await Person.arrive(browser, coordinator.url + path, { width });
    people.push(person);
    return person;
  };

  /** What is on the canvas, R, G, B, A per pixel. */
  const pixels = async (): Promise<Uint8ClampedArray> => {
    const canvas = creator.get('result-canvas');
    return Uint8ClampedArray.from(
      await canvas.evaluate((element: HTMLCanvasElement) => [
        ...element.getContext('2d')!.getImageData(0, 0, element.width, element.height).data,
      ]),
    );
  };

  const accessible = async (): Promise<void> => {
    await creator.page.evaluate(axe.source);
    const { violations } = await creator.page.evaluate((options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options), RULES);
    expect(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
    expect(await creator.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  };

  const saved = async (format: string): Promise<Uint8Array<ArrayBuffer>> => {
    const [download] = await Promise.all([creator.page.waitForEvent('download'), creator.get(`download-${format}`).click()]);
    return new Uint8Array(readFileSync(await download.path()));
  };

  beforeAll(async () => {
    writeFileSync(scene, await emissiveRoomGlb());
    coordinator = await CoordinatorProcess.start();
    browser = await launch();
    creator = await arrive('/create', 360);
    creator.context.on('request', (request) => request.url().endsWith('.tza') && weights.push(request.url()));
    await creator.drop(scene, SIDE_PX, SAMPLES);
    await creator.get('preview').waitFor();
    await (await arrive('/work')).get('worker-start').click();
    await (await arrive('/review')).get('checker-start').click();
  });
  afterAll(async () => {
    await browser?.close();
    await coordinator?.stop();
  });

  it('denoises here when the picture is done, because the order asked for it, and fetches nothing for it before', async () => {
    await accessible();
    expect(weights).toEqual([]);
    await creator.get('denoise-fast').check();
    await creator.get('send').click();
    await expect.poll(() => creator.get('job-state').textContent(), WAIT).toMatch(/^done/i);
    await expect.poll(() => creator.get('light-shown').getAttribute('data-shown'), WAIT).toBe('fast');
    expect(weights).toHaveLength(1);
  });

  it('says which one is shown, changes it at a click, and brings the raw light back exactly', async () => {
    expect(await creator.get('light-shown').textContent()).toMatch(/^Denoised by the small network, from 2 samples/);
    const denoised = await pixels();
    await creator.get('light-raw').check();
    expect(await creator.get('light-shown').textContent()).toMatch(/^The raw light/);
    await expect.poll(pixels).not.toEqual(denoised);
    const raw = await pixels();
    await creator.get('light-denoised').check();
    await expect.poll(pixels).toEqual(denoised);
    await creator.get('light-raw').check();
    await expect.poll(pixels).toEqual(raw);
  });

  it('saves what it says: layers in the EXR, sixteen bits of what is shown in the PNG', async () => {
    await creator.get('download-more').locator('summary').click();
    await creator.get('job-operator').selectOption('agx');
    const floats = await saved('exr32');
    const tone = { exposure: 0, operator: 'agx' } as const;
    const raw = exr(floats, layer(''));
    const shown = new Uint8ClampedArray(SIDE_PX ** 2 * 4);
    toneMap(raw, shown, tone);
    await expect.poll(pixels).toEqual(shown);
    expect(exr(await saved('exr'), ['albedo.R', 'depth.Z', 'samples.X', 'variance.Y']).every(Number.isFinite)).toBe(true);

    await creator.get('light-denoised').check();
    expect(await creator.get('download-state').textContent()).toMatch(/denoised/);
    const wide = new Uint16Array(SIDE_PX ** 2 * 4);
    toneMap(exr(floats, layer('denoised.')), wide, tone);
    const png = decode(await saved('png16'));
    expect([png.width, png.height, png.depth]).toEqual([SIDE_PX, SIDE_PX, 16]);
    expect(png.data).toEqual(wide.filter((_, i) => i % 4 !== 3));
    // Control: the raw light is another picture.
    toneMap(raw, wide, tone);
    expect(png.data).not.toEqual(wide.filter((_, i) => i % 4 !== 3));
  });

  it('is accessible, fits 360 px, and logs no error', async () => {
    await accessible();
    for (const person of people) expect(person.errors).toEqual([]);
  });
});
