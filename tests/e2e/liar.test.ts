/**
 * A worker's tab that turns false among honest ones. Its page is the product's; what is wrong is that its
 * engine is asked for paths of one bounce where more were ordered. Two checkers find it, its lease is done
 * again by another, what was held back of it is gone, the picture is the honest one to the last bit, and
 * everybody sees why: the checkers, the liar, and a person who reviews its appeal without knowing whose it is.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { DecodedPng } from 'fast-png';
import type { Browser } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, heldOf, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { emissiveRoomGlb } from '../unit/scene/fixtures.ts';
import { CoordinatorProcess, launch, Person, pictor, temporaryFolder } from './harness.ts';

const WAIT_MS_MAX = 240_000;
const SIDE_PX = 64;
const SAMPLES = 8;
/** 64² in tiles of 32, in passes of 1, 1, 2 and 4 samples. */
const LEASES = 4 * 4;
const VERDICT_MS_MAX = 60_000;

/**
 * Lets the engine trace four films as asked, then holds it until the test says `pictorLie()`, and from then
 * on asks it for one bounce, whatever was ordered. What is sent to a worker is comlink's: a path and arguments.
 */
const TURNCOAT = `(() => {
  const post = Worker.prototype.postMessage;
  let honest = 4;
  let held = [];
  const lie = (worker, message, transfer) => {
    const args = message.argumentList.map((one, i) => (i === 1 ? { ...one, value: { ...one.value, frame: { ...one.value.frame, bounces: 1 } } } : one));
    post.call(worker, { ...message, argumentList: args }, transfer);
  };
  globalThis.pictorLie = () => {
    const waiting = held ?? [];
    held = null;
    for (const one of waiting) lie(...one);
  };
  Worker.prototype.postMessage = function (message, transfer) {
    if (message?.path?.[0] !== 'trace' || honest-- > 0) return post.call(this, message, transfer);
    if (held) held.push([this, message, transfer]);
    else lie(this, message, transfer);
  };
})();`;

describe('a worker that turns false', () => {
  const folder = temporaryFolder();
  const scene = join(folder, 'room.glb');
  const people: Person[] = [];
  let browser: Browser;
  let coordinator: CoordinatorProcess;
  let reviewer: Person;
  let checkers: Person[];
  let liar: Person;
  let honest: Person;
  let creator: Person;
  let picture: DecodedPng['data'];

  const arrive = async (path: string, init?: string): Promise<Person> => {
    const person = await Person.arrive(browser, coordinator.url + path, init ? { init } : {});
    people.push(person);
    return person;
  };
  const start = async (path: string, button: string, init?: string): Promise<Person> => {
    const person = await arrive(path, init);
    await person.get(button).click();
    return person;
  };
  const keyOf = async (person: Person): Promise<string> => {
    const key = await person.page.waitForFunction(() => localStorage.getItem('pictor.key'), null, { timeout: WAIT_MS_MAX });
    return (await key.jsonValue())!;
  };
  const send = async (): Promise<Person> => {
    const person = await arrive('/create');
    await person.drop(scene, SIDE_PX, SAMPLES);
    await person.get('send').click();
    return person;
  };
  const done = (person: Person): Promise<void> =>
    expect.poll(() => person.get('job-state').textContent(), { timeout: WAIT_MS_MAX, interval: 500 }).toMatch(/^done/i);
  const count = async (person: Person, id: string): Promise<number> => Number((await person.get(id).textContent())?.replaceAll(/\D/g, ''));

  async function logLeaves(): Promise<LogLeaf[]> {
    const log = await fetchLog(AbortSignal.timeout(30_000), coordinator.url, (url, init) => fetch(url, init));
    if (!log.ok) throw new Error(log.reason);
    return log.leaves.map((bytes) => decodeLeaf(bytes)!);
  }
  const of = <T extends LogLeaf['type']>(leaves: readonly LogLeaf[], type: T): Leaf<T>[] =>
    leaves.filter((leaf): leaf is Leaf<T> => leaf.type === type);

  beforeAll(async () => {
    writeFileSync(scene, await emissiveRoomGlb());
    browser = await launch();
    coordinator = await CoordinatorProcess.start();
    // Whom the operator trusts to decide appeals, it names when it starts.
    reviewer = await start('/review', 'checker-start');
    const lists = join(folder, 'lists.json');
    writeFileSync(lists, JSON.stringify({ reviewers: [await keyOf(reviewer)] }));
    await reviewer.get('checker-stop').click();
    await coordinator.kill();
    process.env.PICTOR_LISTS = lists;
    await coordinator.start();
    delete process.env.PICTOR_LISTS;
    checkers = [await start('/review', 'checker-start'), await start('/review', 'checker-start')];
    liar = await start('/work', 'worker-start', TURNCOAT);
    creator = await send();
  });
  afterAll(async () => {
    for (const person of people) await person.leave();
    await browser?.close();
    await coordinator?.stop();
  });

  it('is paid while it is honest, and part of that is held back', async () => {
    await expect.poll(() => count(liar, 'leases-settled'), { timeout: WAIT_MS_MAX }).toBeGreaterThan(0);
    const held = await coordinator.json<{ balanceMicro: string }>(`/api/balance/${heldOf(await keyOf(liar))}`);
    expect(Number(held.balanceMicro)).toBeGreaterThan(0);
  });

  it('is found out, and loses what was held back to the creator and to those who found it', async () => {
    await liar.page.evaluate(() => (globalThis as unknown as { pictorLie: () => void }).pictorLie());
    await expect.poll(() => count(liar, 'leases-voided'), { timeout: WAIT_MS_MAX }).toBeGreaterThan(0);
    honest = await start('/work', 'worker-start');
    await done(creator);
    // What the log says of a job that is done comes with its next checkpoint.
    const settled = async (): Promise<number> => of(await logLeaves(), 'entry').filter(({ kind }) => kind === 'settle').length;
    await expect.poll(settled, { timeout: WAIT_MS_MAX }).toBe(LEASES);
    const [leaves, key] = [await logLeaves(), await keyOf(liar)];
    const lies = of(leaves, 'void').filter(({ reason }) => reason.startsWith('check-'));
    expect(lies.length).toBeGreaterThan(0);
    const forfeit = of(leaves, 'entry').find(({ kind }) => kind === 'forfeit')!;
    const moved = new Map(forfeit.postings.map(([account, micro]) => [account, Number(micro)]));
    expect(moved.get(heldOf(key))).toBeLessThan(0);
    for (const person of [creator, ...checkers]) expect(moved.get(await keyOf(person)), 'its part of the forfeit').toBeGreaterThan(0);
    expect([...moved.values()].reduce((sum, micro) => sum + micro, 0)).toBe(0);
    const standing = await coordinator.json<{ worker: { faults: number; reputation: number } }>(`/api/standing/${key}`);
    expect(standing.worker).toMatchObject({ reputation: 0 });
    expect(standing.worker.faults).toBeGreaterThan(0);
  });

  it('has its leases done again by another, each paid once, and every verdict within a minute', async () => {
    const leaves = await logLeaves();
    const [commitments, worker] = [of(leaves, 'commitment'), await keyOf(honest)];
    const settled = new Set(of(leaves, 'entry').flatMap(({ kind, lease }) => (kind === 'settle' && lease ? [lease] : [])));
    expect(settled.size).toBe(LEASES);
    const voided = new Set(of(leaves, 'void').flatMap(({ lease, reason }) => (reason.startsWith('check-') ? [lease] : [])));
    for (const { slot } of commitments.filter(({ lease }) => voided.has(lease))) {
      const again = commitments.find((one) => one.slot === slot && settled.has(one.lease));
      expect(again?.worker, `slot ${slot}`).toBe(worker);
    }
    for (const { lease, atMs } of of(leaves, 'verdict')) {
      const committedMs = commitments.find((one) => one.lease === lease)!.atMs;
      expect(atMs - committedMs, `verdict on ${lease}`).toBeLessThan(VERDICT_MS_MAX);
    }
    const verified = await pictor(['ledger', 'verify', coordinator.url]);
    expect(verified, verified.stderr + verified.stdout).toMatchObject({ code: 0 });
    picture = (await creator.download()).data;
  });

  it('is seen by a checker, in pictures that differ and in words', async () => {
    const [seer] = checkers as [Person, Person];
    expect(await count(seer, 'checks-failed')).toBeGreaterThan(0);
    await seer.page
      .getByRole('button', { name: /Disagrees/ })
      .first()
      .click();
    const pixels = (id: string): Promise<number[]> =>
      seer.get(id).evaluate((canvas) => {
        const { width, height } = canvas as HTMLCanvasElement;
        return [...(canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height).data];
      });
    await expect.poll(() => pixels('claimed-canvas')).not.toEqual(await pixels('traced-canvas'));
    // A picture that stands still is not painted again: frames of it would be taken from those who trace.
    const paintings = (frames: number): Promise<number> =>
      seer.get('claimed-canvas').evaluate(async (canvas, count) => {
        const before = Number((canvas as HTMLElement).dataset.painted);
        for (let i = 0; i < count; i++) await new Promise(requestAnimationFrame);
        return Number((canvas as HTMLElement).dataset.painted) - before;
      }, frames);
    expect(await paintings(30)).toBeLessThan(10);
    await seer.page.keyboard.press('5');
    await expect.poll(() => seer.page.getByText(/largest .* shown as white/).count()).toBe(1);
    await seer.page.keyboard.press('6');
    await expect.poll(() => seer.get('noise-canvas').count()).toBe(1);
    await seer.page.keyboard.press('1');
  });

  it('may ask people to look, once; they see its film and the words, not its name, until they have spoken', async () => {
    // Many are folded away.
    await liar.page.getByText(/voided: why/).click();
    await liar.get('appeal').first().click();
    await liar.get('appeal-text').fill('My driver is new.');
    await liar.get('appeal-send').click();
    const { page } = reviewer;
    await page.reload();
    await expect.poll(() => reviewer.get('review-case').count(), { timeout: WAIT_MS_MAX }).toBeGreaterThan(0);
    await reviewer.page
      .getByRole('button', { name: /^Appeal/ })
      .first()
      .click();
    await expect.poll(() => reviewer.get('traced-canvas').count(), { timeout: WAIT_MS_MAX }).toBe(1);
    await expect.poll(() => reviewer.get('review-busy').textContent(), { timeout: WAIT_MS_MAX }).toBe('');
    const key = await keyOf(liar);
    expect(await page.content()).not.toContain(key);
    await page.keyboard.press('j');
    await page.keyboard.press('t');
    await expect.poll(() => page.getByRole('radio', { name: 'More samples' }).isChecked(), { timeout: WAIT_MS_MAX }).toBe(true);
    await expect.poll(() => reviewer.get('review-busy').textContent(), { timeout: WAIT_MS_MAX }).toBe('');
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }),
    );
    expect(violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(' | ')}`)).toEqual([]);
    await page.keyboard.press('a');
    await page.keyboard.press('u');
    expect((await reviewer.get('said').textContent())?.trim()).toBe('');
    await page.keyboard.press('r');
    await reviewer.get('reject-reason').nth(1).click();
    await expect.poll(() => reviewer.get('unveiled').getByTitle(key).count(), { timeout: WAIT_MS_MAX }).toBe(1);
    // The log says so with its next checkpoint.
    const outcomes = async (): Promise<string[]> => of(await logLeaves(), 'appealed').map(({ outcome }) => outcome);
    await expect.poll(outcomes, { timeout: WAIT_MS_MAX }).toEqual(['denied']);
    const leaves = await logLeaves();
    expect(of(leaves, 'appeal')).toHaveLength(1);
    expect(of(leaves, 'word')).toHaveLength(1);
  });

  it('leaves no trace in the picture: the honest alone make the same bytes', async () => {
    await liar.leave();
    people.splice(people.indexOf(liar), 1);
    const again = await send();
    await done(again);
    expect((await again.download()).data).toEqual(picture);
  });
});
