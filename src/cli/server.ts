/**
 * One port for everything: the built site, the coordinator's sockets and its HTTP surface. Refuses
 * to start without the built site, or on a port that somebody else holds.
 */
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { setCoordinator } from '#lib/server/instance.ts';
import { refuseUpgrade } from '#lib/server/sockets.ts';
import { CommandError } from './command.ts';
import { projectRoot } from './paths.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** How many ports above `port` may be tried when it is taken. */
  readonly portsMore: number;
  readonly data: string;
  readonly log: (line: string) => void;
}

export interface RunningServer {
  readonly origin: string;
  readonly coordinator: Coordinator;
  close(): Promise<void>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Open pages and agents are told to come back; the port is free at once. */
const CLOSE_GRACE_MS = 2_000;
const HEALTH_TIMEOUT_MS = 2_000;

/** @throws CommandError */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const handler = await siteHandler();
  const server = createServer((request, response) => {
    // The site learns its own address from the request; a proxy in front may know better.
    request.headers['x-forwarded-proto'] ??= 'http';
    handler(request, response);
  });
  const port = await listen(server, options);
  let coordinator: Coordinator;
  try {
    const databaseUrl = process.env.DATABASE_URL;
    coordinator = await createCoordinator({ ...(databaseUrl ? { databaseUrl } : { dataDir: options.data }), logger: options.log });
  } catch (error) {
    server.close();
    throw new CommandError(`the coordinator could not start: ${error instanceof Error ? error.message : String(error)}`);
  }
  setCoordinator(coordinator);
  // Nobody else has sockets on this port, so what the coordinator does not take is refused.
  server.on('upgrade', (request, socket, head) => {
    if (!coordinator.upgrade(request, socket, head)) refuseUpgrade(socket);
  });
  return {
    origin: `http://${urlHost(options.host)}:${port}`,
    coordinator,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await coordinator.close();
      setCoordinator(undefined);
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
      await closed;
    },
  };
}

/** The address to open when listening on all of them is loopback. */
const urlHost = (host: string): string => (['0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host);

async function siteHandler(): Promise<Handler> {
  const path = join(projectRoot(), 'build/site/handler.js');
  if (!existsSync(path)) throw new CommandError('the site is not built: run `npm run build`');
  process.env.PROTOCOL_HEADER ??= 'x-forwarded-proto';
  const { handler } = (await import(pathToFileURL(path).href)) as { handler: Handler };
  return handler;
}

async function listen(server: Server, { host, port, portsMore }: ServerOptions): Promise<number> {
  for (let more = 0; ; more++) {
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port === 0 ? 0 : port + more, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return (server.address() as AddressInfo).port;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && portsMore > 0 && (await isPictor(`http://${urlHost(host)}:${port + more}`))) {
        throw new CommandError(`pictor already runs at http://${urlHost(host)}:${port + more}`);
      }
      if (code === 'EADDRINUSE' && more < portsMore) continue;
      throw new CommandError(
        code === 'EADDRINUSE' ? `port ${port} is taken: choose another with --port` : `can't listen on ${host}:${port}: ${message}`,
      );
    }
  }
}

/** Two coordinators on one data folder would be one too many; a stranger on the port is just in the way. */
async function isPictor(origin: string): Promise<boolean> {
  try {
    const response = await fetch(`${origin}/api/status`, { signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS) });
    return response.ok && 'network' in ((await response.json()) as object);
  } catch {
    return false;
  }
}
