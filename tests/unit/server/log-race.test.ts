/** The log under calls that overlap: whoever asks for what meanwhile, roots are right and checkpoints never shrink. */
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseCheckpoint } from '#lib/ledger/checkpoint.ts';
import { encodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { hashLeaf, rootFromInclusion, rootOf } from '#lib/ledger/merkle.ts';
import { LOG_TILE_HASHES } from '#lib/protocol/limits.ts';
import { randomBytes, type Bytes } from '#lib/protocol/bytes.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { systemClock } from '#lib/server/clock.ts';
import { LogService } from '#lib/server/log.ts';
import { openMemory } from '#lib/server/store/open.ts';
import type { Store } from '#lib/server/store/store.ts';

const TURNS_MAX = 8;

let store: Store;
let identity: Identity;
const hashes: Bytes[] = [];

async function grow(count: number): Promise<void> {
  await store.write(async (tx) => {
    for (let i = 0; i < count; i++) {
      const leaf: LogLeaf = { type: 'void', lease: '0'.repeat(32), reason: String(hashes.length), atMs: 0 };
      tx.append(leaf);
      hashes.push(hashLeaf(encodeLeaf(leaf)));
    }
  });
}

/** One turn of the database, which takes queries in the order in which they came. */
const turn = async (): Promise<void> => void (await store.db.execute(sql`select 1`));

beforeAll(async () => {
  store = await openMemory();
  identity = await identityFromSecret(randomBytes(32));
  await grow(2 * LOG_TILE_HASHES);
}, 120_000);
afterAll(() => store.close());

test.each(Array.from({ length: TURNS_MAX }, (_, i) => i))(
  'proofs of an older tree asked %i turns into a signature leave its root right',
  async (turns) => {
    await store.db.execute(sql`delete from log_tiles`);
    const log = new LogService({ store, identity, origin: 'race', clock: systemClock });
    const signing = log.sign();
    for (let i = 0; i < turns; i++) await turn();
    const [older] = await log.inclusions([3], LOG_TILE_HASHES);
    const { note, size } = await signing;
    expect(parseCheckpoint(note)).toMatchObject({ size: hashes.length, root: rootOf(hashes) });
    expect(rootFromInclusion(hashes[3]!, 3, LOG_TILE_HASHES, older!)).toEqual(rootOf(hashes.slice(0, LOG_TILE_HASHES)));
    expect(await log.tile(1, 0, 2)).toHaveLength(64);
    const [now] = await log.inclusions([3], size);
    expect(rootFromInclusion(hashes[3]!, 3, size, now!)).toEqual(rootOf(hashes));
  },
);

test('a signature that takes long does not bring an older checkpoint back', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let signatures = 0;
  const slow: Identity = {
    key: identity.key,
    sign: async (bytes) => {
      if (signatures++ === 0) await held;
      return identity.sign(bytes);
    },
  };
  const log = new LogService({ store, identity: slow, origin: 'race', clock: systemClock });
  const first = log.sign();
  while (signatures === 0) await turn();
  await grow(1);
  const second = log.sign();
  for (let i = 0; i < 4 * TURNS_MAX; i++) await turn();
  release();
  expect((await first).size).toBe(hashes.length - 1);
  expect((await second).size).toBe(hashes.length);
  expect((await log.checkpoint()).size).toBe(hashes.length);
});

test('a signature that fails is one caller’s bad luck', async () => {
  let broken = true;
  const flaky: Identity = {
    key: identity.key,
    sign: (bytes) => (broken ? Promise.reject(new Error('no entropy')) : identity.sign(bytes)),
  };
  const log = new LogService({ store, identity: flaky, origin: 'race', clock: systemClock });
  await expect(log.checkpoint()).rejects.toThrow('no entropy');
  broken = false;
  expect((await log.checkpoint()).size).toBe(hashes.length);
});
