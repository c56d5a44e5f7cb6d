/** Keeps one local agent running beside the server: started again when it ends, ended with us. */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './paths.ts';

const RESTART_MS_MIN = 1_000;
const RESTART_MS_MAX = 30_000;

/** Told by the agent when its roles have started. */
export interface AgentReady {
  /** The device in words. */
  readonly device: string;
  readonly software: boolean;
}

export interface LocalAgent {
  /** Rejects with a sentence when the agent ends before it was ready. */
  readonly ready: Promise<AgentReady>;
  readonly logFile: string;
  stop(): Promise<void>;
}

export function startLocalAgent(origin: string, data: string): LocalAgent {
  mkdirSync(data, { recursive: true });
  const logFile = join(data, 'agent.log');
  const log = openSync(logFile, 'w');
  let child: ChildProcess;
  let stopping = false;
  let waitMs = RESTART_MS_MIN;
  let restart: NodeJS.Timeout | undefined;
  const ready = new Promise<AgentReady>((resolve, reject) => {
    const run = (): void => {
      child = fork(join(projectRoot(), 'build/cli/pictor.js'), ['agent', '--network', origin, '--data', data], {
        stdio: ['ignore', log, log, 'ipc'],
        // A terminal's Ctrl-C goes to the whole group; the agent is to end when we say so.
        detached: true,
      });
      child.on('message', (message: AgentReady) => {
        waitMs = RESTART_MS_MIN;
        resolve(message);
      });
      child.on('exit', () => {
        reject(new Error(`the local agent ended; its log is ${logFile}`));
        if (stopping) return;
        restart = setTimeout(run, waitMs);
        waitMs = Math.min(waitMs * 2, RESTART_MS_MAX);
      });
    };
    run();
  });
  return {
    ready,
    logFile,
    stop: async () => {
      stopping = true;
      clearTimeout(restart);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await ended;
    },
  };
}
