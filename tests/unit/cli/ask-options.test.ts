/** What a worker asks, from the words of its command. */
import { expect, test } from 'vitest';
import { readAsk } from '#cli/ask-options.ts';

test('a number is asked as it is, electricity at the measured speed, and nothing says the operator’s price', () => {
  expect(readAsk({ ask: '0.25' })!(1e6)).toEqual({ priceMicro: '250000' });
  // 360 W at 0.3 tokens a kilowatt hour are 30 micro-tokens a second; a tenth of a work unit takes ten.
  const power = readAsk({ watts: '360', kwh: '0.3' })!;
  expect(power(0.1)).toEqual({ priceMicro: '375' });
  expect(power(0)).toEqual({});
  expect(readAsk({})).toBeNull();
});

test.each([
  [{ ask: '-1' }, /--ask/],
  [{ ask: '0.1234567' }, /six decimals/],
  [{ ask: '1', watts: '5' }, /leave out/],
  [{ watts: '5' }, /go together/],
  [{ watts: 'many', kwh: '1' }, /watts/],
])('%j is refused in a sentence', (words, sentence) => {
  expect(() => readAsk(words)).toThrow(sentence);
});
