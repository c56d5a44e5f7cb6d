/**
 * The `pictor` command line: finds the command, prints help, turns failures into one sentence on
 * stderr and an exit code. Results go to stdout, everything else to stderr.
 */
import { setMaxListeners } from 'node:events';
import { agentCommand } from './commands/agent.ts';
import { backupCommand, restoreCommand } from './commands/backup.ts';
import { checkCommand } from './commands/check.ts';
import { denoiseCommand } from './commands/denoise.ts';
import { ledgerCommand } from './commands/ledger.ts';
import { renderCommand } from './commands/render.ts';
import { samplesCommand } from './commands/samples.ts';
import { serveCommand } from './commands/serve.ts';
import { startCommand } from './commands/start.ts';
import { workCommand } from './commands/work.ts';
import { CommandError, EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError, type Command } from './command.ts';

// One signal ends the waits for every film that is under way: Node takes more than ten listeners for a leak.
setMaxListeners(0);

const COMMANDS: readonly Command[] = [
  startCommand,
  renderCommand,
  denoiseCommand,
  workCommand,
  checkCommand,
  agentCommand,
  serveCommand,
  ledgerCommand,
  backupCommand,
  restoreCommand,
  samplesCommand,
];

function help(): string {
  const width = Math.max(...COMMANDS.map((command) => command.name.length));
  return [
    'pictor: a render network that lives in the browser',
    '',
    'Usage: npm run pictor -- COMMAND [options]',
    '',
    ...COMMANDS.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    'Help on one command: npm run pictor -- COMMAND --help',
  ].join('\n');
}

async function run(words: readonly string[]): Promise<number> {
  const [name, ...args] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(`${help()}\n`);
    return name === undefined ? EXIT_USAGE : EXIT_OK;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (!command) throw new UsageError(`there is no command '${name}'`);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${command.help.trim()}\n`);
    return EXIT_OK;
  }
  return command.run(args);
}

function explain(error: unknown, name: string | undefined): number {
  if (error instanceof UsageError) {
    process.stderr.write(
      `pictor: ${error.message}\nTry: npm run pictor -- ${COMMANDS.some((one) => one.name === name) ? `${name} ` : ''}--help\n`,
    );
    return EXIT_USAGE;
  }
  if (error instanceof CommandError) process.stderr.write(`pictor: ${error.message}\n`);
  else process.stderr.write(`pictor: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return EXIT_FAILED;
}

const words = process.argv.slice(2);
const code = await run(words).catch((error: unknown) => explain(error, words[0]));
// Dawn, databases and peers hold handles; the command has closed what must be closed.
process.exit(code);
