/** `pictor ledger verify URL`: one yes or no about a coordinator's whole ledger. */
import { checkLedger, verdictText } from '../ledger-check.ts';
import { EXIT_FAILED, EXIT_OK, parseWords, readUrl, UsageError, type Command } from '../command.ts';
import { catchInterrupts } from '../interrupt.ts';
import { progressBar } from '../progress.ts';

const HELP = `
Usage: pictor ledger verify URL [--key HEX] [--json]

Fetches the whole log of a coordinator, recomputes the root that its checkpoint signs, and replays
every line: no token made or lost, no lease paid twice or before its check, every draw recomputable.
Prints yes, or the first false line, and ends with exit code 1 when it is false.

  --key HEX   the coordinator's public key as you know it; default: as its status tells it
  --json      the whole verdict as one line of JSON

Example:
  pictor ledger verify http://127.0.0.1:8787
`;

export const ledgerCommand: Command = {
  name: 'ledger',
  summary: 'verify the ledger of a network (ledger verify URL)',
  help: HELP,
  run: async (args) => {
    const { options, positionals } = parseWords(args, { key: 'string', json: 'boolean' }, 2);
    const [verb, url] = positionals;
    if (verb !== 'verify' || url === undefined) throw new UsageError('say: ledger verify URL');
    if (options.key !== undefined && !/^[0-9a-f]{64}$/.test(options.key)) throw new UsageError('--key must be 64 hex digits');
    const bar = progressBar();
    const told = (done: number, all: number): void => bar.update(all === 0 ? 1 : done / all, `${done} of ${all} lines`);
    const verdict = await checkLedger(catchInterrupts().first, readUrl('URL', url), options.key ?? null, told);
    bar.end();
    process.stdout.write(`${options.json ? JSON.stringify(verdict) : verdictText(verdict)}\n`);
    return verdict.ok ? EXIT_OK : EXIT_FAILED;
  },
};
