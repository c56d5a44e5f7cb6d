/** What every message and signed word is made of. */
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { shortText } from '#lib/protocol/schema.ts';

test('text is what a database takes as text, and no longer than it should be', () => {
  for (const text of ['', 'llvmpipe: Mesa 25 (LLVM 15)', 'Überfluß 🙂', 'x'.repeat(200)]) expect(v.is(shortText, text), text).toBe(true);
  for (const text of ['a\0b', 'half a pair: \ud800', '\udc00', 'x'.repeat(201)])
    expect(v.is(shortText, text), JSON.stringify(text)).toBe(false);
});
