/** Raw strangers on the port: nothing they send may end the process, and nothing they hold open stays for ever. */
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { refuseUpgrade } from '#lib/server/sockets.ts';
import { world, type World } from './harness.ts';

let w: World;
let server: Server;
/** Both ends of every connection. */
const open: Socket[] = [];
/** What would have ended the process. */
let uncaught: unknown[] = [];
const onUncaught = (error: unknown): void => void uncaught.push(error);
let others: NodeJS.UncaughtExceptionListener[] = [];

beforeAll(async () => {
  w = await world();
}, 120_000);
afterAll(() => w.coordinator.close());
beforeEach(async () => {
  server = createServer((_, response) => response.end('site'));
  server.on('connection', (socket) => open.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  uncaught = [];
  others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', onUncaught);
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  process.off('uncaughtException', onUncaught);
  for (const listener of others) process.on('uncaughtException', listener);
});

/** Sends an upgrade request for `target`. @returns what is answered until the connection ends. */
async function upgrade(target: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  open.push(socket);
  socket.on('error', () => {});
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  const answer = new Promise<string>((resolve) => socket.on('close', () => resolve(String(Buffer.concat(parts)))));
  const taken = new Promise((resolve) => server.once('upgrade', resolve));
  const key = Buffer.alloc(16).toString('base64');
  socket.write(
    `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await taken;
  return { socket, answer };
}

test.each(['//', '//a:b@:99999', '/%', '/control/../foo', '/peerjs/peerjs?%'])('an upgrade of %s is survived', async (target) => {
  w.coordinator.attach(server);
  await upgrade(target);
  expect(await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).text()).toBe('site');
  expect(uncaught).toEqual([]);
});

test('a connection that is reset before anybody took it is survived', async () => {
  w.coordinator.attach(server);
  const gone = new Promise((resolve) => server.on('upgrade', (_, socket) => socket.on('close', resolve)));
  const { socket } = await upgrade('/foo');
  socket.resetAndDestroy();
  await gone;
  await new Promise((resolve) => setImmediate(resolve));
  expect(uncaught).toEqual([]);
});

test('an upgrade that nobody takes is told so and ended', async () => {
  server.on('upgrade', (request, socket, head) => {
    if (!w.coordinator.upgrade(request, socket, head)) refuseUpgrade(socket);
  });
  expect(await (await upgrade('/foo')).answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(await (await upgrade('//')).answer).toMatch(/^HTTP\/1\.1 404 /);
});
