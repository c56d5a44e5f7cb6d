/**
 * Every screen before anybody does anything: it says what it can, breaks no rule of accessibility,
 * fits 360 px, logs no error; and a creator's bad files end in one sentence with nothing sent.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { boxGlb, editGlb, emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, temporaryFolder } from './harness.ts';

const SCREENS = ['/', '/create', '/work', '/review', '/market', '/ledger'] as const;
const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] };

describe('screens', () => {
  const folder = temporaryFolder();
  let coordinator: CoordinatorProcess;
  let browser: Browser;
  beforeAll(async () => {
    coordinator = await CoordinatorProcess.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await coordinator?.stop();
  });

  describe.each(['dark', 'light'] as const)('in the %s scheme', (colorScheme) => {
    it.each(SCREENS)('%s is accessible, fits 360 px, and logs no error', async (path) => {
      const person = await Person.arrive(browser, coordinator.url + path, { width: 360, colorScheme });
      await person.page.locator('h1').first().waitFor();
      await person.page.waitForLoadState('networkidle');
      await person.page.evaluate(axe.source);
      const { violations } = await person.page.evaluate(
        (options) => (globalThis as unknown as { axe: typeof axe }).axe.run(options),
        RULES,
      );
      expect(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
      expect(await person.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
      expect(person.errors).toEqual([]);
      await person.leave();
    });
  });

  it('say before any click whether this browser can render', async () => {
    const able = await Person.arrive(browser, coordinator.url);
    await expect.poll(() => able.get('capability').textContent()).toMatch(/can render/i);
    await able.leave();
    const unable = await Person.arrive(browser, coordinator.url, { init: "Object.defineProperty(navigator, 'gpu', { value: undefined })" });
    await expect.poll(() => unable.get('capability').textContent()).toMatch(/cannot|can’t|can't/i);
    expect(unable.errors).toEqual([]);
    await unable.leave();
  });

  it('a worker’s ask is said in words or numbers, kept by the browser, and half of one is said to be half', async () => {
    const person = await Person.arrive(browser, `${coordinator.url}/work`, { width: 360 });
    await person.get('ask-power').check();
    await person.get('ask-watts').fill('75');
    await expect.poll(() => person.get('ask-remains').textContent()).toMatch(/Say the watts/);
    await person.get('ask-kwh').fill('0.3');
    await expect.poll(() => person.get('ask-remains').textContent()).toMatch(/Asks .* tokens\. What an hour leaves shows once/);
    await person.page.reload();
    await expect.poll(() => person.get('ask-watts').inputValue()).toBe('75');
    await person.get('ask-price').check();
    await person.get('ask-price-tokens').fill('2.5');
    await expect.poll(() => person.get('ask-remains').textContent()).toMatch(/Asks 2\.5 tokens/);
    expect(await person.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(person.errors).toEqual([]);
    await person.leave();
  });

  it('an order’s limits fold out, a limit that is no number keeps it from being sent, and quality is told in samples', async () => {
    const person = await Person.arrive(browser, `${coordinator.url}/create`, { width: 360 });
    const scene = join(folder, 'limits.glb');
    writeFileSync(scene, await emissiveRoomGlb());
    await person.get('drop-input').first().setInputFiles(scene);
    await person.get('quote-interval').waitFor({ timeout: 60_000 });
    expect(await person.page.getByText(/about [\d ]+ samples here/).count()).toBe(3);
    expect(await person.get('price-max').isVisible()).toBe(false);
    await person.get('limits').click();
    await person.get('price-max').fill('cheap');
    await expect.poll(() => person.get('send').isDisabled()).toBe(true);
    expect(await person.page.getByText(/limit for a work unit is a number of tokens/).count()).toBe(1);
    await person.get('price-max').fill('0.001');
    await expect.poll(() => person.get('send').isDisabled()).toBe(false);
    // The operator's price is a hundred tokens, and nobody trades yet.
    await person.get('quote-waits').waitFor();
    await person.get('proven').check();
    expect(await person.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    expect(person.errors).toEqual([]);
    await person.leave();
  });

  it.each([
    ['not glTF', async () => new TextEncoder().encode('this is a poem, not a scene'), /glTF|GLB/i],
    ['truncated', async () => (await boxGlb()).subarray(0, 200), /byte|length|short|ends/i],
    ['a 10 GB claim in its header', async () => claimBytes(await boxGlb()), /byte|length|claims|declares/i],
    ['an accessor out of range', async () => editGlb(await boxGlb(), (json) => void (json.accessors![0]!.count = 1e6)), /accessors\[0\]/],
    [
      'an unknown required extension',
      async () =>
        editGlb(await boxGlb(), (json) => void Object.assign(json, { extensionsUsed: ['ACME_hair'], extensionsRequired: ['ACME_hair'] })),
      /ACME_hair/,
    ],
  ])('a file that is %s ends in one sentence, and the page still takes a good one', async (name, make, sentence) => {
    const person = await Person.arrive(browser, `${coordinator.url}/create`);
    const bad = join(folder, `${name.replaceAll(' ', '-')}.glb`);
    const good = join(folder, 'good.glb');
    writeFileSync(bad, await make());
    writeFileSync(good, await emissiveRoomGlb());
    await person.get('drop-input').first().setInputFiles(bad);
    await expect.poll(() => person.get('error-text').first().textContent({ timeout: 30_000 }), { timeout: 60_000 }).toMatch(sentence);
    expect(await person.get('send').count()).toBe(0);
    await person.get('drop-input').first().setInputFiles(good);
    await person.get('send').waitFor({ timeout: 60_000 });
    expect(person.errors).toEqual([]);
    const { view } = await coordinator.json<{ view: Record<string, number> }>('/api/status');
    expect(view).toMatchObject({ jobsOpen: 0 });
    await person.leave();
  });
});

function claimBytes(glb: Uint8Array): Uint8Array {
  const out = glb.slice();
  new DataView(out.buffer).setUint32(8, 0xffff_fff0, true);
  return out;
}
