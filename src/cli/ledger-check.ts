/**
 * Is a coordinator's ledger true? Fetches the log's bundles and verifies them while more arrive, over
 * all processors. The key is taken from the coordinator's own status unless one is given: then a
 * coordinator that signs with another is found out.
 */
import { fetchCheckpoint, fetchCoordinatorKey, httpBundles } from '#lib/ledger/client.ts';
import { cosignaturesOn } from '#lib/ledger/cosignature.ts';
import { verifyBundles, type LogVerdict } from '#lib/ledger/verify.ts';
import { replayVerify } from '#lib/server/keys.ts';
import { CommandError } from './command.ts';
import { startExaminePool } from './examine-pool.ts';

export type Progress = (done: number, all: number) => void;

export interface LedgerCheck {
  readonly verdict: LogVerdict;
  /** Keys of witnesses that cosigned the checkpoint. */
  readonly cosigned: readonly string[];
}

/** @param from lines before it are replayed without verifying their signatures again. @throws CommandError when the log can not be had; a log that is false is a verdict. */
export async function inspectLedger(
  signal: AbortSignal,
  origin: string,
  { key, from = 0, threads }: { key: string | null; from?: number; threads?: number },
  progress?: Progress,
): Promise<LedgerCheck> {
  const fetched = await fetchCheckpoint(signal, origin, fetch);
  if (!fetched.ok) throw new CommandError(fetched.reason);
  const publicKey = key ?? (await fetchCoordinatorKey(signal, origin, fetch));
  if (publicKey === null) throw new CommandError(`${origin} does not say its key`);
  const { checkpoint, size } = fetched;
  const pool = startExaminePool(threads);
  try {
    const verdict = await verifyBundles({
      ...{ checkpoint, publicKey, from, examine: pool.examine, ahead: pool.ahead, verify: replayVerify },
      bundle: httpBundles(signal, origin, fetch, size),
      ...(progress ? { onProgress: progress } : {}),
    });
    return { verdict, cosigned: (await cosignaturesOn(checkpoint, replayVerify)).map((one) => one.key) };
  } catch (error) {
    throw new CommandError(
      signal.aborted ? 'stopped' : `the log could not be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    await pool.close();
  }
}

/** As `inspectLedger`, the verdict alone. @throws CommandError */
export const checkLedger = async (signal: AbortSignal, origin: string, key: string | null, progress?: Progress): Promise<LogVerdict> =>
  (await inspectLedger(signal, origin, { key }, progress)).verdict;

/** Yes, or the first false line. */
export function verdictText(verdict: LogVerdict): string {
  if (!verdict.ok) return `no: ${verdict.line === null ? 'the checkpoint' : `line ${verdict.line}`}: ${verdict.reason}`;
  const { leaves, entries, jobs, settled, voided, root } = verdict.summary;
  return `yes: ${leaves} lines, ${entries} entries, ${jobs} jobs, ${settled} leases settled, ${voided} void, root ${root.slice(0, 16)}…`;
}
