/** `npm run bench`: reads the options, runs what they ask for, prints a table or one line of JSON. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findVulkan, SYSTEM_PLACES } from '#cli/gpu-environment.ts';
import { cacheFolder } from '#cli/paths.ts';
import { lavapipe } from '../stacks/lavapipe.ts';
import { buildReport, buildText } from './build.ts';
import { denoiseReport } from './denoise.ts';
import { denoiseText } from './denoise-text.ts';
import { dropReport, dropText } from './drop.ts';
import { ledgerReport, ledgerText } from './ledger.ts';
import { HELP, readOptions, type BenchOptions } from './options.ts';
import { circumstances, record } from './record.ts';
import { browserText } from './report-browser.ts';
import { nodeText } from './report-node.ts';
import { browserReport } from './run-browser.ts';
import { nodeReport } from './run-node.ts';

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** A process keeps the Vulkan driver it began with, so each driver gets one of its own. */
async function eachDriver(drivers: readonly string[]): Promise<void> {
  const manifests: Readonly<Record<string, () => string | undefined>> = {
    swiftshader: () => findVulkan(cacheFolder(), { ...SYSTEM_PLACES, driverFolders: [] }).drivers.at(-1),
    lavapipe: () => lavapipe().manifest,
    default: () => undefined,
  };
  for (const driver of drivers) {
    const find = manifests[driver];
    if (!find) throw new Error(`--drivers takes ${Object.keys(manifests).join(', ')}, not ${driver}`);
    const manifest = find();
    const args = process.argv.slice(1).filter((word, i, all) => word !== '--drivers' && all[i - 1] !== '--drivers');
    const env = { ...process.env, ...(manifest === undefined ? {} : { VK_ICD_FILENAMES: manifest }) };
    const child = spawn(process.execPath, args, { env, stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) say(`${driver} ended with ${code ?? 'a signal'}.`);
  }
}

function tell(options: BenchOptions, title: string, report: object, text: string): void {
  process.stdout.write(options.json ? `${JSON.stringify({ circumstances: circumstances(), ...report })}\n` : `${text}\n`);
  if (options.write) record(title, text);
}

/** What the ledger costs: it has nothing to do with pictures, and none of their options but two. */
async function ledger(): Promise<void> {
  const report = await ledgerReport(say);
  const text = ledgerText(report);
  process.stdout.write(
    process.argv.includes('--json') ? `${JSON.stringify({ circumstances: circumstances(), ...report })}\n` : `${text}\n`,
  );
  if (process.argv.includes('--write')) record('Ledger', text);
}

async function main(): Promise<void> {
  if (process.argv.includes('--ledger')) return ledger();
  const options = readOptions(process.argv.slice(2));
  if (options.mode === 'help') process.stdout.write(HELP.trimStart());
  if ((options.mode === 'node' || options.mode === 'denoise') && options.drivers.length > 0) return eachDriver(options.drivers);
  if (options.mode === 'node') {
    const report = await nodeReport(options, say);
    tell(options, `Node, ${report.adapter}`, report, nodeText(report));
  }
  if (options.mode === 'denoise') {
    const report = await denoiseReport(options, say);
    tell(options, `Denoiser, ${report.adapter}`, report, denoiseText(report));
  }
  if (options.mode === 'build') {
    const report = await buildReport(options.scenes, say);
    tell(options, 'Hierarchy builds', report, buildText(report));
  }
  if (options.mode === 'drop') {
    const report = await dropReport(options, say);
    tell(options, `Drop to first light, ${report.browser}, ${report.adapter}`, report, dropText(report));
  }
  if (options.mode === 'browser') {
    const report = await browserReport(options, say);
    tell(options, `${report.browser}, ${report.adapter}`, report, browserText(report));
  }
}

try {
  await main();
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
process.exit(0);
