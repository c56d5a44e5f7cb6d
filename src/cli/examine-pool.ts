/**
 * Threads that share the dear part of verifying a log. A thread that dies fails what it was doing: a
 * verification never goes on without a part of the log.
 */
import { availableParallelism } from 'node:os';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { examiner, type BundleReport, type BundleTask, type Examine } from '#lib/ledger/examine.ts';
import { replayVerify } from '#lib/server/keys.ts';
import type { FromExaminer, ToExaminer } from './examine-thread.ts';
import { projectRoot } from './paths.ts';

const ENTRY = 'build/cli/examine-thread.js';
/** Bundles under way per thread, so that none waits for the next. */
const AHEAD_PER_THREAD = 3;

export interface ExaminePool {
  readonly examine: Examine;
  readonly threads: number;
  /** Bundles to be asked for ahead of the replay. */
  readonly ahead: number;
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (report: BundleReport) => void;
  readonly reject: (error: Error) => void;
}

/** @param threads as many as there are processors when left out; without the built entry all is done in this thread. */
export function startExaminePool(threads = availableParallelism(), entry = join(projectRoot(), ENTRY)): ExaminePool {
  if (!existsSync(entry)) return { examine: examiner(replayVerify), threads: 1, ahead: AHEAD_PER_THREAD, close: () => Promise.resolve() };
  const pool = Array.from({ length: threads }, () => new Thread(entry));
  const examine = (task: BundleTask): Promise<BundleReport> =>
    pool.reduce((least, one) => (one.busy < least.busy ? one : least)).examine(task);
  const close = async (): Promise<void> => void (await Promise.all(pool.map((thread) => thread.close())));
  return { examine, threads, ahead: threads * AHEAD_PER_THREAD, close };
}

class Thread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  #id = 0;

  constructor(entry: string) {
    this.#worker = new Worker(entry);
    this.#worker.on('message', ({ id, report }: FromExaminer) => {
      this.#pending.get(id)?.resolve(report);
      this.#pending.delete(id);
    });
    const fail = (error: Error): void => {
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('a thread of the verification ended')));
  }

  get busy(): number {
    return this.#pending.size;
  }

  examine(task: BundleTask): Promise<BundleReport> {
    const id = this.#id++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task } satisfies ToExaminer);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
