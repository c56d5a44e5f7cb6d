/**
 * What `npm start` and `npm run pictor -- …` call: makes a fresh clone ready (packages, builds) and
 * then runs the command line in this process. Plain JavaScript on Node's own modules, because it
 * runs before anything is installed. Everything it says goes to stderr. Refuses to install what is
 * installed already and to build what has not changed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const NODE_MIN = [20, 19];
const LOCK_POLL_MS = 200;
/** Commands that serve pages and so need the site beside the command line. */
const SITE_COMMANDS = ['start', 'serve'];
const CONFIG = ['package-lock.json', 'vite.config.ts', 'svelte.config.js', 'tsconfig.json'];
const SHARED = ['src/lib', 'workers', 'shaders', ...CONFIG];
/** The site is made of everything in src but the command line. */
const SITE = readdirSync(join(root, 'src'))
  .filter((name) => name !== 'cli' && name !== 'lib')
  .map((name) => `src/${name}`);
const PARTS = {
  cli: { title: 'the command line', vite: ['build', '--mode', 'cli'], result: 'build/cli/pictor.js', inputs: ['src/cli', ...SHARED] },
  embed: {
    title: 'the embedding entry',
    vite: ['build', '--mode', 'embed'],
    result: 'build/embed/pictor.js',
    inputs: ['src/cli', ...SHARED],
  },
  site: { title: 'the site', vite: ['build'], result: 'build/site/handler.js', inputs: [...SITE, 'static', ...SHARED] },
};

const say = (text) => process.stderr.write(`${text}\n`);
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  say(
    `pictor needs Node ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}. Install it from nodejs.org or your system's packages.`,
  );
  process.exit(1);
}

/**
 * Runs a program to its end, silent unless it fails.
 * @param {string} program @param {readonly string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<void>} rejects with the program's own output when it fails
 */
function quietly(program, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (data) => output.push(data));
    child.stderr.on('data', (data) => output.push(data));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${code}\n${Buffer.concat(output).toString().trim()}`));
    });
  });
}

/** Do the installed packages agree with the lock file? Optional packages of other machines may be missing. */
function installed() {
  const record = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(
    ([path, entry]) => path === '' || (have[path] ? have[path].version === entry.version : entry.optional || entry.devOptional),
  );
}

/** Packages exactly as locked, with `npm ci` when they are not there. */
export async function ensureInstalled() {
  if (installed()) return;
  const since = performance.now();
  say('Installing packages (once, about a minute)…');
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  await (npm?.endsWith('.js') ? quietly(process.execPath, [npm, ...args]) : quietly('npm', args));
  say(`Packages installed in ${seconds(since)}`);
}

/** Hash over names and contents of everything below `inputs`. */
function hashOf(inputs) {
  const hash = createHash('sha256');
  const add = (path) => {
    const full = join(root, path);
    if (!existsSync(full)) return;
    if (statSync(full).isDirectory()) for (const name of readdirSync(full).toSorted()) add(join(path, name));
    else hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
  };
  inputs.forEach(add);
  return hash.digest('hex');
}

/**
 * Builds what changed since the last build.
 * @param {readonly ('cli' | 'embed' | 'site')[]} parts
 */
export async function ensureBuilt(parts) {
  const stale = () => parts.map((name) => ({ name, hash: hashOf(PARTS[name].inputs) })).filter(({ name, hash }) => stampOf(name) !== hash);
  if (stale().length === 0) return;
  const release = await lock();
  try {
    // Whoever held the lock may have built it all.
    const work = stale();
    if (work.length === 0) return;
    const since = performance.now();
    say(`Building ${work.map(({ name }) => PARTS[name].title).join(' and ')}…`);
    if (!existsSync(join(root, '.svelte-kit/tsconfig.json'))) await quietly(process.execPath, [bin('@sveltejs/kit/svelte-kit.js'), 'sync']);
    await Promise.all(work.map(({ name, hash }) => build(name, hash)));
    say(`Built in ${seconds(since)}`);
  } finally {
    release();
  }
}

const bin = (path) => join(root, 'node_modules', path);
const stampPath = (name) => join(root, `build/.${name}.stamp`);

function stampOf(name) {
  const whole = existsSync(join(root, PARTS[name].result)) && existsSync(stampPath(name));
  return whole ? readFileSync(stampPath(name), 'utf8') : '';
}

async function build(name, hash) {
  rmSync(stampPath(name), { force: true });
  // A test runner's variables would make Vite build for tests.
  const { VITEST: _vitest, NODE_ENV: _mode, ...env } = process.env;
  await quietly(process.execPath, [bin('vite/bin/vite.js'), ...PARTS[name].vite], env);
  writeFileSync(stampPath(name), hash);
}

/** One builder at a time; the lock of a process that is gone does not count. */
async function lock() {
  const path = join(root, 'build/.lock');
  mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!alive(Number(readOr(path, '')))) rmSync(path, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function alive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function main() {
  requireNode();
  const [command = ''] = process.argv.slice(2);
  // npm changes into the project's folder; paths on the command line mean the caller's.
  if (['start', 'pictor'].includes(process.env.npm_lifecycle_event ?? '') && process.env.INIT_CWD) process.chdir(process.env.INIT_CWD);
  try {
    await ensureInstalled();
    await ensureBuilt(SITE_COMMANDS.includes(command) ? ['cli', 'site'] : ['cli']);
  } catch (error) {
    say(`pictor: set-up failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
  await import(pathToFileURL(join(root, PARTS.cli.result)).href);
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
