/**
 * Faults, each with the real thing broken: a worker's tab closed in mid-lease, the coordinator
 * killed with SIGKILL and started again, a film corrupted on the wire. Each ends with the picture an
 * undisturbed render gives, every accepted lease paid once, and a log that verifies.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DecodedPng } from 'fast-png';
import type { Browser } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf } from '#lib/ledger/leaf.ts';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, pictor, temporaryFolder } from './harness.ts';

const JOB_MS_MAX = 400_000;
const SIDE_PX = 96;
const SAMPLES = 4;
/** 96² in tiles of 32, in passes of 1, 1 and 2 samples. */
const LEASES = 9 * 3;

describe('a job survives', () => {
  const folder = temporaryFolder();
  const scene = join(folder, 'room.glb');
  let browser: Browser;
  let coordinator: CoordinatorProcess;
  let people: Person[] = [];
  /** Pixels of the same job with nobody failing, rendered once. */
  let undisturbed: DecodedPng['data'] | undefined;

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
    await creator.drop(scene, SIDE_PX, SAMPLES);
    await creator.get('send').click();
    return creator;
  }

  async function check(): Promise<Person> {
    const checker = await arrive('/review');
    await checker.get('checker-start').click();
    return checker;
  }

  async function render(): Promise<DecodedPng['data']> {
    const quiet = await CoordinatorProcess.start();
    const crew: Person[] = [];
    for (const [path, button] of [
      ['/review', 'checker-start'],
      ['/work', 'worker-start'],
    ] as const) {
      const person = await Person.arrive(browser, quiet.url + path);
      await person.get(button).click();
      crew.push(person);
    }
    const creator = await Person.arrive(browser, `${quiet.url}/create`);
    await creator.drop(scene, SIDE_PX, SAMPLES);
    await creator.get('send').click();
    await done(creator);
    const { data } = await creator.download();
    for (const person of [creator, ...crew]) await person.leave();
    await quiet.stop();
    return data;
  }

  const done = (creator: Person): Promise<void> =>
    expect.poll(() => creator.get('job-state').textContent(), { timeout: JOB_MS_MAX, interval: 500 }).toMatch(/^done/i);

  /** The log replays, which includes that no lease was settled twice; every lease was settled; the picture is the undisturbed one. */
  async function settledOnce(creator: Person): Promise<void> {
    const verified = await pictor(['ledger', 'verify', coordinator.url]);
    expect(verified, verified.stderr + verified.stdout).toMatchObject({ code: 0 });
    const { entries } = await coordinator.json<{ entries: { kind: string; job?: string; lease?: string }[] }>('/api/entries?limit=1000');
    const settled = entries.filter((entry) => entry.kind === 'settle').map((entry) => entry.lease);
    expect(settled).toHaveLength(LEASES);
    expect(new Set(settled).size).toBe(LEASES);
    const picture = await creator.download();
    undisturbed ??= await render();
    expect(picture.data).toEqual(undisturbed);
  }

  /** What the log says of films: the creator's receipts, and which leases were paid. */
  async function story(): Promise<{ receipts: { lease: string; verdict: string }[]; settled: string[] }> {
    const log = await fetchLog(AbortSignal.timeout(30_000), coordinator.url, (url, init) => fetch(url, init));
    if (!log.ok) throw new Error(log.reason);
    const leaves = log.leaves.map((bytes) => decodeLeaf(bytes));
    const receipts = leaves.flatMap((leaf) => (leaf?.type === 'receipt' ? [{ lease: leaf.lease, verdict: leaf.verdict }] : []));
    const settled = leaves.flatMap((leaf) => (leaf?.type === 'entry' && leaf.kind === 'settle' && leaf.lease ? [leaf.lease] : []));
    return { receipts, settled };
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
    const { entries } = await coordinator.json<{ entries: { kind: string; job?: string }[] }>('/api/entries?limit=1000');
    const { job } = entries.find((entry) => entry.kind === 'settle')!;
    // Its lease was given up and done again by the other.
    expect((await coordinator.json<{ redone: number }>(`/api/jobs/${job}`)).redone).toBeGreaterThan(0);
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
    const worker = await work(CORRUPT_FIRST_FILM);
    const creator = await send();
    await done(creator);
    // A byte was bent, the creator's signed word of it is in the log, and the film came again.
    expect(await worker.page.evaluate(() => (globalThis as { pictorBent?: number }).pictorBent)).toBeGreaterThan(8192);
    const { receipts, settled } = await story();
    const corrupt = receipts.filter(({ verdict }) => verdict === 'corrupt').map(({ lease }) => lease);
    expect(corrupt).toHaveLength(1);
    expect(receipts.filter(({ verdict }) => verdict === 'received').map(({ lease }) => lease)).toContain(corrupt[0]);
    expect(settled).toContain(corrupt[0]);
    await settledOnce(creator);
  });
});

/**
 * Bends one byte in the middle of the first film this tab delivers: a large frame of a request
 * (kind 1 in the frame's header), which only a delivery is; what is opened for checkers are replies.
 */
const CORRUPT_FIRST_FILM = `(() => {
  globalThis.pictorBent = 0;
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    const view = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    if (globalThis.pictorBent === 0 && view && view.length > 8192 && view[0] === 1 && view[1] === 1) {
      globalThis.pictorBent = view.length;
      const copy = view.slice();
      copy[copy.length >> 1] ^= 0x40;
      return send.call(this, copy);
    }
    return send.call(this, data);
  };
})();`;
