/**
 * The main job, end to end: a GLB dropped in one tab is traced by two others, checked by a fourth,
 * paid for, and downloaded, while scene and pixels pass only between peers. Four Chromium contexts,
 * the real server process, real WebRTC, real WGSL on the software adapter.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, pictor, temporaryFolder } from './harness.ts';

const SIDE_PX = 96;
const SAMPLES = 4;
/** 96² in tiles of 32, in passes of 1, 1 and 2 samples. */
const LEASES = 9 * 3;
const JOB_MS_MAX = 400_000;

interface Status {
  readonly bytes: Record<'control' | 'signal', { readonly in: number; readonly out: number }>;
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
    await creator.drop(scene, SIDE_PX, SAMPLES);

    const workers = [await arrive('/work'), await arrive('/work')];
    for (const worker of workers) await worker.get('worker-start').click();
    const checker = await arrive('/review');
    await checker.get('checker-start').click();

    await creator.get('send').click();
    await expect.poll(() => creator.get('job-state').textContent(), { timeout: JOB_MS_MAX, interval: 500 }).toMatch(/^done/i);

    const picture = await creator.download();
    expect([picture.width, picture.height]).toEqual([SIDE_PX, SIDE_PX]);
    expect(new Set(picture.data).size).toBeGreaterThan(32);
    expect(Number(await checker.get('checks-passed').textContent())).toBe(LEASES);
    expect(Number(await checker.get('checks-failed').textContent())).toBe(0);
    const settled = await Promise.all(workers.map(async (worker) => Number(await worker.get('leases-settled').textContent())));
    expect(settled[0]! + settled[1]!).toBe(LEASES);
    expect(Math.min(...settled)).toBeGreaterThan(0);
    for (const person of people) expect(person.errors).toEqual([]);
  });

  it('moved no scene and no pixel through the coordinator', async () => {
    const { bytes } = await coordinator.json<Status>('/api/status');
    const total = bytes.control.in + bytes.control.out;
    // What must hold (design, network): 4 KB per lease in all; 64 KB for each of the four who signed on and watched.
    expect(total).toBeLessThan(LEASES * 4096 + 4 * 65_536);
    // The films alone are 16 bytes per pixel and pass.
    expect(bytes.signal.in + bytes.signal.out).toBeLessThan(SIDE_PX * SIDE_PX * 16 * 3);
  });

  it('shows a ledger whose postings sum to zero and that verifies in the browser and from a shell', async () => {
    const reader = await arrive('/ledger');
    await reader.get('ledger-row').first().waitFor();
    expect(await reader.get('postings-sum').textContent()).toMatch(/^0\b/);
    await reader.get('ledger-verify').click();
    await expect.poll(() => reader.get('ledger-verdict').textContent(), { timeout: 60_000 }).toMatch(/yes|verified/i);
    expect(reader.errors).toEqual([]);
    const verified = await pictor(['ledger', 'verify', coordinator.url]);
    expect(verified).toMatchObject({ code: 0 });
  });
});
