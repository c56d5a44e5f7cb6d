import { describe, expect, test } from 'vitest';
import { PEER_BUFFERED_BYTES_MAX, PEER_REQUESTS_IN_FLIGHT_MAX, PEER_REQUEST_TIMEOUT_MS } from '#lib/protocol/limits.ts';
import type { PeerRequest } from '#lib/protocol/peer.ts';
import type { PeerAnswer } from '#lib/p2p/peer-net.ts';
import { A, B, C, pair, seededBytes } from './support.ts';

const never = new AbortController().signal;
const request: PeerRequest = { type: 'film.deliver', lease: '0'.repeat(32), root: '0'.repeat(64) };
const echo = async (_: string, __: PeerRequest, body: Uint8Array<ArrayBuffer>): Promise<PeerAnswer> => ({ ok: true, body });
const forever = (): Promise<PeerAnswer> => new Promise(() => {});

describe('requests', () => {
  test('many at once are each answered with their own body, in both directions', async () => {
    const { a, b, wait } = pair();
    a.serve(echo);
    b.serve(echo);
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
    b.serve(echo);
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
    b.serve(echo);
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
    b.serve(echo);
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('a peer that is not there, or on the other side of a partition, is unreachable', async () => {
    const { a, b, network, wait } = pair();
    b.serve(echo);
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

describe('bad peers', () => {
  test('a head that is no request gets a fault, and a handler that throws answers for itself alone', async () => {
    const { a, b, wait } = pair();
    b.serve(echo);
    const malformed = { type: 'film.deliver', lease: 'nonsense', root: '' } as PeerRequest;
    expect(await wait(a.request(never, B, malformed))).toEqual({ status: 'refused', fault: 'malformed' });
    b.serve(async () => {
      throw new Error('disk full');
    });
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'refused', fault: 'stopped' });
    b.serve(echo);
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });

  test('broken framing costs the channel, and only that', async () => {
    const { a, b, network, wait } = pair();
    b.serve(echo);
    network.corrupt = (_, to, frame) => (to === B ? frame.map((byte, i) => (i === 0 ? 99 : byte)) : frame);
    expect(await wait(a.request(never, B, request))).toEqual({ status: 'disconnected' });
    network.corrupt = null;
    expect((await wait(a.request(never, B, request))).status).toBe('answered');
  });
});
