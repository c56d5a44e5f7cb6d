/** What `npm run market:simulate` calls: the simulated markets over more seeds and rounds, and their tables. */
import { spawnSync } from 'node:child_process';

const file = 'tests/sim/market/market.test.ts';
const args = ['node_modules/vitest/vitest.mjs', 'run', file, '--project=sim', '--testTimeout=3600000', '--disableConsoleIntercept=true'];
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, PICTOR_MARKET: 'full' } });
process.exitCode = status ?? 1;
