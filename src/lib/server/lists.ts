/**
 * Keys and networks that the operator serves nobody from, and reviewers it trusts by name: a JSON file that
 * PICTOR_LISTS names. Read at the start; refuses a file that is not exactly that, rather than serving whom it bars.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { hex32 } from '../protocol/schema.ts';
import { addressPrefix } from '../trust/affinity.ts';
import { refuse, type Refusal } from './core.ts';

const keys = v.pipe(v.optional(v.array(hex32), []), v.maxLength(100_000));

/** As trust/affinity names them, or it would bar nobody: not a whole address, not one of a private network, no zeros in front. */
const prefix = v.pipe(
  v.string(),
  v.maxLength(19),
  v.check((text) => addressPrefix(text.includes(':') ? `${text}::` : `${text}.0`) === text, 'expected three groups of a public address'),
);

const ListsSchema = v.strictObject({
  /** Keys that may not connect, order, work or check, nor be signed for by a connection of another. */
  blockedKeys: keys,
  /** `203.0.113`, `2001:db8:1`: nobody connects from there. */
  blockedPrefixes: v.pipe(v.optional(v.array(prefix), []), v.maxLength(100_000)),
  /** Whose word on an appeal decides alone. */
  reviewers: keys,
});

export interface Lists {
  readonly blockedKeys: ReadonlySet<string>;
  readonly blockedPrefixes: ReadonlySet<string>;
  readonly reviewers: ReadonlySet<string>;
}

export type ListsInput = v.InferInput<typeof ListsSchema>;

export function listsOf(input: ListsInput): Lists {
  const { blockedKeys, blockedPrefixes, reviewers } = v.parse(ListsSchema, input);
  return { blockedKeys: new Set(blockedKeys), blockedPrefixes: new Set(blockedPrefixes), reviewers: new Set(reviewers) };
}

/** Why the operator serves this key no more, or nobody at this address; null when it does. */
export function barred({ blockedKeys, blockedPrefixes }: Lists, key: string, address = ''): Refusal | null {
  if (blockedKeys.has(key)) return refuse('key-blocked', 'The operator of this network serves this key no more.');
  const from = addressPrefix(address);
  if (from === null || !blockedPrefixes.has(from)) return null;
  return refuse('network-blocked', 'The operator of this network serves nobody at this address.');
}

/** @throws Error with one sentence when the file can't be read or holds something else. */
export function listsFromEnvironment(): Lists {
  const path = process.env.PICTOR_LISTS;
  if (!path) return listsOf({});
  try {
    return listsOf(JSON.parse(readFileSync(path, 'utf8')) as ListsInput);
  } catch {
    throw new Error('PICTOR_LISTS does not name a JSON file of {"blockedKeys", "blockedPrefixes", "reviewers"}');
  }
}
