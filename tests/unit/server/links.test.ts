/** Connections that say nothing, take nothing, or leave too early: each costs a bounded amount for a bounded time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomBytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { CONTROL_BUFFERED_BYTES_MAX, CONTROL_CONNECTIONS_MAX, CONTROL_SILENCE_MS_MAX } from '#lib/protocol/limits.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { Sessions, type ControlLink } from '#lib/server/sessions.ts';
import { world, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterAll(() => w.coordinator.close());

class Wire implements ControlLink {
  readonly sent: { type: string; payload?: unknown }[] = [];
  closed = false;
  buffered = 0;
  toServer: (text: string) => void = () => {};
  #onClose: () => void = () => {};

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }
  onMessage(listener: (text: string) => void): void {
    this.toServer = listener;
  }
  onClose(listener: () => void): void {
    this.#onClose = listener;
  }
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#onClose();
  }
  bufferedBytes(): number {
    return this.buffered;
  }
}

const counts = async (): Promise<Record<string, number>> =>
  ((await (await w.coordinator.http(new Request('http://c/api/status')))!.json()) as { counts: Record<string, number> }).counts;
const settle = async (): Promise<void> => {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
};

async function signalWire(leaveAtOnce = false): Promise<{ wire: Wire; id: string }> {
  const identity = await identityFromSecret(randomBytes(32));
  const id = `${identity.key}-00000001`;
  const wire = new Wire();
  w.coordinator.signal(wire, new URLSearchParams({ id, token: await signalToken(identity, 'test', id, w.clock.nowMs()) }));
  if (leaveAtOnce) wire.close();
  await settle();
  return { wire, id };
}

test('a control connection that never says who it is is closed; one that did stays', async () => {
  const silent = new Wire();
  w.coordinator.connect(silent);
  expect(silent.sent[0]).toMatchObject({ type: 'challenge' });
  const client = await w.join(['creator']);
  await w.pass(CONTROL_SILENCE_MS_MAX - 500);
  expect(silent.closed).toBe(false);
  await w.pass(1_500);
  expect(silent.closed).toBe(true);
  expect(client.closed).toBe(false);
});

test('connections are counted from the first byte, not from the hello', () => {
  const sessions = new Sessions();
  const links = Array.from({ length: CONTROL_CONNECTIONS_MAX }, () => new Wire());
  for (const link of links) expect(sessions.open(link, 0)).toBe(true);
  expect(sessions.open(new Wire(), 0)).toBe(false);
  sessions.closed(links[0]!);
  expect(sessions.open(new Wire(), 0)).toBe(true);
  expect(sessions.unprovenSince(1)).toHaveLength(CONTROL_CONNECTIONS_MAX);
  sessions.proven(links[1]!);
  expect(sessions.unprovenSince(1)).toHaveLength(CONTROL_CONNECTIONS_MAX - 1);
});

test('a signalling peer that takes nothing of what it is sent is closed', async () => {
  const [from, to] = [await signalWire(), await signalWire()];
  const offer = JSON.stringify({ type: 'OFFER', dst: to.id, payload: 'x' });
  from.wire.toServer(offer);
  expect(to.wire.sent.at(-1)).toMatchObject({ type: 'OFFER' });
  to.wire.buffered = CONTROL_BUFFERED_BYTES_MAX + 1;
  const before = to.wire.sent.length;
  from.wire.toServer(offer);
  expect(to.wire.closed).toBe(true);
  expect(to.wire.sent).toHaveLength(before);
  expect((await counts())['slow-consumer']).toBe(1);
});

test('a signalling peer that left while its token was looked at leaves nothing behind', async () => {
  const { id, wire } = await signalWire(true);
  expect(wire.sent).toEqual([]);
  const from = await signalWire();
  from.wire.toServer(JSON.stringify({ type: 'OFFER', dst: id, payload: 'x' }));
  expect(wire.sent).toEqual([]);
});
