/** What bodies a peer takes in: films it expects, no larger than films are. */
import { expect, test } from 'vitest';
import { FILM_DELIVERY_BYTES_MAX } from '#lib/protocol/limits.ts';
import type { PeerRequest } from '#lib/protocol/peer.ts';
import { PeerRouter } from '#lib/roles/peer-router.ts';
import { B, pair } from '../p2p/support.ts';

const never = new AbortController().signal;
const EXPECTED = '1'.repeat(32);
const delivery = (lease: string): PeerRequest => ({ type: 'film.deliver', lease, root: '0'.repeat(64) });
const opening: PeerRequest = {
  type: 'film.open',
  lease: EXPECTED,
  root: '0'.repeat(64),
  job: EXPECTED,
  capability: 'x',
  permit: null,
  leaves: [],
};

test('a body is taken in of an expected film, up to the largest tile, and of nothing else', async () => {
  const { a, b, wait } = pair();
  const router = new PeerRouter(b);
  const ask = (request: PeerRequest, bytes: number) => wait(a.request(never, B, request, new Uint8Array(bytes)));
  expect(await ask(delivery(EXPECTED), 1)).toEqual({ status: 'refused', fault: 'stopped' });
  const took: number[] = [];
  router.on(
    'film.deliver',
    async (_, __, body) => {
      took.push(body.length);
      return { ok: true, body: new Uint8Array() };
    },
    (_, request) => (request.lease === EXPECTED ? null : 'unknown-lease'),
  );
  router.on('film.open', async () => ({ ok: true, body: new Uint8Array() }));
  expect((await ask(delivery(EXPECTED), FILM_DELIVERY_BYTES_MAX)).status).toBe('answered');
  expect(await ask(delivery(EXPECTED), FILM_DELIVERY_BYTES_MAX + 1)).toEqual({ status: 'refused', fault: 'malformed' });
  expect(await ask(delivery('2'.repeat(32)), 1)).toEqual({ status: 'refused', fault: 'unknown-lease' });
  expect(await ask(opening, 1)).toEqual({ status: 'refused', fault: 'malformed' });
  expect((await ask(opening, 0)).status).toBe('answered');
  expect(took).toEqual([FILM_DELIVERY_BYTES_MAX]);
});
