/**
 * A sequence in the page: a range of frames is ordered, each appears on the strip as it is finished, a
 * reload loses none, any of them is seen raw and denoised, and all of them become a ZIP or a video.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import axe from 'axe-core';
import { decode } from 'fast-png';
import { unzipSync } from 'fflate';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoordinatorProcess, launch, Person, pictor } from './harness.ts';

const SCENE = resolve(import.meta.dirname, '../../static/samples/orrery.glb');
const SIDE_PX = 32;
const WAIT = { timeout: 240_000, interval: 200 };
const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] };

describe('a sequence', () => {
  let coordinator: CoordinatorProcess;
  let browser: Browser;
  let creator: Person;
  const people: Person[] = [];
  const arrive = async (path: string, width = 1280): Promise<Person> => {
    const person = await Person.arrive(browser, coordinator.url + path, { width });
    people.push(person);
    return person;
  };

  const accessible = async (): Promise<void> => {
    await creator.page.evaluate(axe.source);
    const { violations } = await creator.page.evaluate((options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options), RULES);
    expect(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
    expect(await creator.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  };

  /** What the quote promises never to exceed; 0 while there is no price. */
  const capTokens = async (): Promise<number> =>
    Number(/never\s+more\s+than\s+([\d.]+\d)/.exec((await creator.get('quote').textContent()) ?? '')?.[1] ?? 0);

  const states = (): Promise<(string | null)[]> =>
    creator
      .get('filmstrip')
      .locator('button')
      .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('data-state')));

  const saved = async (button: string): Promise<Uint8Array<ArrayBuffer>> => {
    const [download] = await Promise.all([creator.page.waitForEvent('download', { timeout: 120_000 }), creator.get(button).click()]);
    return new Uint8Array(readFileSync(await download.path()));
  };

  beforeAll(async () => {
    coordinator = await CoordinatorProcess.start();
    browser = await launch();
    creator = await arrive('/create', 360);
    await creator.drop(SCENE, SIDE_PX, 1);
    await creator.get('preview').waitFor({ timeout: WAIT.timeout });
  });
  afterAll(async () => {
    await browser?.close();
    await coordinator?.stop();
  });

  it('is quoted as a whole before it is sent', async () => {
    // Until the preview has measured it, the price is a guess.
    await creator.get('quote-interval').waitFor(WAIT);
    await expect.poll(capTokens, WAIT).toBeGreaterThan(0);
    const one = await capTokens();
    await creator.get('motion-sequence').check();
    await creator.get('frame-first').fill('24');
    await creator.get('frame-last').fill('26');
    await creator.get('frame-rate').fill('12');
    await creator.get('frame-rate').blur();
    expect(await creator.get('motion-says').textContent()).toMatch(/3 frames: 0\.25 s, of 24\.00 s in the file/);
    await expect.poll(() => creator.get('quote').textContent()).toMatch(/for all 3 frames/);
    expect(await capTokens()).toBeGreaterThan(one);
    await accessible();
  });

  it('comes in frame by frame, and a reload orders nothing twice', async () => {
    await creator.get('send').click();
    await (await arrive('/work')).get('worker-start').click();
    await (await arrive('/review')).get('checker-start').click();
    await expect.poll(states, WAIT).toContain('done');
    const before = (await states()).filter((state) => state === 'done').length;
    await creator.page.reload();
    await expect
      .poll(() => creator.get('sequence-state').textContent({ timeout: 30_000 }), WAIT)
      .toMatch(/Done|Rendering|Checking|Ordering|Waiting/);
    expect((await states()).filter((state) => state === 'done').length).toBeGreaterThanOrEqual(before);
    await expect.poll(() => creator.get('sequence-state').textContent(), WAIT).toMatch(/^Done/);
    const ledger = await pictor(['ledger', 'verify', coordinator.url]);
    expect([ledger.code, ledger.stdout]).toEqual([0, expect.stringMatching(/^yes: .* 3 jobs, /)]);
    await accessible();
  });

  it('is saved as numbered pictures, each as it is shown when it is looked at', async () => {
    const entries = unzipSync(await saved('sequence-zip-png8'));
    expect(Object.keys(entries)).toEqual(['orrery-0024.png', 'orrery-0025.png', 'orrery-0026.png']);
    const pictures = Object.values(entries).map((file) => decode(file));
    expect(pictures[0]!.data).not.toEqual(pictures[2]!.data);
    for (const [i, picture] of pictures.entries()) {
      await creator.get('frame-scrubber').fill(String(24 + i));
      await expect.poll(() => creator.get('frame-word').textContent()).toMatch(new RegExp(`^Frame ${24 + i} .*finished`));
      await expect.poll(async () => [...(await shown())].filter((_, at) => at % 4 !== 3), WAIT).toEqual([...picture.data]);
    }
  });

  it('shows a frame without its grain, and saves the others so too', async () => {
    const raw = await shown();
    await creator.get('light-denoised').check();
    await expect.poll(() => creator.get('light-shown').getAttribute('data-shown'), WAIT).not.toBe('raw');
    await expect.poll(shown, WAIT).not.toEqual(raw);
    expect(await creator.get('sequence-files-says').textContent()).toMatch(/denoised/);
    await creator.get('light-raw').check();
    await expect.poll(shown, WAIT).toEqual(raw);
  });

  it('becomes a video', async () => {
    const file = await saved('sequence-webm-png8');
    expect([...file.subarray(0, 4)]).toEqual([0x1a, 0x45, 0xdf, 0xa3]);
    // The page plays it too: three frames at twelve a second.
    await expect.poll(() => creator.get('sequence-video').evaluate((video: HTMLVideoElement) => video.duration), WAIT).toBeCloseTo(0.25, 2);
    expect(await creator.get('sequence-video').evaluate((video: HTMLVideoElement) => [video.videoWidth, video.videoHeight])).toEqual([
      SIDE_PX,
      SIDE_PX,
    ]);
  });

  it('stays in the browser until it is deleted', async () => {
    await creator.get('sequence-close').click();
    await creator.page.getByRole('button', { name: 'Open it' }).click();
    await expect.poll(() => creator.get('sequence-state').textContent(), WAIT).toMatch(/^Done/);
    expect(await states()).toEqual(['done', 'done', 'done']);
    await creator.get('sequence-leave').click();
    await creator.get('leave-confirm').click();
    await creator.get('drop-input').waitFor({ state: 'attached' });
    await expect.poll(() => creator.page.getByRole('button', { name: 'Open it' }).count()).toBe(0);
    for (const person of people) expect(person.errors).toEqual([]);
  });

  /** What is on the canvas, R, G, B, A per pixel. */
  async function shown(): Promise<number[]> {
    return creator
      .get('result-canvas')
      .evaluate((element: HTMLCanvasElement) => [...element.getContext('2d')!.getImageData(0, 0, element.width, element.height).data]);
  }
});
