/** Real sockets on a real http server: paths kept apart, signalling with proven identities, bytes counted. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { CONTROL_MESSAGE_BYTES_MAX, SIGNAL_MESSAGE_BYTES_MAX, SIGNAL_QUEUE_MS_MAX, SIGNAL_TOKEN_AGE_MS_MAX } from '#lib/protocol/limits.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { world, type World } from './harness.ts';

let w: World;
let server: Server;
let base: string;
const open: WebSocket[] = [];

beforeAll(async () => {
  w = await world();
  server = createServer((_, response) => response.end('site'));
  // Stands for Vite's hot reload: another socket on the same port.
  const other = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/hot') other.handleUpgrade(request, socket, head, (ws) => ws.send('hot'));
  });
  w.coordinator.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 120_000);
afterEach(() => {
  for (const ws of open.splice(0)) ws.terminate();
});
afterAll(async () => {
  await w.coordinator.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

interface Line {
  readonly ws: WebSocket;
  readonly closed: Promise<number>;
  next(): Promise<Record<string, unknown>>;
}

function connect(path: string): Line {
  const ws = new WebSocket(base + path);
  open.push(ws);
  const got: string[] = [];
  const waiting: ((text: string) => void)[] = [];
  ws.on('message', (data) => {
    const take = waiting.shift();
    if (take) take(String(data));
    else got.push(String(data));
  });
  ws.on('error', () => {});
  const closed = new Promise<number>((resolve) => ws.on('close', resolve));
  const next = async (): Promise<Record<string, unknown>> => {
    const text = got.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)));
    return text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : { text };
  };
  return { ws, closed, next };
}

async function peer(identity?: Identity): Promise<Line & { id: string; identity: Identity }> {
  const who = identity ?? (await identityFromSecret(randomBytes(32)));
  const id = `${who.key}-${toHex(randomBytes(4))}`;
  const line = connect(`/peerjs/peerjs?key=peerjs&id=${id}&token=${await signalToken(who, 'test', id, w.clock.nowMs())}&version=1.5.5`);
  expect(await line.next()).toEqual({ type: 'OPEN' });
  return { ...line, id, identity: who };
}

const status = async () =>
  (await (await w.coordinator.http(new Request('http://c/api/status')))!.json()) as {
    bytes: Record<string, { in: number; out: number }>;
    counts: Record<string, number>;
  };

describe('paths', () => {
  test('each socket is its own, and others are left alone', async () => {
    expect(await connect('/control').next()).toMatchObject({ type: 'challenge', network: 'test' });
    expect(await connect('/hot').next()).toEqual({ text: 'hot' });
  });

  test('a frame beyond the bound ends the connection', async () => {
    const line = connect('/control');
    await line.next();
    line.ws.send('x'.repeat(CONTROL_MESSAGE_BYTES_MAX + 1));
    expect(await line.closed).toBe(1009);
  });

  test('the surface is read only and says so', async () => {
    expect((await w.coordinator.http(new Request('http://c/api/status', { method: 'POST' })))!.status).toBe(405);
    expect(await w.coordinator.http(new Request('http://c/create'))).toBeNull();
    expect((await w.coordinator.http(new Request('http://c/api/jobs/7')))!.status).toBe(400);
    expect((await w.coordinator.http(new Request(`http://c/api/jobs/${'0'.repeat(32)}`)))!.status).toBe(404);
    expect(await (await w.coordinator.http(new Request('http://c/api/health')))!.json()).toEqual({ ok: true });
  });
});

describe('signalling', () => {
  test('carries offers between proven peers, and the sender can’t lie about itself', async () => {
    const [a, b] = [await peer(), await peer()];
    a.ws.send(JSON.stringify({ type: 'HEARTBEAT' }));
    a.ws.send(JSON.stringify({ type: 'OFFER', src: b.id, dst: b.id, payload: { sdp: 'v=0' } }));
    expect(await b.next()).toEqual({ type: 'OFFER', src: a.id, dst: b.id, payload: { sdp: 'v=0' } });
    b.ws.send(JSON.stringify({ type: 'LEAVE', dst: a.id }));
    expect(await a.next()).toMatchObject({ type: 'LEAVE', src: b.id });
    const { bytes } = await status();
    expect(bytes.signal!.in).toBeGreaterThan(100);
    expect(bytes.signal!.out).toBeGreaterThan(100);
  });

  test('keeps an offer that overtakes its receiver', async () => {
    const a = await peer();
    const late = await identityFromSecret(randomBytes(32));
    const id = `${late.key}-00000001`;
    a.ws.send(JSON.stringify({ type: 'OFFER', dst: id, payload: 1 }));
    a.ws.send(JSON.stringify({ type: 'OFFER', dst: a.id, payload: 2 }));
    expect(await a.next()).toMatchObject({ payload: 2 });
    const line = connect(`/peerjs/peerjs?id=${id}&token=${await signalToken(late, 'test', id, w.clock.nowMs())}`);
    expect(await line.next()).toEqual({ type: 'OPEN' });
    expect(await line.next()).toMatchObject({ type: 'OFFER', src: a.id, payload: 1 });
  });

  test('tells the sender when the receiver never comes', async () => {
    const a = await peer();
    const nobody = `${'0'.repeat(64)}-00000000`;
    a.ws.send(JSON.stringify({ type: 'OFFER', dst: nobody, payload: 1 }));
    a.ws.send(JSON.stringify({ type: 'OFFER', dst: a.id, payload: 2 }));
    await a.next();
    w.clock.advance(SIGNAL_QUEUE_MS_MAX);
    expect(await a.next()).toEqual({ type: 'EXPIRE', src: nobody, dst: a.id });
  });

  test.each([
    ['a token of another key', async (id: string) => signalToken(await identityFromSecret(randomBytes(32)), 'test', id, w.clock.nowMs())],
    ['a token of another network', (id: string, own: Identity) => signalToken(own, 'other', id, w.clock.nowMs())],
    ['a token of another id', (id: string, own: Identity) => signalToken(own, 'test', id.replace(/.$/, 'x'), w.clock.nowMs())],
    ['an old token', (id: string, own: Identity) => signalToken(own, 'test', id, w.clock.nowMs() - SIGNAL_TOKEN_AGE_MS_MAX - 1)],
    ['no token', async () => ''],
  ])('%s opens nothing', async (_name, make) => {
    const identity = await identityFromSecret(randomBytes(32));
    const id = `${identity.key}-0000000a`;
    const line = connect(`/peerjs/peerjs?id=${id}&token=${await make(id, identity)}`);
    expect(await line.next()).toMatchObject({ type: 'ERROR' });
    await line.closed;
  });

  test('a newer connection of one id replaces the older', async () => {
    const a = await peer();
    const again = connect(`/peerjs/peerjs?id=${a.id}&token=${await signalToken(a.identity, 'test', a.id, w.clock.nowMs())}`);
    expect(await again.next()).toEqual({ type: 'OPEN' });
    await a.closed;
    const b = await peer();
    b.ws.send(JSON.stringify({ type: 'OFFER', dst: a.id, payload: 3 }));
    expect(await again.next()).toMatchObject({ payload: 3 });
  });

  test('drops and counts what is no message, and ends what is too big', async () => {
    const a = await peer();
    const before = (await status()).counts['signal-dropped'] ?? 0;
    for (const text of ['{', '{"type":"OFFER"}', '{"type":"HELLO","dst":"x"}']) a.ws.send(text);
    a.ws.send(JSON.stringify({ type: 'OFFER', dst: a.id, payload: 4 }));
    await a.next();
    expect((await status()).counts['signal-dropped']).toBe(before + 3);
    a.ws.send('x'.repeat(SIGNAL_MESSAGE_BYTES_MAX + 1));
    expect(await a.closed).toBe(1009);
  });
});
