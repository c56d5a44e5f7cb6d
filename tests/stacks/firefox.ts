/**
 * Starts the system's Firefox, headless and with WebGPU on, at one address, and ends it with all of
 * its helpers. Nothing drives it: the page it opens does the work and reports. Also Vitest's provider
 * for browser tests made of that. Refuses to download a browser.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { prepareVulkan } from '#cli/gpu-environment.ts';
import { cacheFolder } from '#cli/paths.ts';
import type { BrowserProvider, BrowserProviderOption } from 'vitest/node';

const PLACES = ['/usr/bin/firefox-esr', '/usr/bin/firefox', '/usr/local/bin/firefox'];

/** PICTOR_FIREFOX, else a system one. @throws Error when there is none: a stack is never skipped. */
function firefoxPath(): string {
  const found = process.env.PICTOR_FIREFOX ?? PLACES.find((path) => existsSync(path));
  if (!found) throw new Error('no Firefox: install firefox-esr, or set PICTOR_FIREFOX');
  return found;
}

/** WebGPU on any adapter, also in workers; no first-run pages, no calls home. */
const PREFS: Readonly<Record<string, boolean | number | string>> = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'gfx.webgpu.ignore-blocklist': true,
  'dom.max_script_run_time': 0,
  'dom.ipc.processHangMonitor': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.sessionstore.resume_from_crash': false,
  'toolkit.startup.max_resumed_crashes': -1,
  'datareporting.policy.dataSubmissionEnabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'toolkit.telemetry.enabled': false,
  'app.update.enabled': false,
  'app.normandy.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
};

export interface RunningBrowser {
  /** Resolves when the program has ended, however. */
  readonly ended: Promise<number | string>;
  stop(): Promise<void>;
}

/** Any program that shows `url`, in a process group of its own; `profile` is removed when it ends. */
export function startBrowser(program: string, args: readonly string[], profile: string, environment: NodeJS.ProcessEnv): RunningBrowser {
  const child = spawn(program, [...args], { env: { ...environment, HOME: profile }, stdio: 'ignore', detached: true });
  const ended = new Promise<number | string>((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => done(code ?? signal ?? 'nothing'));
  });
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  return { ended, stop };
}

export function startFirefox(url: string, environment: NodeJS.ProcessEnv): RunningBrowser {
  const program = firefoxPath();
  const profile = mkdtempSync(join(tmpdir(), 'pictor-firefox-'));
  const lines = Object.entries(PREFS).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  writeFileSync(join(profile, 'user.js'), lines.join('\n'));
  return startBrowser(program, ['--headless', '--no-remote', '--profile', profile, url], profile, environment);
}

/** Firefox for Vitest's browser mode: it opens the runner's page, and the page does the rest. */
class FirefoxProvider implements BrowserProvider {
  readonly name = 'firefox';
  readonly supportsParallelism = false;
  readonly #open: RunningBrowser[] = [];

  getCommandsContext(): Record<string, unknown> {
    return {};
  }

  async openPage(_session: string, url: string): Promise<void> {
    await this.close();
    prepareVulkan(cacheFolder());
    this.#open.push(startFirefox(url, process.env));
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((browser) => browser.stop()));
  }
}

/** Vitest's own page server with our browser in front of it. */
export function firefoxProvider(): BrowserProviderOption {
  const { serverFactory } = playwright();
  return { name: 'firefox', supportedBrowser: ['firefox'], options: {}, serverFactory, providerFactory: () => new FirefoxProvider() };
}
