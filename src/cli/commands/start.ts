/**
 * `pictor start`, and so `npm start`: server, site and one local agent, a first picture through
 * that network, then serving until interrupted.
 */
import { resolve } from 'node:path';
import { utf8 } from '#lib/protocol/bytes.ts';
import { CommandError, EXIT_OK, parseWords, readInteger, type Command } from '../command.ts';
import { earlierPicture, firstLight } from '../first-light.ts';
import { aborted, catchInterrupts } from '../interrupt.ts';
import { checkLedger, verdictText } from '../ledger-check.ts';
import { startLocalAgent, type AgentReady } from '../local-agent.ts';
import { dataFolder } from '../paths.ts';
import { startServer, type RunningServer } from '../server.ts';
import { writeWhole } from '../stores.ts';
import { HOST, PORT } from './serve.ts';

const HELP = `
Usage: pictor start [scene.glb] [options]

Serves the site and the coordinator, starts one local agent so that the network is not empty, and
renders a first picture through it: your scene, or a shipped sample at the first start. Then it
keeps serving. Interrupt (Ctrl-C) ends everything.

  --port N        default 8787, or the next free one
  --host ADDRESS  default 127.0.0.1
  --data FOLDER   default .pictor

Examples:
  npm start
  npm start -- path/to/scene.glb
`;

const PORTS_MORE = 20;
const PORT_MAX = 65_535;

export const startCommand: Command = {
  name: 'start',
  summary: 'serve, work and render a first picture, all on this machine',
  help: HELP,
  run: async (args) => {
    const { options, positionals } = parseWords(args, { port: 'string', host: 'string', data: 'string' }, 1);
    const file = positionals[0] ? resolve(positionals[0]) : null;
    const data = resolve(options.data ?? dataFolder());
    const interrupts = catchInterrupts();
    const server = await startServer({
      host: options.host ?? HOST,
      port: readInteger('port', options.port ?? PORT, 0, PORT_MAX),
      portsMore: options.port === undefined ? PORTS_MORE : 0,
      data,
      log: (line) => process.stderr.write(`${line}\n`),
    });
    say(`Serving ${server.origin}`);
    const agent = startLocalAgent(server.origin, data);
    // Whoever waits for it is told; nobody has to.
    agent.ready.catch(() => undefined);
    await picture(interrupts.first, server, { data, file, ready: agent.ready });
    await aborted(interrupts.first);
    say('Stopping');
    await Promise.race([agent.stop().then(() => server.close()), aborted(interrupts.second)]);
    return EXIT_OK;
  },
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Verifies the ledger as a stranger would, and keeps the verdict beside the picture. */
async function verifiedLedger(signal: AbortSignal, origin: string, picture: string): Promise<string> {
  const verdict = await checkLedger(signal, origin, null);
  const path = picture.replace(/\.png$/, '.ledger.json');
  await writeWhole(path, utf8(`${JSON.stringify(verdict)}\n`));
  return `${path} (${verdictText(verdict)})`;
}

interface PictureWish {
  readonly data: string;
  readonly file: string | null;
  readonly ready: Promise<AgentReady>;
}

/** A first picture that fails is told, and does not end the server. */
async function picture(signal: AbortSignal, server: RunningServer, { data, file, ready }: PictureWish): Promise<void> {
  const earlier = file === null ? await earlierPicture(data) : null;
  if (earlier) {
    say(`First picture, of an earlier start: ${earlier}`);
    say(`Open ${server.origin}`);
  }
  try {
    const agent = await Promise.race([ready, aborted(signal)]);
    if (!agent) return;
    say(`Local agent: ${agent.device}`);
    if (earlier) return;
    say('Rendering a first picture through the network');
    const light = await firstLight(signal, { origin: server.origin, data, file, software: agent.software });
    if (!light) return;
    say(`Picture: ${light.picture}`);
    say(`Receipt: ${light.receipt} (${light.leases} leases, ${light.checks} checks)`);
    say(`Ledger:  ${await verifiedLedger(signal, server.origin, light.picture)}`);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The first picture failed: ${error instanceof CommandError ? text : ((error as Error).stack ?? text)}\n`);
  }
  if (!earlier) say(`Open ${server.origin}`);
}
