/**
 * WebSockets of the coordinator on somebody else's http server: `upgrade` is routed by path, so that
 * Vite's hot reload and other sockets share the port. Frames beyond the size bound end the connection
 * before they are read into memory.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { CONTROL_MESSAGE_BYTES_MAX, SIGNAL_MESSAGE_BYTES_MAX, SOCKET_PING_MS } from '../protocol/limits.ts';
import type { Core } from './core.ts';
import type { ControlLink } from './sessions.ts';
import type { SignalLink } from './signal.ts';

export const CONTROL_PATH = '/control';
export const SIGNAL_PATH = '/peerjs/peerjs';

/** For the other side to take what was sent and answer the closing handshake. */
const CLOSE_GRACE_MS = 1_000;

interface Sockets {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  close(): void;
}

export function attachSockets(
  core: Core,
  control: (link: ControlLink) => void,
  signal: (link: SignalLink, query: URLSearchParams) => void,
): Sockets {
  const options = { noServer: true, perMessageDeflate: false, clientTracking: true } as const;
  const controls = new WebSocketServer({ ...options, maxPayload: CONTROL_MESSAGE_BYTES_MAX });
  const signals = new WebSocketServer({ ...options, maxPayload: SIGNAL_MESSAGE_BYTES_MAX });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): boolean => {
    // The http server lets go of an upgraded socket: an error that nobody hears would end the process.
    socket.on('error', () => core.counters.count('upgrade-error'));
    const { path, query } = targetOf(request);
    if (path === CONTROL_PATH) {
      controls.handleUpgrade(request, socket, head, (ws) => control(linkOf(core, ws, request.socket.remoteAddress)));
    } else if (path === SIGNAL_PATH) {
      signals.handleUpgrade(request, socket, head, (ws) => signal(linkOf(core, ws, request.socket.remoteAddress), query));
    } else {
      return false;
    }
    return true;
  };
  const close = (): void => {
    for (const server of [controls, signals]) {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  };
  return { upgrade, close };
}

/** Cut by hand, because what a stranger sends need not be a URL; this can't throw. */
function targetOf(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const target = request.url ?? '/';
  const cut = target.indexOf('?');
  return cut < 0
    ? { path: target, query: new URLSearchParams() }
    : { path: target.slice(0, cut), query: new URLSearchParams(target.slice(cut + 1)) };
}

/** The answer to an upgrade that nobody on this port takes. */
export function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => {});
  socket.once('finish', () => socket.destroy());
  socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
}

function linkOf(core: Core, ws: WebSocket, address = ''): ControlLink {
  heartbeat(core, ws);
  let closing = false;
  ws.on('error', () => core.counters.count('socket-error'));
  return {
    address,
    send: (text) => {
      if (ws.readyState === ws.OPEN) ws.send(text);
    },
    onMessage: (listener) => {
      ws.on('message', (data, isBinary) => {
        if (isBinary) core.counters.count('message-binary');
        else listener(String(data));
      });
    },
    onClose: (listener) => void ws.on('close', listener),
    close: () => {
      if (closing) return;
      closing = true;
      ws.close();
      // A peer that is gone never answers the closing handshake.
      setTimeout(() => ws.terminate(), CLOSE_GRACE_MS).unref();
    },
    bufferedBytes: () => ws.bufferedAmount,
  };
}

/** Finds connections that died without a word: the WebSocket protocol answers pings by itself. */
function heartbeat(core: Core, ws: WebSocket): void {
  let answered = true;
  const timer = setInterval(() => {
    if (answered) {
      answered = false;
      ws.ping();
      return;
    }
    core.counters.count('socket-dead');
    ws.terminate();
  }, SOCKET_PING_MS);
  ws.on('pong', () => (answered = true));
  ws.on('close', () => clearInterval(timer));
}
