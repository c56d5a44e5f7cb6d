/** What `npm run trust:attack` calls: workers and checkers that lie, with many lives each, and their tables; then every role through sockets. */
import { spawnSync } from 'node:child_process';

const files = ['attacks', 'checkers', 'creators', 'drill', 'turncoat', 'sockets'].map((name) => `tests/sim/attackers/${name}.test.ts`);
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  ...files,
  '--project=sim',
  '--testTimeout=3600000',
  '--disableConsoleIntercept=true',
];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, PICTOR_ATTACK: 'full' } });
process.exitCode = status ?? 1;
