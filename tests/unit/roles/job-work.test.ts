/** A creator's side of one job: which films get in, and what a voided lease takes away. */
import { beforeEach, describe, expect, test } from 'vitest';
import { passes, tileRect } from '#lib/job/plan.ts';
import { concat, type Bytes } from '#lib/protocol/bytes.ts';
import type { FilmReceiptBody } from '#lib/protocol/bodies.ts';
import type { Lease } from '#lib/protocol/control.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { MemoryJobStore } from '#lib/roles/job-store.ts';
import { JobWork, type JobParts } from '#lib/roles/job-work.ts';
import { commit } from '#lib/trust/commitment.ts';
import type { PeerAnswer } from '#lib/p2p/peer-net.ts';
import { FilmPixel } from '#shaders/layout.ts';
import { arithmeticFilm } from '../../sim/arithmetic-engine.ts';
import { A, B } from '../p2p/support.ts';

const JOB = '1'.repeat(32);
const order: JobOrder = {
  title: 'still life',
  scene: { hash: '2'.repeat(64), bytes: 1 },
  environment: null,
  sceneRoot: '3'.repeat(64),
  sceneNeeds: { bytes: 2_000, bindingBytes: 500 },
  frameTimeS: 0,
  variant: null,
  transparent: false,
  camera: { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
  width: 64,
  height: 32,
  tileSide: 32,
  samples: 4,
  passSamples: 64,
  bounces: 4,
  seed: 1,
  capMicro: '1000',
};
let store: MemoryJobStore;
let receipts: FilmReceiptBody[];
let parts: JobParts;
let work: JobWork;

beforeEach(async () => {
  store = new MemoryJobStore();
  receipts = [];
  parts = { store, creator: 'c'.repeat(64), served: () => 7, changed: () => {}, quiet: () => {}, receipt: (body) => receipts.push(body) };
  work = await JobWork.create(parts, { job: JOB, order, createdMs: 1 });
});

let leases = 0;
const lease = (tile: number, pass: number): Lease => ({
  lease: (++leases).toString(16).padStart(32, '0'),
  job: JOB,
  tile,
  pass,
  attempt: 1,
});

/** What an honest worker would deliver, and its root. */
function film(of: Lease, bend: (light: Bytes) => void = () => {}): { root: string; body: Bytes } {
  const rect = tileRect(order, of.tile);
  const made = arithmeticFilm({ sceneRoot: order.sceneRoot, frame: order, rect, pass: passes(order)[of.pass]! });
  bend(made.light);
  const { root, signatureHashes } = commit(made, rect);
  return { root, body: concat(made.light, signatureHashes) };
}

async function deliver(of: Lease, { root, body }: { root: string; body: Bytes }, from = A, committed = root): Promise<PeerAnswer> {
  work.expect({ type: 'committed', lease: of, root: committed, workerPeer: A });
  return work.take(from, { type: 'film.deliver', lease: of.lease, root }, body);
}

const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);

describe('a delivery', () => {
  test('that hashes to the committed root gets in, is kept and receipted, once', async () => {
    const one = lease(0, 2);
    const made = film(one);
    expect(await deliver(one, made)).toMatchObject({ ok: true });
    expect(await deliver(one, made)).toMatchObject({ ok: true });
    expect(work.snapshot().tileSamples).toEqual([2, 0]);
    expect(await store.films(JOB)).toHaveLength(1);
    expect(receipts[0]).toEqual({ lease: one.lease, root: made.root, verdict: 'received' });
    expect(receipts.every((receipt) => receipt.verdict === 'received')).toBe(true);
    expect(work.snapshot().bytesIn).toBe(made.body.length);
  });

  test('with one bit changed on the way is corrupt, and may come again', async () => {
    const one = lease(1, 0);
    const made = film(one);
    const bent = made.body.slice();
    bent[100]! ^= 1;
    expect(await deliver(one, { ...made, body: bent })).toEqual({ ok: false, fault: 'corrupt' });
    expect(receipts).toEqual([{ lease: one.lease, root: made.root, verdict: 'corrupt' }]);
    expect(work.snapshot().tileSamples).toEqual([0, 0]);
    expect(await deliver(one, made)).toMatchObject({ ok: true });
  });

  const { light, depth, moment } = FilmPixel.offsets;
  test.each([light, light + 8, depth, moment])(
    'of numbers that are none (byte %i of a pixel) is corrupt, though its root be right',
    async (at) => {
      const one = lease(0, 0);
      const made = film(one, (light) => new DataView(light.buffer).setFloat32(FilmPixel.size + at, Number.NaN, true));
      expect(await deliver(one, made)).toEqual({ ok: false, fault: 'corrupt' });
      expect(sum(work.snapshot().image)).toBe(0);
    },
  );

  test('from anyone but the worker, or of a lease nobody committed to, is turned away without a receipt', async () => {
    const one = lease(0, 0);
    const made = film(one);
    expect(await deliver(one, made, B)).toEqual({ ok: false, fault: 'not-yours' });
    expect(await work.take(A, { type: 'film.deliver', lease: lease(0, 0).lease, root: made.root }, made.body)).toEqual({
      ok: false,
      fault: 'unknown-lease',
    });
    expect(await deliver(lease(0, 0), { root: made.root, body: new Uint8Array(3) })).toEqual({ ok: false, fault: 'corrupt' });
    expect(receipts).toHaveLength(1);
  });
});

describe('a voided lease', () => {
  test('takes its pixels with it and leaves those of other passes and tiles', async () => {
    const [first, second, other] = [lease(0, 0), lease(0, 1), lease(1, 0)];
    for (const one of [first, other]) await deliver(one, film(one));
    const before = work.snapshot().image.slice();
    await deliver(second, film(second));
    await work.withdraw(second.lease);
    expect(work.snapshot().image).toEqual(before);
    expect(work.snapshot().tileSamples).toEqual([1, 1]);
    expect(await store.films(JOB)).toHaveLength(2);
  });

  test('gives way to another attempt that is here already', async () => {
    const [first, again] = [lease(0, 0), lease(0, 0)];
    await deliver(
      first,
      film(first, (light) => new DataView(light.buffer).setFloat32(0, 99, true)),
    );
    expect(work.snapshot().image[0]).toBe(99);
    await deliver(again, film(again));
    expect(work.snapshot().image[0]).toBe(99);
    await work.withdraw(first.lease);
    expect(work.snapshot().tileSamples).toEqual([1, 0]);
    expect(work.snapshot().image[0]).toBeLessThan(1);
  });

  test('stays void for a delivery that comes late', async () => {
    const one = lease(0, 0);
    await work.withdraw(one.lease);
    expect(await deliver(one, film(one))).toEqual({ ok: false, fault: 'unknown-lease' });
  });
});

test('another page loads the same pixels and can still void them', async () => {
  const kept = [lease(0, 0), lease(0, 1), lease(1, 0)];
  for (const one of kept) await deliver(one, film(one));
  const again = await JobWork.load(parts, (await store.jobs())[0]!);
  expect(again.snapshot().image).toEqual(work.snapshot().image);
  await again.withdraw(kept[2]!.lease);
  expect(again.snapshot().tileSamples).toEqual([2, 0]);
});
