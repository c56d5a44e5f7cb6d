/** `pictor ledger`: one yes or no about a coordinator's whole ledger, or about a receipt without any coordinator. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { proofOf, ReceiptSchema, verifyReceipt } from '#lib/ledger/receipt.ts';
import { utf8 } from '#lib/protocol/bytes.ts';
import { replayVerify } from '#lib/server/keys.ts';
import { inspectLedger, verdictText } from '../ledger-check.ts';
import { CommandError, EXIT_FAILED, EXIT_OK, parseWords, readInteger, readUrl, UsageError, type Command } from '../command.ts';
import { catchInterrupts } from '../interrupt.ts';
import { write } from '../outputs.ts';
import { progressBar } from '../progress.ts';

const HELP = `
Usage: pictor ledger verify URL [--key HEX] [--from N] [--json]
       pictor ledger receipt FILE [--key HEX] [--witness HEX]... [--proofs FOLDER] [--json]

verify fetches the whole log of a coordinator, recomputes the root that its checkpoint signs, verifies
every signature in it and replays every line: no token made or lost, no lease paid twice or before its
check, every draw recomputable. Prints yes, or the first false line, and ends with exit code 1 when it
is false.

receipt verifies the receipt of a job, as downloads bring it, without any network: the signed order and
every entry are in the log whose checkpoint it holds, and add up.

  --key HEX      the coordinator's public key as you know it; default: as its status or the receipt tells it
  --from N       lines before N are replayed, but their signatures are not verified again
  --threads N    of the verification; default: one per processor
  --witness HEX  must have cosigned the checkpoint of the receipt
  --proofs DIR   also writes each line of the receipt as a C2SP tlog-proof, with its bytes beside it
  --json         the whole verdict as one line of JSON

Examples:
  pictor ledger verify http://127.0.0.1:8787
  pictor ledger receipt picture.receipt.json
`;

const KINDS = { key: 'string', json: 'boolean', from: 'string', threads: 'string', witness: 'list', proofs: 'string' } as const;
type Options = ReturnType<typeof parseWords<typeof KINDS>>['options'];

export const ledgerCommand: Command = {
  name: 'ledger',
  summary: 'verify the ledger of a network, or a receipt (ledger verify URL, ledger receipt FILE)',
  help: HELP,
  run: async (args) => {
    const { options, positionals } = parseWords(args, KINDS, 2);
    const [verb, what] = positionals;
    for (const key of [...(options.key === undefined ? [] : [options.key]), ...options.witness])
      if (!/^[0-9a-f]{64}$/.test(key)) throw new UsageError('a key must be 64 hex digits');
    if (verb === 'verify' && what !== undefined) return verifyLedger(readUrl('URL', what), options);
    if (verb === 'receipt' && what !== undefined) return checkReceipt(what, options);
    throw new UsageError('say: ledger verify URL, or ledger receipt FILE');
  },
};

async function verifyLedger(origin: string, options: Options): Promise<number> {
  const bar = progressBar();
  const told = (done: number, all: number): void => bar.update(all === 0 ? 1 : done / all, `${done} of ${all} lines`);
  const from = options.from === undefined ? 0 : readInteger('from', options.from, 0, Number.MAX_SAFE_INTEGER);
  const threads = options.threads === undefined ? {} : { threads: readInteger('threads', options.threads, 1, 256) };
  const startedMs = performance.now();
  const check = await inspectLedger(catchInterrupts().first, origin, { key: options.key ?? null, from, ...threads }, told);
  bar.end();
  const seconds = (performance.now() - startedMs) / 1000;
  const { verdict, cosigned } = check;
  const witnesses = cosigned.length === 0 ? 'no witness has cosigned it yet' : `cosigned by ${cosigned.length}`;
  const rate = verdict.ok ? `, ${witnesses}, ${Math.round(verdict.summary.leaves / seconds)} lines a second` : '';
  process.stdout.write(`${options.json ? JSON.stringify({ ...verdict, cosigned, seconds }) : `${verdictText(verdict)}${rate}`}\n`);
  return verdict.ok ? EXIT_OK : EXIT_FAILED;
}

async function checkReceipt(path: string, options: Options): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CommandError(`${path} can't be read`);
  });
  const value = parseJson(text);
  const trust = { ...(options.key === undefined ? {} : { key: options.key }), witnesses: options.witness };
  const verdict = await verifyReceipt(value, trust, replayVerify);
  if (verdict.ok && options.proofs !== undefined) await writeProofs(value, options.proofs);
  const said = verdict.ok
    ? `yes: job ${verdict.job}: ${verdict.entries} entries in a log of ${verdict.logSize} lines, ${verdict.settled} leases paid, ` +
      `${verdict.spentMicro} micro-tokens${verdict.whole ? ', the rest given back' : ', still open'}; cosigned by ${verdict.cosigned.length}`
    : `no: ${verdict.step}: ${verdict.reason}`;
  process.stdout.write(`${options.json ? JSON.stringify(verdict) : said}\n`);
  return verdict.ok ? EXIT_OK : EXIT_FAILED;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function writeProofs(value: unknown, folder: string): Promise<void> {
  const receipt = v.parse(ReceiptSchema, value);
  await mkdir(folder, { recursive: true });
  for (const [at, { leaf, bytes }] of receipt.entries.entries()) {
    await write(join(folder, `${leaf}.tlog-proof`), utf8(proofOf(receipt, at)));
    await write(join(folder, `${leaf}.cbor`), new Uint8Array(Buffer.from(bytes, 'base64')));
  }
}
