/** What is decoded is exactly what would be encoded so: the reader against a library's encoder, on values and on damaged bytes. */
import { decode, encode } from 'cborg';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { equalBytes, fromHex } from '#lib/protocol/bytes.ts';
import { decodeCanonical, encodeCanonical } from '#lib/protocol/canonical.ts';

const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, -0, 2 ** 53 - 1, -(2 ** 53) + 1, 2 ** 53, 2n ** 64n - 1n, -(2n ** 64n), 3 * 2 ** -24, 2 ** -25),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n }),
    fc.double(),
    fc.float(),
    fc.string({ unit: 'binary', maxLength: 70 }),
    fc.string({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 30 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 30 }), tie('value'), { maxKeys: 30 }),
  ),
})).value;

/** Decoded by the library, encoded again and compared. */
function byLibrary(bytes: Uint8Array): unknown {
  try {
    const value: unknown = decode(bytes, { strict: true, allowUndefined: false, allowIndefinite: false, rejectDuplicateMapKeys: true });
    return equalBytes(encode(value), bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}

test('values come back, as the library brings them back', () => {
  fc.assert(
    fc.property(values, (value) => {
      const bytes = encodeCanonical(value);
      const back = decodeCanonical(bytes);
      expect(back).toEqual(byLibrary(bytes));
      if (back !== undefined) expect(encodeCanonical(back)).toEqual(bytes);
    }),
    { numRuns: 2_000 },
  );
});

test('damaged bytes are refused where the library refuses them, and read alike where it does not', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('set', 'cut', 'add')), {
    minLength: 1,
    maxLength: 3,
  });
  let read = 0;
  fc.assert(
    fc.property(values, damage, (value, changes) => {
      let bytes = Array.from(encodeCanonical(value));
      for (const [place, byte, how] of changes)
        bytes.splice(place % (bytes.length + 1), how === 'add' ? 0 : 1, ...(how === 'cut' ? [] : [byte]));
      const damaged = Uint8Array.from(bytes);
      const back = decodeCanonical(damaged);
      expect(back).toEqual(byLibrary(damaged));
      if (back !== undefined) read++;
    }),
    { numRuns: 5_000 },
  );
  expect(read).toBeGreaterThan(100);
});

test('all short strings of bytes', () => {
  for (let head = 0; head < 256; head++)
    for (let next = 0; next < 256; next++)
      for (const tail of [[], [0], [0xff], [0x61, 0x61], [0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0, 0]]) {
        const bytes = Uint8Array.from([head, next, ...tail]);
        const back = decodeCanonical(bytes);
        if (back !== undefined || byLibrary(bytes) !== undefined) expect(back).toEqual(byLibrary(bytes));
      }
});

test.each([
  ['a byte order mark', '63efbbbf'],
  ['a half written as a whole number', 'f93c00'],
  ['a single that a half would do for', 'fa3fc00000'],
  ['a NaN of another kind', 'f97e01'],
  ['undefined', 'f7'],
  ['a tag', 'c001'],
  ['a key that is a number', 'a10101'],
  ['text that is no UTF-8', '61ff'],
  ['an array longer than the bytes', '9bffffffffffffffff'],
  ['nesting without an end', '81'.repeat(100_000)],
])('refuse %s', (_, hex) => {
  expect(decodeCanonical(fromHex(hex))).toBeUndefined();
});

test('a key that is the name of the prototype is a key', () => {
  const bytes = fromHex('a1695f5f70726f746f5f5f01');
  expect(Object.keys(decodeCanonical(bytes) as object)).toEqual(['__proto__']);
});
