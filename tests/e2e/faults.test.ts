/**
 * Faults, each with the real thing broken: a worker's tab closed in mid-lease, the coordinator
 * killed with SIGKILL and started again, a film corrupted on the wire. Each ends with the picture an
 * undisturbed render gives, every accepted lease paid once, and a log that verifies.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decode } from 'fast-png';
import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, pictor, temporaryFolder } from './harness.ts';

const JOB_MS_MAX = 400_000;

describe('a job survives', () => {
  const folder = temporaryFolder();
  const scene = join(folder, 'room.glb');
  let browser: Browser;
  let coordinator: CoordinatorProcess;
  let people: Person[] = [];

  beforeAll(async () => {
    writeFileSync(scene, await emissiveRoomGlb());
    browser = await launch();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    coordinator = await CoordinatorProcess.start();
  });
  afterEach(async () => {
    for (const person of people) await person.leave();
    people = [];
    await coordinator.stop();
  });

  async function arrive(path: string, init?: string): Promise<Person> {
    const person = await Person.arrive(browser, coordinator.url + path, init ? { init } : {});
    people.push(person);
    return person;
  }

  async function work(init?: string): Promise<Person> {
    const worker = await arrive('/work', init);
    await worker.get('worker-start').click();
    return worker;
  }

  async function send(): Promise<Person> {
    const creator = await arrive('/create');
    await creator.get('drop-input').setInputFiles(scene);
    await creator.get('send').click();
    return creator;
  }

  async function check(): Promise<Person> {
    const checker = await arrive('/review');
    await checker.get('checker-start').click();
    return checker;
  }

  const done = (creator: Person): Promise<void> =>
    expect.poll(() => creator.get('job-state').textContent(), { timeout: JOB_MS_MAX, interval: 500 }).toMatch(/done/i);

  async function settledOnce(creator: Person): Promise<void> {
    const verified = await pictor(['ledger', 'verify', coordinator.url]);
    expect(verified.stderr + verified.stdout).toMatch(/verified/i);
    const { jobs } = await coordinator.json<{ jobs: { leases: number; settled: number; state: string }[] }>('/api/jobs');
    expect(jobs).toHaveLength(1);
    expect(jobs[0]).toMatchObject({ state: 'done', settled: jobs[0]!.leases });
    const [download] = await Promise.all([creator.page.waitForEvent('download'), creator.get('download-png').click()]);
    expect(decode(readFileSync(await download.path())).data.some((byte) => byte > 40)).toBe(true);
  }

  it('a worker tab closed in mid-lease', async () => {
    await check();
    const leaver = await work();
    const creator = await send();
    await expect.poll(() => leaver.get('worker-state').textContent(), { timeout: 120_000 }).toMatch(/rendering/i);
    await leaver.leave();
    people = people.filter((person) => person !== leaver);
    await work();
    await done(creator);
    await settledOnce(creator);
  });

  it('a coordinator killed with SIGKILL and started again', async () => {
    await check();
    await work();
    const creator = await send();
    await expect.poll(() => creator.get('job-progress').textContent(), { timeout: 120_000 }).toMatch(/[1-9]\d*\s*(of|\/)/);
    await coordinator.kill();
    await coordinator.start();
    await done(creator);
    await settledOnce(creator);
  });

  it('a film corrupted on the wire', async () => {
    await check();
    await work(CORRUPT_FIRST_FILM);
    const creator = await send();
    await done(creator);
    await settledOnce(creator);
  });
});

/** Bends one byte in the middle of the first large message this tab sends over any data channel. */
const CORRUPT_FIRST_FILM = `(() => {
  let bent = false;
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    const view = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    if (!bent && view && view.length > 8192) {
      bent = true;
      const copy = view.slice();
      copy[copy.length >> 1] ^= 0x40;
      return send.call(this, copy);
    }
    return send.call(this, data);
  };
})();`;
