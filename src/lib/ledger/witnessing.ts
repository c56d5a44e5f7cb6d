/**
 * What a witness does with a checkpoint (c2sp.org/tlog-witness, `add-checkpoint`): the texts that go
 * to and fro, and the judgement. Pure: who carries the texts and who remembers is elsewhere. It never
 * cosigns what the log's key did not sign, nor what does not extend what was cosigned before.
 */
import { equalBytes, fromHex, type Bytes } from '../protocol/bytes.ts';
import type { Verify } from '../protocol/envelope.ts';
import { PROOF_HASHES_MAX } from '../protocol/limits.ts';
import { openCheckpoint, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { verifyConsistency } from './merkle.ts';
import { fromBase64, toBase64 } from './note.ts';

export interface AddCheckpoint {
  /** Leaves of the checkpoint that the proof starts from. */
  readonly old: number;
  readonly proof: readonly Bytes[];
  readonly note: string;
}

export const formatAddCheckpoint = ({ old, proof, note }: AddCheckpoint): string =>
  [`old ${old}`, ...proof.map(toBase64), '', note].join('\n');

export function parseAddCheckpoint(text: string): AddCheckpoint | null {
  const match = /^old (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/=]+\n)*)\n/.exec(text);
  if (!match) return null;
  const proof = match[2]!.split('\n').slice(0, -1).map(fromBase64);
  const old = Number(match[1]);
  if (proof.length > PROOF_HASHES_MAX || !Number.isSafeInteger(old) || !proof.every((hash) => hash?.length === 32)) return null;
  return { old, proof: proof as Bytes[], note: text.slice(match[0].length) };
}

/** The log whose checkpoints are witnessed. */
export interface WitnessedLog {
  readonly origin: string;
  /** Hex. */
  readonly key: string;
}

/** Two notes that the log signed and that no honest log can both sign. */
export interface SplitView {
  /** Cosigned before. */
  readonly seen: string;
  readonly shown: string;
}

/** HTTP status codes of `add-checkpoint`; 200 is to be cosigned. */
export type WitnessStatus = 200 | 400 | 403 | 404 | 409 | 422;

export interface WitnessJudgement {
  readonly status: WitnessStatus;
  /** What is to be cosigned. */
  readonly checkpoint: Checkpoint | null;
  /** The log signed what does not extend what it signed before. */
  readonly split: SplitView | null;
}

/** @param seen the note that was cosigned last, or null. */
export async function judgeCheckpoint(
  { old, proof, note }: AddCheckpoint,
  log: WitnessedLog,
  seen: string | null,
  verify?: Verify,
): Promise<WitnessJudgement> {
  const no = (status: WitnessStatus, split: SplitView | null = null): WitnessJudgement => ({ status, checkpoint: null, split });
  const shown = parseCheckpoint(note);
  if (!shown) return no(400);
  if (shown.origin !== log.origin) return no(404);
  if (!(await openCheckpoint(note, fromHex(log.key), verify))) return no(403);
  const last = seen === null ? null : parseCheckpoint(seen);
  // Whatever the request says of old sizes: one size with two roots is two histories.
  if (last && seen !== null && last.size === shown.size && !equalBytes(last.root, shown.root)) return no(409, { seen, shown: note });
  if (old > shown.size) return no(400);
  if (old !== (last?.size ?? 0)) return no(409);
  const extended = last ? extendsIt(last, shown, proof) : proof.length === 0;
  if (!extended) return no(422, seen === null ? null : { seen, shown: note });
  return { status: 200, checkpoint: shown, split: null };
}

function extendsIt(last: Checkpoint, shown: Checkpoint, proof: readonly Bytes[]): boolean {
  return last.size === 0 ? proof.length === 0 : verifyConsistency(last.size, shown.size, last.root, shown.root, proof);
}
