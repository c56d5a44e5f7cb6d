/** `pictor samples`: builds the shipped sample scenes again from their code. */
import { join } from 'node:path';
import { EXIT_OK, parseWords, type Command } from '../command.ts';
import { projectRoot } from '../paths.ts';
import { buildSamples } from '../samples/build.ts';

const HELP = `
Usage: pictor samples [FOLDER]

Builds the sample scenes and their index into FOLDER, by default static/samples.
The same bytes come out on every run.

Example:
  pictor samples /tmp/samples
`;

export const samplesCommand: Command = {
  name: 'samples',
  summary: 'build the shipped sample scenes',
  help: HELP,
  run: async (args) => {
    const folder = parseWords(args, {}, 1).positionals[0] ?? join(projectRoot(), 'static/samples');
    await buildSamples(folder);
    process.stdout.write(`${folder}\n`);
    return EXIT_OK;
  },
};
