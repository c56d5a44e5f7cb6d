/** Kinds of columns that PostgreSQL has and drizzle has to be told of. */
import { bigint, customType } from 'drizzle-orm/pg-core';
import type { Bytes } from '../../protocol/bytes.ts';

export const bytea = customType<{ data: Bytes; driverData: Uint8Array }>({
  dataType: () => 'bytea',
  toDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
  fromDriver: (value) => new Uint8Array(value),
});
/** Integers below 2^53: sizes, times in milliseconds, segments. */
export const safe = (name: string) => bigint(name, { mode: 'number' });
/** Money: micro-tokens. */
export const micro = (name: string) => bigint(name, { mode: 'bigint' });
