/**
 * What a creator keeps so that a reloaded tab resumes with its pixels: orders and received films.
 * Films stay one by one until the job ends, because a voided lease takes its pixels with it.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { JobView, Lease } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';

/** Which frame of which sequence a job's picture is; the sequence's id is its creator's own and goes nowhere. */
export interface FramePlace {
  readonly sequence: string;
  readonly frame: number;
}

export interface StoredJob {
  readonly job: string;
  /** Absent: a picture by itself. */
  readonly place?: FramePlace | undefined;
  readonly order: JobOrder;
  /** As the coordinator last told it. */
  readonly view: JobView;
  readonly createdMs: number;
}

export interface StoredFilm {
  readonly lease: Lease;
  readonly root: string;
  readonly light: Bytes;
}

/** `put` calls are durable on return; an attacker who controls the store can only spoil the own picture. */
export interface JobStore {
  jobs(): Promise<readonly StoredJob[]>;
  putJob(job: StoredJob): Promise<void>;
  /** Forgets the job and its films. */
  deleteJob(job: string): Promise<void>;
  putFilm(film: StoredFilm): Promise<void>;
  deleteFilm(lease: string): Promise<void>;
  /** Films of one job, or of one of its tiles. */
  films(job: string, tile?: number): Promise<readonly StoredFilm[]>;
}

export class MemoryJobStore implements JobStore {
  readonly #jobs = new Map<string, StoredJob>();
  readonly #films = new Map<string, StoredFilm>();

  async jobs(): Promise<readonly StoredJob[]> {
    return [...this.#jobs.values()];
  }

  async putJob(job: StoredJob): Promise<void> {
    this.#jobs.set(job.job, job);
  }

  async deleteJob(job: string): Promise<void> {
    this.#jobs.delete(job);
    for (const [lease, film] of this.#films) if (film.lease.job === job) this.#films.delete(lease);
  }

  async putFilm(film: StoredFilm): Promise<void> {
    this.#films.set(film.lease.lease, film);
  }

  async deleteFilm(lease: string): Promise<void> {
    this.#films.delete(lease);
  }

  async films(job: string, tile?: number): Promise<readonly StoredFilm[]> {
    return [...this.#films.values()].filter(({ lease }) => lease.job === job && (tile === undefined || lease.tile === tile));
  }
}
