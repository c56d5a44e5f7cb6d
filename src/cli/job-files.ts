/**
 * A creator's jobs as files: one folder per job, the order in job.json, each film in a file of its
 * own whose first line says which lease it is. Refuses to read what it did not write whole.
 */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { concat, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { JobViewSchema, LeaseSchema } from '#lib/protocol/control.ts';
import { SEQUENCE_FRAME_MAX } from '#lib/protocol/limits.ts';
import { JobOrderSchema } from '#lib/protocol/order.ts';
import { count, hex32, id16 } from '#lib/protocol/schema.ts';
import type { JobStore, StoredFilm, StoredJob } from '#lib/roles/job-store.ts';
import { writeWhole } from './stores.ts';

const StoredJobSchema = v.strictObject({
  job: id16,
  place: v.optional(v.strictObject({ sequence: id16, frame: count(SEQUENCE_FRAME_MAX) })),
  order: JobOrderSchema,
  view: JobViewSchema,
  createdMs: v.number(),
});
const FilmHeadSchema = v.strictObject({ lease: LeaseSchema, root: hex32 });

const ID = /^[0-9a-f]{32}$/;
const FILM = /^([0-9a-f]{32})\.film$/;
const NEWLINE = 10;

export class FileJobStore implements JobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async jobs(): Promise<readonly StoredJob[]> {
    const found = await Promise.all((await names(this.#folder)).filter((name) => ID.test(name)).map((name) => this.#job(name)));
    return found.filter((job) => job !== null);
  }

  async putJob(job: StoredJob): Promise<void> {
    await writeWhole(join(this.#folder, job.job, 'job.json'), utf8(JSON.stringify(job)));
  }

  async deleteJob(job: string): Promise<void> {
    if (ID.test(job)) await rm(join(this.#folder, job), { recursive: true, force: true });
  }

  async putFilm(film: StoredFilm): Promise<void> {
    const head = utf8(`${JSON.stringify({ lease: film.lease, root: film.root })}\n`);
    await writeWhole(join(this.#folder, film.lease.job, `${film.lease.lease}.film`), concat(head, film.light));
  }

  async deleteFilm(lease: string): Promise<void> {
    for (const job of await names(this.#folder)) await rm(join(this.#folder, job, `${lease}.film`), { force: true });
  }

  async films(job: string, tile?: number): Promise<readonly StoredFilm[]> {
    const out: StoredFilm[] = [];
    for (const name of await names(join(this.#folder, job))) {
      const film = FILM.test(name) ? parseFilm(new Uint8Array(await readFile(join(this.#folder, job, name)))) : null;
      if (film && (tile === undefined || film.lease.tile === tile)) out.push(film);
    }
    return out;
  }

  async #job(name: string): Promise<StoredJob | null> {
    try {
      const parsed = v.safeParse(StoredJobSchema, JSON.parse(await readFile(join(this.#folder, name, 'job.json'), 'utf8')));
      return parsed.success ? parsed.output : null;
    } catch {
      // No job.json yet, or none that is whole: not a job.
      return null;
    }
  }
}

const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

function parseFilm(bytes: Bytes): StoredFilm | null {
  const end = bytes.indexOf(NEWLINE);
  try {
    const head = v.safeParse(FilmHeadSchema, JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))));
    return head.success ? { ...head.output, light: bytes.slice(end + 1) } : null;
  } catch {
    return null;
  }
}
