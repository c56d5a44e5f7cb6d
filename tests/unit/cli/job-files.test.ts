/** A creator's jobs on disk: what was put comes back whole, what was half written does not. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileJobStore } from '#cli/job-files.ts';
import type { StoredFilm, StoredJob } from '#lib/roles/job-store.ts';

const id = (digit: string): string => digit.repeat(32);

function storedJob(job: string): StoredJob {
  const view = {
    job,
    title: 't',
    creator: 'c'.repeat(64),
    state: 'open',
    reason: '',
    leases: 2,
    settled: 0,
    committed: 0,
    leased: 0,
    redone: 0,
    workers: 0,
    checks: 0,
    segments: 0,
    capMicro: '9',
    spentMicro: '0',
  } as const;
  const camera = { eye: [0, 0, 1], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null };
  const scene = { hash: 'a'.repeat(64), bytes: 5 };
  const order = {
    title: 't',
    scene,
    environment: null,
    sceneRoot: 'b'.repeat(64),
    sceneNeeds: { bytes: 2_000, bindingBytes: 500 },
    frameTimeS: 0,
    variant: null,
    transparent: false,
    camera,
    width: 4,
    height: 4,
    tileSide: 32,
    samples: 2,
    passSamples: 64,
    bounces: 1,
    seed: 0,
    capMicro: '9',
  };
  return { job, order: order as unknown as StoredJob['order'], view, createdMs: 7 };
}

const film = (job: string, digit: string, tile: number): StoredFilm => ({
  lease: { lease: id(digit), job, tile, pass: 0, attempt: 1 },
  root: 'd'.repeat(64),
  // A newline inside the light must not be taken for the end of the head.
  light: new Uint8Array([10, 123, 10, 0, 255]),
});

test('jobs and films come back, by tile, and go with their job', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-jobs-'));
  const store = new FileJobStore(folder);
  expect(await store.jobs()).toEqual([]);
  const job = storedJob(id('1'));
  await store.putJob(job);
  await store.putFilm(film(job.job, '2', 0));
  await store.putFilm(film(job.job, '3', 1));
  const again = new FileJobStore(folder);
  expect(await again.jobs()).toEqual([job]);
  expect(await again.films(job.job, 1)).toEqual([film(job.job, '3', 1)]);
  expect(await again.films(job.job)).toHaveLength(2);
  await again.deleteFilm(id('3'));
  expect(await again.films(job.job)).toEqual([film(job.job, '2', 0)]);
  await again.deleteJob(job.job);
  expect(await again.jobs()).toEqual([]);
  expect(await again.films(job.job)).toEqual([]);
});

test('a job whose order is damaged, and films without their head, are passed over', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pictor-jobs-'));
  const store = new FileJobStore(folder);
  await store.putJob(storedJob(id('1')));
  await store.putFilm(film(id('1'), '2', 0));
  writeFileSync(join(folder, id('1'), `${id('4')}.film`), 'no head');
  expect(await store.films(id('1'))).toHaveLength(1);
  writeFileSync(join(folder, id('1'), 'job.json'), '{"job":');
  expect(await store.jobs()).toEqual([]);
});
