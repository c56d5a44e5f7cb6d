/** Appends a finished table to tests/BENCH.md with what it was measured on. */
import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './scenes.ts';

function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'shaders', 'workers', 'src/lib').length > 0;
    return `commit ${git('rev-parse', '--short', 'HEAD')}${changed ? ' with changes that are not committed' : ''}`;
  } catch {
    return 'no commit known';
  }
}

/** On whose time: other work on the machine makes wall seconds lie, CPU seconds less so. */
export function circumstances(): string {
  const [cpu] = cpus();
  const load = loadavg()[0]!.toFixed(1);
  return `${new Date().toISOString().slice(0, 10)}, ${commit()}; ${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, load ${load}`;
}

export function record(title: string, text: string): void {
  appendFileSync(join(ROOT, 'tests/BENCH.md'), `\n### ${title}\n\n${circumstances()}.\n\n${text}\n`);
}
