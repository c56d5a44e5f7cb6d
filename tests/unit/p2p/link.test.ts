import { describe, expect, test } from 'vitest';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { encodeCanonical } from '#lib/protocol/canonical.ts';
import {
  PEER_ASSEMBLY_BYTES_MAX,
  PEER_BUFFERED_BYTES_MAX,
  PEER_REQUESTS_IN_FLIGHT_MAX,
  PEER_REQUEST_TIMEOUT_MS,
} from '#lib/protocol/limits.ts';
import type { PeerRequest } from '#lib/protocol/peer.ts';
import type { PeerAnswer } from '#lib/p2p/peer-net.ts';
import type { Channel } from '#lib/p2p/channel.ts';
import { Assemblies } from '#lib/p2p/assembly.ts';
import { FRAME_REQUEST, framesOf, type Message } from '#lib/p2p/framing.ts';
import { A, B, C, pair, seededBytes, type Pair } from './support.ts';

const never = new AbortController().signal;
const request: PeerRequest = { type: 'film.deliver', lease: '0'.repeat(32), root: '0'.repeat(64) };
const echo = async (_: string, __: PeerRequest, body: Uint8Array<ArrayBuffer>): Promise<PeerAnswer> => ({ ok: true, body });
/** Takes any body in. */
const any = (): null => null;
const forever = (): Promise<PeerAnswer> => new Promise(() => {});

describe('requests', () => {
  test('many at once are each answered with their own body, in both directions', async () => {
    const { a, b, wait } = pair();
    a.serve(echo, any);
    b.serve(echo, any);
    const bodies = Array.from({ length: 40 }, (_, i) => seededBytes(i * 9_000, i));
    const asks = bodies.flatMap((body) => [a.request(never, B, request, body), b.request(never, A, request, body)]);
    const outcomes = await wait(Promise.all(asks));
    outcomes.forEach((outcome, i) => {
      expect(outcome.status).toBe('answered');
      if (outcome.status === 'answered') expect(Buffer.compare(outcome.body, bodies[i >> 1]!)).toBe(0);
    });
  });

  test('a large body never fills the channel beyond its bound', async () => {
    const { a, b, network, wait } = pair();
    b.serve(echo, any);
    let most = 0;
    network.corrupt = (_, __, frame) => {
      most = Math.max(most, network.bufferedBytes);
      return frame;
    };
    const body = seededBytes(9_000_000);
    const outcome = await wait(a.request(never, B, request, body));
    expect(outcome.status).toBe('answered');
    expect(most).toBeGreaterThan(PEER_BUFFERED_BYTES_MAX / 2);
    expect(most).toBeLessThanOrEqual(2 * PEER_BUFFERED_BYTES_MAX);
  });

  test('a peer that never answers is a timeout, and the link serves on', async () => {
    const { a, b, clock, wait } = pair();
    b.serve(forever);
    const startMs = clock.nowMs();
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'timeout' });
    expect(clock.nowMs() - startMs).toBeLessThan(PEER_REQUEST_TIMEOUT_MS + 1_000);
    b.serve(echo, any);
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('an abort ends a request at once, before and after it was sent', async () => {
    const { a, b, clock, wait } = pair();
    b.serve(forever);
    expect(await wait(a.request(AbortSignal.abort(), B, request))).toEqual({ status: 'aborted' });
    const stop = new AbortController();
    const asked = a.request(stop.signal, B, request);
    await wait(clock.sleep(never, 1_000));
    const atMs = clock.nowMs();
    stop.abort();
    expect(await wait(asked)).toEqual({ status: 'aborted' });
    expect(clock.nowMs()).toBe(atMs);
  });

  test('a lost connection ends what is under way and is dialled again by the next request', async () => {
    const { a, b, network, clock, wait } = pair();
    b.serve(forever);
    const asked = a.request(never, B, request);
    await wait(clock.sleep(never, 500));
    network.drop(B);
    expect(await wait(asked)).toEqual({ status: 'disconnected' });
    b.serve(echo, any);
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('a peer that is not there, or on the other side of a partition, is unreachable', async () => {
    const { a, b, network, wait } = pair();
    b.serve(echo, any);
    expect(await wait(a.request(never, C, request))).toEqual({ status: 'unreachable' });
    network.partition(() => false);
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'unreachable' });
    network.heal();
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('requests beyond the slots wait their turn', async () => {
    const { a, b, clock, wait } = pair();
    let running = 0;
    let most = 0;
    b.serve(async () => {
      most = Math.max(most, ++running);
      await clock.sleep(never, 100);
      running--;
      return { ok: true, body: new Uint8Array() };
    });
    const outcomes = await wait(Promise.all(Array.from({ length: 50 }, () => a.request(never, B, request))));
    expect(outcomes.every((outcome) => outcome.status === 'answered')).toBe(true);
    expect(most).toBe(PEER_REQUESTS_IN_FLIGHT_MAX);
  });
});

/** The far end of a link as somebody without our software has it, who may send every frame there is. */
async function strangers(peers: Pair, count: number): Promise<Channel[]> {
  const channels: Channel[] = [];
  for (let i = 0; i < count; i++) {
    const id = `${'d'.repeat(64)}-${i.toString(16).padStart(8, '0')}`;
    peers.network.join(id);
    const channel = peers.network.connect(id, B)!;
    channel.listen({ frame: () => {}, drained: () => {}, closed: () => {} });
    channels.push(channel);
  }
  return channels;
}

/** All frames but the last of a request with this body. */
function unfinished(ask: PeerRequest, bodyBytes: number, stream: number): Bytes[] {
  const message: Message = { kind: FRAME_REQUEST, stream, head: encodeCanonical(ask), body: new Uint8Array(bodyBytes) };
  return [...framesOf(message)].slice(0, -1);
}

describe('half-sent requests', () => {
  test('whose body nobody expects are refused by their head, and nothing of them is kept', async () => {
    const peers = pair();
    const asked: unknown[] = [];
    peers.b.serve(echo, (...about) => {
      asked.push(about);
      return 'unknown-lease';
    });
    const sentBefore = peers.a.traffic.bytesOut;
    expect(await peers.wait(peers.a.request(never, B, request, seededBytes(3_000_000)))).toEqual({
      status: 'refused',
      fault: 'unknown-lease',
    });
    expect(asked).toEqual([[A, request, 3_000_000]]);
    expect(peers.a.traffic.bytesOut - sentBefore).toBeLessThan(3_000_000);
    // The refused rest holds no slot: as many again and again do not cost the link.
    for (let i = 0; i < 3 * PEER_REQUESTS_IN_FLIGHT_MAX; i++) {
      const outcome = await peers.wait(peers.a.request(never, B, request, new Uint8Array(200_000)));
      expect(outcome.status).toBe('refused');
    }
    expect(peers.a.traffic.peers).toBe(1);
  });

  test('are refused without a rule for bodies; without a body they are heard', async () => {
    const { a, b, wait } = pair();
    b.serve(echo);
    expect(await wait(a.request(never, B, request, seededBytes(10)))).toEqual({ status: 'refused', fault: 'malformed' });
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('are let go when they stop coming', async () => {
    const peers = pair();
    peers.b.serve(echo, any);
    const [channel] = await strangers(peers, 1);
    const send = (first: number): void => {
      for (let stream = first; stream < first + 2 * PEER_REQUESTS_IN_FLIGHT_MAX; stream++)
        for (const frame of unfinished(request, 200_000, stream)) channel!.send(frame);
    };
    send(1);
    await peers.wait(peers.clock.sleep(never, 2 * PEER_REQUEST_TIMEOUT_MS));
    // As many again find every slot free.
    send(1_000);
    await peers.wait(peers.clock.sleep(never, 1_000));
    expect(channel!.open).toBe(true);
  });

  test('of many links together stay within one bound, and what is let go makes room', () => {
    const budget = { bytes: 0 };
    const payload = new Uint8Array(48_000);
    const frame = { kind: FRAME_REQUEST, stream: 1, headBytes: 0, bodyBytes: 60_000_000, payload } as const;
    const fill = (link: Assemblies): number => {
      for (let frames = 1; frames < 1_250; frames++) if (link.add(frame, 0).status === 'broken') return frames;
      return 1_250;
    };
    const links = Array.from({ length: 5 }, () => new Assemblies(budget));
    expect(links.slice(0, 4).map(fill)).toEqual([1_250, 1_250, 1_250, 1_250]);
    expect(fill(links[4]!)).toBeLessThan(1_250);
    expect(budget.bytes).toBeLessThanOrEqual(PEER_ASSEMBLY_BYTES_MAX + payload.length);
    links[0]!.expire(PEER_REQUEST_TIMEOUT_MS);
    for (const link of links.slice(1)) link.clear();
    expect(budget.bytes).toBe(0);
  });
});

describe('bad peers', () => {
  test('a head that is no request gets a fault, and a handler that throws answers for itself alone', async () => {
    const { a, b, wait } = pair();
    b.serve(echo, any);
    const malformed = { type: 'film.deliver', lease: 'nonsense', root: '' } as PeerRequest;
    expect(await wait(a.request(never, B, malformed))).toEqual({ status: 'refused', fault: 'malformed' });
    b.serve(async () => {
      throw new Error('disk full');
    });
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'refused', fault: 'stopped' });
    b.serve(echo, any);
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('broken framing costs the channel, and only that', async () => {
    const { a, b, network, wait } = pair();
    b.serve(echo, any);
    network.corrupt = (_, to, frame) => (to === B ? frame.map((byte, i) => (i === 0 ? 99 : byte)) : frame);
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'disconnected' });
    network.corrupt = null;
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });
});
