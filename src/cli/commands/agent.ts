/**
 * `pictor agent`: what `pictor start` runs beside the server so that its network is not empty, a
 * worker and a checker under two keys on one engine. Ends with its parent.
 */
import { join, resolve } from 'node:path';
import { CheckerRole } from '#lib/roles/checker.ts';
import { WorkerRole } from '#lib/roles/worker.ts';
import { connectAgent } from '../agent.ts';
import { CommandError, EXIT_OK, parseWords, readUrl, UsageError, type Command } from '../command.ts';
import { aborted, catchInterrupts } from '../interrupt.ts';
import type { AgentReady } from '../local-agent.ts';
import { dataFolder } from '../paths.ts';
import { deviceText } from '../scene-files.ts';
import { ThreadEngine } from '../thread-engine.ts';

const HELP = `
Usage: pictor agent --network URL [--data FOLDER]

A worker and a checker in one process, under the keys local-worker and local-checker.

Example:
  pictor agent --network http://127.0.0.1:8787
`;

export const agentCommand: Command = {
  name: 'agent',
  summary: 'work and check in one process, under two keys',
  help: HELP,
  run: async (args) => {
    const { options } = parseWords(args, { network: 'string', data: 'string' }, 0);
    if (!options.network) throw new UsageError('--network URL is needed: the coordinator to connect to');
    const origin = readUrl('network', options.network);
    const folder = resolve(options.data ?? dataFolder());
    const interrupts = catchInterrupts();
    const engine = await ThreadEngine.start();
    const report = await engine.probe();
    if (!report.ok) throw new CommandError(`no GPU to work with: ${report.text}`);
    const connect = (name: string) => connectAgent({ origin, folder, engine, keyFile: join(folder, 'keys', `${name}.key`) });
    const [forWorker, forChecker] = [await connect('local-worker'), await connect('local-checker')];
    const worker = new WorkerRole(forWorker.context);
    const checker = new CheckerRole(forChecker.context);
    worker.onStatus(({ state, reason }) => log(`worker ${state}: ${reason}`));
    checker.onRecord(({ lease, verdict, reason }) => log(`checker ${lease.slice(0, 8)} ${verdict}: ${reason}`));
    log(`device: ${deviceText(report)}`);
    await Promise.all([worker.start(), checker.start()]);
    process.send?.({ device: deviceText(report), software: report.adapter.software } satisfies AgentReady);
    await Promise.race([aborted(interrupts.first), parentGone()]);
    await Promise.all([worker.stop(), checker.stop()]);
    await Promise.all([forWorker.close(), forChecker.close()]);
    return EXIT_OK;
  },
};

let last = '';
function log(line: string): void {
  if (line === last) return;
  last = line;
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
}

/** A parent that was killed can't say so; its end of the channel closes all the same. */
const parentGone = (): Promise<void> =>
  new Promise((resolve) => {
    if (process.send) process.once('disconnect', () => resolve());
  });
