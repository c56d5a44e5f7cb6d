/**
 * Is a coordinator's ledger true? Fetches the whole log and replays it here. The key is taken from
 * the coordinator's own status unless one is given: then a coordinator that signs with another is found out.
 */
import { fetchCoordinatorKey, fetchLog } from '#lib/ledger/client.ts';
import { verifyLog, type LogVerdict } from '#lib/ledger/verify.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { CommandError } from './command.ts';

export type Progress = (done: number, all: number) => void;

/** @throws CommandError when the log can not be had; a log that is false is a verdict. */
export async function checkLedger(signal: AbortSignal, origin: string, key: string | null, progress?: Progress): Promise<LogVerdict> {
  const fetched = await fetchLog(signal, origin, fetch, progress);
  if (!fetched.ok) throw new CommandError(fetched.reason);
  const publicKey = key ?? (await fetchCoordinatorKey(signal, origin, fetch));
  if (publicKey === null) throw new CommandError(`${origin} does not say its key`);
  return verifyLog(fetched.checkpoint, publicKey, fetched.leaves, nodeVerify);
}

/** Yes, or the first false line. */
export function verdictText(verdict: LogVerdict): string {
  if (!verdict.ok) return `no: ${verdict.line === null ? 'the checkpoint' : `line ${verdict.line}`}: ${verdict.reason}`;
  const { leaves, entries, jobs, settled, voided, root } = verdict.summary;
  return `yes: ${leaves} lines, ${entries} entries, ${jobs} jobs, ${settled} leases settled, ${voided} void, root ${root.slice(0, 16)}…`;
}
