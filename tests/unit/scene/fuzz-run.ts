/**
 * Runs mutants in a process of their own, which has a bounded heap and is watched: silence is a hang, an end is a crash, and both are reported with the mutant's number
 * before a fresh process goes on behind it.
 */
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import type { FuzzMessage, FuzzTally } from './fuzz-child.ts';

const ROOT = join(import.meta.dirname, '../../..');
const HEAP_MIB = 1024;
/** Wall clock, on a machine that may be busy; the time that counts is the processor's, in the tally. */
const SILENCE_MS_MAX = 20_000;
const FAULTS_MAX = 50;

export interface FuzzReport extends FuzzTally {
  readonly faults: readonly string[];
}

/** Mutants `from` to `to` (exclusive). Bundles the child first: Node runs no TypeScript. */
export async function fuzz(from: number, to: number): Promise<FuzzReport> {
  // Below node_modules, where the bundle finds the packages and the decoders find their WASM.
  const folder = await mkdtemp(join(ROOT, 'node_modules/.pictor-fuzz-'));
  try {
    await build({
      root: ROOT,
      configFile: false,
      logLevel: 'silent',
      build: {
        ssr: true,
        target: 'node20',
        outDir: folder,
        emptyOutDir: false,
        rollupOptions: {
          input: { child: join(import.meta.dirname, 'fuzz-child.ts') },
          output: { format: 'es', entryFileNames: '[name].mjs' },
        },
      },
    });
    const report: Growing = { ...NOTHING, faults: [] };
    for (let next = from; next < to && report.faults.length < FAULTS_MAX;)
      next = await runChild(join(folder, 'child.mjs'), next, to, report);
    return report;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Growing = FuzzTally & { faults: string[] };

const NOTHING: FuzzTally = { compiled: 0, refused: 0, slowestMs: 0, slowest: '', peakRssBytes: 0 };

function add(report: Growing, tally: FuzzTally): void {
  report.compiled += tally.compiled;
  report.refused += tally.refused;
  report.peakRssBytes = Math.max(report.peakRssBytes, tally.peakRssBytes);
  if (tally.slowestMs > report.slowestMs) Object.assign(report, { slowestMs: tally.slowestMs, slowest: tally.slowest });
}

/** @returns the number to go on with. */
function runChild(file: string, from: number, to: number, report: Growing): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(file, {
      execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let current: Extract<FuzzMessage, { at: number }> = { at: from, name: `#${from}`, tally: NOTHING };
    let done = false;
    let hung = false;
    let last = '';
    child.stderr?.on('data', (data: Buffer) => (last = (last + data.toString()).slice(-600)));
    const watch = (): NodeJS.Timeout =>
      setTimeout(() => {
        hung = true;
        child.kill('SIGKILL');
      }, SILENCE_MS_MAX);
    let timer = watch();
    child.on('message', (message: FuzzMessage) => {
      clearTimeout(timer);
      timer = watch();
      if ('at' in message) current = message;
      else if ('fault' in message) report.faults.push(`${message.name}: ${message.fault}`);
      else current = { ...current, tally: message.done };
      done ||= 'done' in message;
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      add(report, current.tally);
      if (!done)
        report.faults.push(
          `${current.name}: ${hung ? `no word for ${SILENCE_MS_MAX} ms` : `the process ended (${signal ?? code}) ${last}`}`,
        );
      resolve(done ? to : current.at + 1);
    });
    child.send({ from, to });
  });
}
