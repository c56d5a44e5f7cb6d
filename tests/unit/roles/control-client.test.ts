import { beforeEach, describe, expect, test } from 'vitest';
import { fromHex } from '#lib/protocol/bytes.ts';
import { helloBytes, parseClientMessage, PROTOCOL_VERSION, type ClientMessage, type ServerMessage } from '#lib/protocol/control.ts';
import { envelopeHash, identityFromSecret, open, verifySignature, type Identity } from '#lib/protocol/envelope.ts';
import { CONTROL_SILENCE_MS_MAX, RECONNECT_BACKOFF_MS_MAX } from '#lib/protocol/limits.ts';
import { ControlClient } from '#lib/roles/control-client.ts';
import type { ControlSocketEvents } from '#lib/roles/control-socket.ts';
import { MemoryOutbox } from '#lib/roles/outbox.ts';
import type { ControlOutcome } from '#lib/roles/types.ts';
import { turns, VirtualClock } from '../../sim/virtual-clock.ts';

const CHALLENGE = 'e'.repeat(64);
const policy = { pricePerWorkUnitMicro: '1', checkerShare: 80, feeShare: 20, grantMicro: '1', grantWorkBits: 4, leavesPerCheck: 4 };

/** The coordinator's end of the sockets: answers hello and ping, and submits as told. */
class Far {
  readonly received: ClientMessage[] = [];
  connections = 0;
  key = 'f'.repeat(64);
  refuseConnections = false;
  version: typeof PROTOCOL_VERSION = PROTOCOL_VERSION;
  mute = false;
  answer: (message: Extract<ClientMessage, { type: 'submit' }>) => 'ack' | 'refuse' | 'drop' = () => 'ack';
  #events: ControlSocketEvents | null = null;

  connect = (events: ControlSocketEvents) => {
    this.connections++;
    let open = true;
    const close = (): void => {
      if (open) queueMicrotask(() => events.closed());
      open = false;
    };
    this.#events = events;
    queueMicrotask(() =>
      this.refuseConnections ? close() : this.say({ type: 'challenge', challenge: CHALLENGE, network: 'testnet', version: this.version }),
    );
    return { send: (text: string) => this.#take(text, close), close };
  };

  say(message: ServerMessage): void {
    this.#events?.message(JSON.stringify(message));
  }

  raw(text: string): void {
    this.#events?.message(text);
  }

  cut(): void {
    this.#events?.closed();
  }

  #take(text: string, close: () => void): void {
    const message = parseClientMessage(text);
    if (!message) throw new Error(`not a client message: ${text}`);
    this.received.push(message);
    if (this.mute) return;
    if (message.type === 'hello')
      this.say({ type: 'welcome', id: message.id, coordinatorKey: this.key, policy, iceServers: [], timeMs: 1 });
    else if (message.type === 'submit') {
      const answer = this.answer(message);
      if (answer === 'ack') this.say({ type: 'ack', id: message.id, ref: 'taken' });
      else if (answer === 'refuse') this.say({ type: 'refused', id: message.id, reason: 'no', text: 'No.' });
      else close();
    } else this.say({ type: 'ack', id: message.id });
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter((message) => message.type === type) as Extract<ClientMessage, { type: T }>[];
  }
}

let clock: VirtualClock;
let far: Far;
let identity: Identity;
beforeEach(async () => {
  clock = new VirtualClock();
  far = new Far();
  identity = await identityFromSecret(new Uint8Array(32).fill(7));
});

const client = (outbox = new MemoryOutbox()): ControlClient =>
  new ControlClient({
    connect: far.connect,
    identity,
    peer: `${identity.key}-0000abcd`,
    clock,
    roles: ['worker'],
    outbox,
    random: () => 0.5,
  });

async function until(holds: () => boolean, limitMs = 60_000): Promise<void> {
  if (!(await clock.run(holds, limitMs, () => turns(2)))) throw new Error('it never came to that');
}

/** Lets so much virtual time pass. */
async function pass(ms: number): Promise<void> {
  const endMs = clock.nowMs() + ms;
  void clock.sleep(new AbortController().signal, ms);
  await until(() => clock.nowMs() >= endMs, ms + 1);
}

describe('connection', () => {
  test('a coordinator of another version gets no hello, and the client says which of both is behind', async () => {
    far.version = (PROTOCOL_VERSION + 1) as typeof PROTOCOL_VERSION;
    const versions = [PROTOCOL_VERSION + 1, PROTOCOL_VERSION];
    const control = client();
    await until(() => control.fault !== null);
    expect(control.fault).toBe(
      `The coordinator speaks version ${versions[0]} of the protocol, this program version ${versions[1]}: reload the page, or update the program.`,
    );
    expect([far.received, control.connected]).toEqual([[], false]);
    // Once it is updated, or put back, all is well.
    far.version = PROTOCOL_VERSION;
    await until(() => control.connected, 60_000);
    expect(control.fault).toBeNull();
    await control.close();
  });

  test('the hello proves the key to this network, challenge and peer', async () => {
    const control = client();
    await until(() => control.connected);
    const [hello] = far.of('hello');
    expect(hello).toMatchObject({ key: identity.key, roles: ['worker'] });
    expect(await verifySignature(fromHex(hello!.proof), helloBytes('testnet', CHALLENGE, hello!.peer), fromHex(identity.key))).toBe(true);
    expect(control).toMatchObject({ network: 'testnet', coordinatorKey: far.key, policy });
    await control.close();
  });

  test('it is made again for ever, never later than the longest back-off', async () => {
    far.refuseConnections = true;
    const control = client();
    await pass(60_000);
    expect(far.connections).toBeGreaterThan(60_000 / RECONNECT_BACKOFF_MS_MAX - 1);
    far.refuseConnections = false;
    await until(() => control.connected, RECONNECT_BACKOFF_MS_MAX + 1);
    await control.close();
    const { connections } = far;
    await pass(20_000);
    expect(far.connections).toBe(connections);
  });

  test('a coordinator that falls silent is left, one that answers pings is not', async () => {
    const control = client();
    await until(() => control.connected);
    await pass(60_000);
    expect(far.connections).toBe(1);
    far.mute = true;
    await pass(3 * CONTROL_SILENCE_MS_MAX);
    expect(far.connections).toBeGreaterThan(1);
    await control.close();
  });

  test('what does not parse is dropped and counted, and told to nobody', async () => {
    const control = client();
    await until(() => control.connected);
    const heard: string[] = [];
    control.on((event) => heard.push(event.type));
    far.raw('{"type":"balance","balanceMicro":"-1","pendingMicro":"0"}');
    far.raw('nonsense');
    far.say({ type: 'balance', balanceMicro: '12', pendingMicro: '3' });
    await turns();
    expect(control.dropped).toBe(2);
    expect(heard).toEqual(['balance']);
    expect(control.balance).toEqual({ balanceMicro: 12n, pendingMicro: 3n });
    await control.close();
  });

  test('another key on the same network is not believed', async () => {
    const control = client();
    await until(() => control.connected);
    far.key = '0'.repeat(64);
    far.cut();
    await pass(10_000);
    expect(control.connected).toBe(false);
    expect(control.coordinatorKey).toBe('f'.repeat(64));
    await control.close();
  });

  test('changed roles are told on the connection that stands', async () => {
    const control = client();
    await until(() => control.connected);
    control.setRoles(['worker', 'creator']);
    await until(() => far.of('hello').length === 2);
    expect(far.of('hello')[1]!.roles).toEqual(['worker', 'creator']);
    control.setRoles(['creator', 'worker']);
    await pass(1_000);
    expect(far.of('hello')).toHaveLength(2);
    expect(far.connections).toBe(1);
    await control.close();
  });
});

describe('envelopes', () => {
  test('one is sent again after every lost connection, the same bytes, until it is acknowledged', async () => {
    let drops = 3;
    far.answer = () => (drops-- > 0 ? 'drop' : 'ack');
    const control = client();
    const outcomes: ControlOutcome[] = [];
    void control.submit('grant', { work: '0'.repeat(16) }).then((outcome) => outcomes.push(outcome));
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ status: 'ok', ref: 'taken' }]);
    const sent = far.of('submit');
    expect(sent).toHaveLength(4);
    expect(new Set(sent.map((message) => envelopeHash(message.envelope))).size).toBe(1);
    expect(await open(sent[0]!.envelope, { network: 'testnet', purpose: 'grant' })).toMatchObject({ ok: true });
    far.cut();
    await pass(5_000);
    expect(far.of('submit')).toHaveLength(4);
    await control.close();
  });

  test('a refusal ends it', async () => {
    far.answer = () => 'refuse';
    const control = client();
    const outcomes: ControlOutcome[] = [];
    void control.submit('grant', {}).then((outcome) => outcomes.push(outcome));
    await until(() => outcomes.length > 0);
    expect(outcomes).toEqual([{ status: 'refused', reason: 'no', text: 'No.' }]);
    far.cut();
    await pass(5_000);
    expect(far.of('submit')).toHaveLength(1);
    await control.close();
  });

  test('what one page could not deliver, the next one does', async () => {
    const outbox = new MemoryOutbox();
    far.answer = () => 'drop';
    const before = client(outbox);
    void before.submit('grant', {});
    await until(() => far.of('submit').length > 0);
    await before.close();
    expect(await outbox.load()).toHaveLength(1);
    far.answer = () => 'ack';
    const after = client(outbox);
    await until(() => far.of('submit').length > 1 && after.connected);
    await pass(1_000);
    expect(await outbox.load()).toHaveLength(0);
    await after.close();
  });

  test('requests are not kept: without a connection they say so', async () => {
    const control = client();
    expect(await control.request({ type: 'ping' })).toEqual({ status: 'disconnected' });
    await until(() => control.connected);
    expect(await control.request({ type: 'ask', leases: 1, bytesMax: 1, holds: { bytes: 1, bindingBytes: 1 } })).toEqual({
      status: 'ok',
      ref: null,
    });
    far.mute = true;
    const asked = control.request({ type: 'ping' });
    far.cut();
    expect(await asked).toEqual({ status: 'disconnected' });
    await control.close();
  });
});
