/** What `npm run trust:attack` calls: the attackers with many lives each, and their table. */
import { spawnSync } from 'node:child_process';

const file = 'tests/sim/attackers/attacks.test.ts';
const args = ['node_modules/vitest/vitest.mjs', 'run', file, '--project=sim', '--testTimeout=3600000', '--disableConsoleIntercept=true'];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, PICTOR_ATTACK: 'full' } });
process.exitCode = status ?? 1;
