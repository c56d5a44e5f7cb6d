/** What `npm run trust:attack` calls: workers and checkers that lie, with many lives each, and their tables; every other role; and a coordinator that writes false lines. */
import { spawnSync } from 'node:child_process';

const roles = ['attacks', 'checkers', 'creators', 'drill', 'late', 'strangers', 'turncoat', 'sockets'];
const files = [...roles.map((name) => `tests/sim/attackers/${name}.test.ts`), 'tests/sim/ledger/false-lines.test.ts'];
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
