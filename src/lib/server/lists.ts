/**
 * Keys and networks that the operator serves nobody from, and reviewers it trusts by name: a JSON file that
 * PICTOR_LISTS names. Read at the start; refuses a file that is not exactly that, rather than serving whom it bars.
 */
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { hex32 } from '../protocol/schema.ts';

const keys = v.pipe(v.optional(v.array(hex32), []), v.maxLength(100_000));

const ListsSchema = v.strictObject({
  /** Keys that may not connect, order, work or check. */
  blockedKeys: keys,
  /** As trust/affinity names them: `203.0.113`, `2001:db8:1`. */
  blockedPrefixes: v.pipe(v.optional(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f.:]{3,19}$/))), []), v.maxLength(100_000)),
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
