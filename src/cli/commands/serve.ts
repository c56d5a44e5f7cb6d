/** `pictor serve`: coordinator and site on one port, until interrupted. */
import { resolve } from 'node:path';
import { EXIT_OK, parseWords, readInteger, type Command } from '../command.ts';
import { aborted, catchInterrupts } from '../interrupt.ts';
import { dataFolder } from '../paths.ts';
import { startServer } from '../server.ts';

const HELP = `
Usage: pictor serve [options]

Runs the coordinator and the site on one port. It hands out leases and keeps the ledger; scenes and
pixels never pass through it. Data lie in an embedded PostgreSQL, or at DATABASE_URL when set.

  --port N        default 8787; 0 takes any free one
  --host ADDRESS  default 127.0.0.1; 0.0.0.0 for every interface
  --data FOLDER   default .pictor

Examples:
  pictor serve
  DATABASE_URL=postgres://db/pictor pictor serve --host 0.0.0.0 --port 80
`;

export const PORT = '8787';
export const HOST = '127.0.0.1';
const PORT_MAX = 65_535;

export const serveCommand: Command = {
  name: 'serve',
  summary: 'run the coordinator and the site',
  help: HELP,
  run: async (args) => {
    const { options } = parseWords(args, { port: 'string', host: 'string', data: 'string' }, 0);
    const interrupts = catchInterrupts();
    const server = await startServer({
      host: options.host ?? HOST,
      port: readInteger('port', options.port ?? PORT, 0, PORT_MAX),
      portsMore: 0,
      data: resolve(options.data ?? dataFolder()),
      log: (line) => process.stderr.write(`${line}\n`),
    });
    process.stdout.write(`Serving ${server.origin} (${server.coordinator.description})\n`);
    await aborted(interrupts.first);
    process.stderr.write('Stopping\n');
    await Promise.race([server.close(), aborted(interrupts.second)]);
    return EXIT_OK;
  },
};
