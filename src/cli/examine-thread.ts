/** Entry of a thread that examines bundles of a log: form, signatures, hashes. It holds nothing between two bundles. */
import { parentPort } from 'node:worker_threads';
import { examiner, type BundleReport, type BundleTask } from '#lib/ledger/examine.ts';
import { replayVerify } from '#lib/server/keys.ts';

export interface ToExaminer {
  readonly id: number;
  readonly task: BundleTask;
}
export interface FromExaminer {
  readonly id: number;
  readonly report: BundleReport;
}

const port = parentPort;
if (!port) throw new Error('examine-thread runs in a worker thread only');
const examine = examiner(replayVerify);
port.on('message', ({ id, task }: ToExaminer) => {
  // A rejection ends the thread, and with it the verification: nothing in a log can cause one.
  void examine(task).then((report) => port.postMessage({ id, report } satisfies FromExaminer));
});
