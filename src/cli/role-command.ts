/**
 * What `pictor work` and `pictor check` share: options, a device, an agent, one line per change of
 * state on stdout, and an orderly end. The first interrupt finishes what is at hand, the second
 * stops at once.
 */
import { join, resolve } from 'node:path';
import { parseWords, readUrl, UsageError, CommandError, EXIT_OK } from './command.ts';
import { connectAgent, type Agent } from './agent.ts';
import { readAsk } from './ask-options.ts';
import { aborted, catchInterrupts } from './interrupt.ts';
import { dataFolder } from './paths.ts';
import { deviceText, type Device } from './scene-files.ts';
import { ThreadEngine } from './thread-engine.ts';
import type { DeviceReport } from '#lib/gpu/engine.ts';

/** A role as this command drives it. */
export interface RunningRole {
  start(): Promise<DeviceReport>;
  /** Ends after the work at hand. */
  finish(): Promise<void>;
  /** Ends at once. */
  stop(): Promise<void>;
}

export interface RoleOptions {
  readonly name: 'worker' | 'checker';
  readonly args: readonly string[];
  readonly create: (agent: Agent, say: (text: string) => void) => RunningRole;
}

export async function runRole({ name, args, create }: RoleOptions): Promise<number> {
  const { options } = parseWords(
    args,
    { network: 'string', key: 'string', data: 'string', driver: 'string', share: 'string', ask: 'string', watts: 'string', kwh: 'string' },
    0,
  );
  if (!options.network) throw new UsageError('--network URL is needed: the coordinator to connect to');
  const origin = readUrl('network', options.network);
  const folder = resolve(options.data ?? dataFolder());
  const share = readShare(options.share);
  const ask = name === 'worker' ? readAsk(options) : null;
  const interrupts = catchInterrupts();
  const engine = await ThreadEngine.start(options.driver);
  engine.setPace({ place: 'idle', share });
  const agent = await connectAgent({ origin, folder, engine, keyFile: resolve(options.key ?? join(folder, 'keys', `${name}.key`)) });
  const say = (text: string): void => void process.stdout.write(`${text}\n`);
  const { control } = agent.context;
  control.onChange(() => {
    if (control.fault) process.stderr.write(`${control.fault}\n`);
  });
  const role = create(ask ? { ...agent, context: { ...agent.context, ask } } : agent, say);
  say(`${name} ${agent.context.identity.key.slice(0, 16)} at ${origin}`);
  const report = await role.start();
  if (!report.ok) throw new CommandError(`no GPU to work with: ${report.text}`);
  say(`device: ${deviceText(report satisfies Device)}; driver: ${engine.driver}`);
  await aborted(interrupts.first);
  say('finishing; interrupt again to stop now');
  await Promise.race([role.finish(), aborted(interrupts.second)]);
  await role.stop();
  await agent.close();
  await engine.dispose();
  say('stopped');
  return EXIT_OK;
}

/** Passes on a line only when it differs from the last. */
export function onChangeOnly(say: (text: string) => void): (text: string) => void {
  let last = '';
  return (text) => {
    if (text !== last) say(text);
    last = text;
  };
}

/** Percent of the device's time as a fraction; all of it when left out. */
function readShare(words: string | undefined): number {
  const percent = words === undefined ? 100 : Number(words);
  if (!(percent >= 1 && percent <= 100)) throw new UsageError(`--share '${words}': a number of percent from 1 to 100 is needed`);
  return percent / 100;
}
