/**
 * The site before anybody asks for anything, and without a network: nothing starts, nothing of the
 * coordinator's is kept, every page opens, and the first key press goes where it should.
 */
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoordinatorProcess, launch, Person } from './harness.ts';

const PLACES = ['/', '/create', '/work', '/review', '/ledger'] as const;

/** Counts the GPU devices a page makes, in `globalThis.devices`. */
const COUNT_DEVICES = `
  globalThis.devices = 0;
  if (globalThis.GPUAdapter) {
    const make = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = function (...args) {
      globalThis.devices++;
      return make.apply(this, args);
    };
  }`;

describe('the site at rest', () => {
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

  it('opens no socket, starts no worker and makes no device; a press on Start does all three (control)', async () => {
    const person = await Person.arrive(browser, coordinator.url, { init: COUNT_DEVICES });
    const started: string[] = [];
    person.page.on('websocket', () => started.push('socket'));
    person.page.on('worker', () => started.push('worker'));
    for (const place of PLACES) {
      await person.page.goto(coordinator.url + place);
      await person.page.locator('h1').first().waitFor({ state: 'attached' });
      await person.page.waitForLoadState('networkidle');
      expect(await person.page.evaluate(() => (globalThis as unknown as { devices: number }).devices), place).toBe(0);
      expect(started, place).toEqual([]);
    }
    await person.page.goto(`${coordinator.url}/work`);
    // A choice about the GPU touches none, and outlives the page.
    await person.get('gpu-share').fill('40');
    await person.page.reload();
    expect(await person.get('gpu-share').inputValue()).toBe('40');
    expect(started).toEqual([]);
    await person.get('worker-start').click();
    await expect.poll(() => [...new Set(started)].toSorted(), { timeout: 60_000 }).toEqual(['socket', 'worker']);
    await person.leave();
  });

  it('opens every page without a network once visited, and keeps no answer of the coordinator', async () => {
    const person = await Person.arrive(browser, coordinator.url);
    await person.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await person.page.reload();
    const kept = await person.page.evaluate(async () => {
      const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
      return (await Promise.all(opened.map((cache) => cache.keys()))).flat().map(({ url }) => new URL(url).pathname);
    });
    expect(kept).toEqual(expect.arrayContaining([...PLACES]));
    expect(kept.filter((path) => /^\/(api|log|control|peerjs)/.test(path))).toEqual([]);
    await person.context.setOffline(true);
    for (const place of PLACES) {
      await person.page.goto(coordinator.url + place);
      await person.page.locator('h1').first().waitFor({ state: 'attached' });
      expect(await person.page.title()).toMatch(/Pictor/);
    }
    await person.page.goto(coordinator.url);
    await expect.poll(() => person.get('network-status').textContent(), { timeout: 20_000 }).toBe('Unreachable');
    await person.leave();
  });

  it('lacks nothing that a browser asks of an installable site', async () => {
    const person = await Person.arrive(browser, coordinator.url);
    await person.page.evaluate(async () => void (await navigator.serviceWorker.ready));
    const devtools = await person.context.newCDPSession(person.page);
    expect((await devtools.send('Page.getAppManifest')).errors).toEqual([]);
    const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
    // Test contexts are private windows, which most builds of Chromium name as a hindrance; nothing else may stand in the way.
    expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito')).toEqual([]);
    await person.leave();
  });

  it('takes the first key press to the skip link, and the second past the places', async () => {
    const person = await Person.arrive(browser, `${coordinator.url}/work`);
    await person.get('worker-start').waitFor();
    await person.page.keyboard.press('Tab');
    expect(await person.page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await person.page.keyboard.press('Enter');
    expect(await person.page.evaluate(() => document.activeElement?.id)).toBe('main');
    await person.leave();
  });
});
