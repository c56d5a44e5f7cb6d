import { expect, test } from 'vitest';
import { fromHex } from '#lib/protocol/bytes.ts';
import { findWork, workBits } from '#lib/roles/grant.ts';
import { systemClock } from '#lib/roles/clock.ts';

const KEY = 'a'.repeat(64);

test('the work found has the bits asked for, and an abort ends the search', async () => {
  const work = await findWork(new AbortController().signal, systemClock, KEY, 12);
  expect(workBits(KEY, fromHex(work!))).toBeGreaterThanOrEqual(12);
  expect(work).toMatch(/^[0-9a-f]{16}$/);
  expect(await findWork(AbortSignal.timeout(50), systemClock, KEY, 200)).toBeNull();
});
