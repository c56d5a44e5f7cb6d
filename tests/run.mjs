/**
 * What `npm test` calls: makes a fresh clone ready (packages, a Chromium, builds), then runs the
 * checks and every test project, two at a time, and ends with one line of counts. `npm test -- unit
 * e2e` runs only the named stages. `deep` and `stacks` run only when named, as `npm run test:deep` and `npm run
 * test:stacks` do. A project without a single test is a failure, and so is one that never reports.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, ensureInstalled, root } from '../src/cli/bootstrap.mjs';

/** The longest first, so that the lanes end together. */
const PROJECTS = ['e2e', 'gpu-node', 'unit', 'sim', 'gpu-chromium'];
/** Long proofs, and browsers that a clean machine need not have; one at a time. */
const ON_DEMAND = ['deep', 'stacks', 'gpu-firefox'];
const CHECKS = ['check', 'lint'];
/** Stages that run at once. Each waits for others half of its time, and one that traces has a thread per processor already. */
const LANES = Math.min(availableParallelism(), 2);
const STAGE_TIMEOUT_MS = 25 * 60_000;
/** What a stage may print while another runs; of more, the end is shown. */
const OUTPUT_CHARS_MAX = 4_000_000;
const ON_DEMAND_TIMEOUT_MS = 6 * 3_600_000;
/** The tail of a log is what is read first. */
const FAILURES_SHOWN_MAX = 40;
const REPORTS = join(root, 'tests/.out');
const SYSTEM_CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SYSTEM_FIREFOX = ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/usr/local/bin/firefox'];
const SYSTEM_LAVAPIPE = ['/usr/share/vulkan/icd.d/lvp_icd.x86_64.json', '/usr/share/vulkan/icd.d/lvp_icd.json'];

const children = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of children) child.kill(signal);
    process.exit(130);
  });
}

/**
 * @param say where its output goes, as it comes; null: straight to this process's own.
 * @returns {Promise<number>} the exit code; 1 when killed for taking too long
 */
function run(program, args, { env = {}, timeoutMs = STAGE_TIMEOUT_MS, say = null } = {}) {
  return new Promise((resolve) => {
    const out = say ? 'pipe' : 'inherit';
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', out, out], env: { ...process.env, ...env } });
    children.add(child);
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', say);
    const timer = setTimeout(() => {
      console.error(`Stopped after ${timeoutMs / 60_000} minutes: ${[program, ...args].join(' ')}`);
      child.kill('SIGKILL');
    }, timeoutMs);
    const end = (code) => {
      clearTimeout(timer);
      children.delete(child);
      resolve(code ?? 1);
    };
    child.on('error', () => end(1));
    child.on('close', end);
  });
}

const works = (path) => spawnSync(path, ['--version'], { timeout: 60_000 }).status === 0;

/** Debian packages, where this process may install them. @returns whether they are there now. */
function install(...packages) {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version') || process.env.PICTOR_NO_APT) return false;
  console.log(`Installing ${packages.join(' and ')} with apt-get…`);
  const quietly = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, stdio: 'ignore', timeout: 5 * 60_000 };
  return (
    spawnSync('apt-get', ['update', '-q'], quietly).status === 0 &&
    spawnSync('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], quietly).status === 0
  );
}

/** Sets PICTOR_CHROMIUM: a system one, else Debian's package when root, else the one npm brings. */
async function ensureChromium() {
  if (process.env.PICTOR_CHROMIUM) return;
  const look = () => SYSTEM_CHROMIUM.find((path) => existsSync(path) && works(path));
  const found = look() ?? (install('chromium') ? look() : undefined) ?? (await bundledChromium());
  console.log(`Chromium: ${found}`);
  process.env.PICTOR_CHROMIUM = found;
}

/** Firefox and lavapipe, for the stages that need them; where they can't be had, these stages say so and fail. */
function ensureOtherStacks() {
  const there = (paths) => paths.some((path) => existsSync(path));
  const missing = [
    ...(process.env.PICTOR_FIREFOX || there(SYSTEM_FIREFOX) ? [] : ['firefox-esr']),
    ...(process.env.VK_ICD_FILENAMES || there(SYSTEM_LAVAPIPE) ? [] : ['mesa-vulkan-drivers']),
  ];
  if (missing.length > 0) install(...missing);
}

/** A script that starts the bundled browser with the libraries and fonts a bare system lacks. */
async function bundledChromium() {
  const { unpackChromium } = await import('../src/cli/bundled.mjs');
  const { executable, libraries, fonts } = unpackChromium(join(root, '.pictor/cache'));
  const script = `${executable}.sh`;
  writeFileSync(script, `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' FONTCONFIG_PATH='${fonts}' exec '${executable}' "$@"\n`);
  chmodSync(script, 0o755);
  if (!works(script)) throw new Error(`the bundled Chromium does not start: ${script} --version; install Chromium or set PICTOR_CHROMIUM`);
  return script;
}

const NONE = { passed: 0, failed: 0, skipped: 0, failures: [] };
const failed = (failure) => ({ ...NONE, failed: 1, failures: [failure] });

async function check(name, say) {
  const code = await run('npm', ['run', '--silent', name], { say });
  return code === 0 ? { ...NONE, passed: 1 } : failed(`npm run ${name} ended with ${code}`);
}

async function project(name, say) {
  const summary = join(REPORTS, `${name}.json`);
  rmSync(summary, { force: true });
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [
    vitest,
    'run',
    '--project',
    name,
    '--passWithNoTests',
    '--reporter=default',
    `--reporter=${join(root, 'tests/reporter.mjs')}`,
  ];
  const timeoutMs = ON_DEMAND.includes(name) ? ON_DEMAND_TIMEOUT_MS : STAGE_TIMEOUT_MS;
  const code = await run(process.execPath, args, { env: { PICTOR_TEST_SUMMARY: summary }, timeoutMs, say });
  const counts = existsSync(summary) ? JSON.parse(readFileSync(summary, 'utf8')) : failed('it ended before it could report');
  if (counts.passed + counts.failed + counts.skipped === 0) return failed('no test ran');
  return code !== 0 && counts.failed === 0
    ? { ...counts, ...failed(`every test passed, yet it ended with ${code}`), passed: counts.passed }
    : counts;
}

/** Runs the stages in as many lanes; what one prints comes as a whole when it has ended, unless it is alone. */
async function runStages(stages, lanes, timed) {
  const waiting = [...stages];
  const results = new Map();
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      let printed = '';
      const say = lanes > 1 ? (text) => (printed = (printed + text).slice(-OUTPUT_CHARS_MAX)) : null;
      results.set(name, await timed(name, () => (CHECKS.includes(name) ? check(name, say) : project(name, say))));
      if (say) console.log(`\n== ${name} ended and had printed:\n${printed}`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

async function main() {
  const startedMs = performance.now();
  const asked = process.argv.slice(2);
  const known = [...PROJECTS, ...CHECKS, ...ON_DEMAND];
  const stages = known.filter((name) => (asked.length === 0 ? !ON_DEMAND.includes(name) : asked.includes(name)));
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown stages: ${unknown.join(', ')}; known: ${known.join(', ')}`);
  mkdirSync(REPORTS, { recursive: true });
  const times = [];
  const timed = async (name, work) => {
    const since = performance.now();
    console.log(`\n== ${name}`);
    const result = await work();
    times.push(`${name} ${((performance.now() - since) / 1000).toFixed(0)} s`);
    return result;
  };
  await timed('set-up', async () => {
    await ensureInstalled();
    await ensureChromium();
    if (stages.includes('stacks') || stages.includes('gpu-firefox')) ensureOtherStacks();
    await ensureBuilt(['cli', 'site', 'embed']);
  });
  const total = { ...NONE };
  const failures = [];
  const lanes = stages.some((name) => ON_DEMAND.includes(name)) ? 1 : Math.min(LANES, stages.length);
  for (const [name, counts] of await runStages(stages, lanes, timed)) {
    for (const key of ['passed', 'failed', 'skipped']) total[key] += counts[key];
    failures.push(...counts.failures.map((failure) => `${name}: ${failure}`));
  }
  console.log(`\n${times.join(', ')}; ${((performance.now() - startedMs) / 1000).toFixed(0)} s in all`);
  if (failures.length > 0) console.log(`\nWhat failed:\n${failures.slice(0, FAILURES_SHOWN_MAX).join('\n')}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
  return total.failed === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
