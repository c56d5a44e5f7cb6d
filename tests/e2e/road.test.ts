/**
 * The main job, end to end: a GLB dropped in one tab is traced by two others, checked by a fourth,
 * paid for, and downloaded, while scene and pixels pass only between peers. Four Chromium contexts,
 * the real server process, real WebRTC, real WGSL on the software adapter.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, pictor, temporaryFolder } from './harness.ts';

interface Status {
  readonly traffic: { readonly controlBytesIn: number; readonly controlBytesOut: number; readonly signalBytesIn: number; readonly signalBytesOut: number };
}

describe('the main road', () => {
  const folder = temporaryFolder();
  const scene = join(folder, 'room.glb');
  let coordinator: CoordinatorProcess;
  let browser: Browser;
  const people: Person[] = [];
  const arrive = async (path: string): Promise<Person> => {
    const person = await Person.arrive(browser, coordinator.url + path);
    people.push(person);
    return person;
  };

  beforeAll(async () => {
    writeFileSync(scene, await emissiveRoomGlb());
    coordinator = await CoordinatorProcess.start();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await coordinator?.stop();
  });

  it('goes from a dropped file to a verified, paid, downloaded picture', async () => {
    const creator = await arrive('/create');
    await creator.get('drop-input').setInputFiles(scene);
    await creator.get('view-canvas').waitFor();

    const workers = [await arrive('/work'), await arrive('/work')];
    for (const worker of workers) {
      await expect.poll(() => worker.get('worker-state').textContent()).toMatch(/off|ready/i);
      await worker.get('worker-start').click();
    }
    const checker = await arrive('/review');
    await checker.get('checker-start').click();

    await creator.get('send').click();
    await expect.poll(() => creator.get('job-state').textContent(), { timeout: 300_000, interval: 500 }).toMatch(/done/i);

    const [download] = await Promise.all([creator.page.waitForEvent('download'), creator.get('download-png').click()]);
    const picture = decode(readFileSync(await download.path()));
    expect(picture.width).toBeGreaterThanOrEqual(64);
    expect(new Set(picture.data).size).toBeGreaterThan(16);

    expect(Number(await checker.get('checks-passed').textContent())).toBeGreaterThan(0);
    expect(Number(await checker.get('checks-failed').textContent())).toBe(0);
    for (const person of people) expect(person.errors).toEqual([]);
  });

  it('moved no scene and no pixel through the coordinator', async () => {
    const { traffic } = await coordinator.json<Status>('/api/status');
    const jobs = await coordinator.json<{ jobs: { leases: number }[] }>('/api/jobs');
    const leases = jobs.jobs.reduce((sum, job) => sum + job.leases, 0);
    expect(leases).toBeGreaterThan(0);
    // The design's bound of 4 KB per lease, plus 64 KB for each of the four who signed on.
    expect(traffic.controlBytesIn + traffic.controlBytesOut).toBeLessThan(leases * 4096 + 4 * 65_536);
  });

  it('shows a ledger whose postings sum to zero and that verifies in the browser and from a shell', async () => {
    const reader = await arrive('/ledger');
    await reader.get('ledger-row').first().waitFor();
    await reader.get('ledger-verify').click();
    await expect.poll(() => reader.get('ledger-verdict').textContent(), { timeout: 60_000 }).toMatch(/yes|verified/i);
    const verified = await pictor(['ledger', 'verify', coordinator.url]);
    expect(verified.stderr + verified.stdout).toMatch(/verified/i);
    expect(verified.code).toBe(0);
  });
});
