/** What an order says of price and noise, from the words of a command. */
import { expect, test } from 'vitest';
import { readTerms } from '#cli/terms-options.ts';
import { UsageError } from '#cli/command.ts';

const network = 'http://127.0.0.1:1';

test('price in micro-tokens, noise in millionths, and nothing where nothing was said', () => {
  expect(readTerms({ network, price: '2.5', noise: '3', proven: true, 'at-cap': 'cancel' })).toEqual({
    priceMaxMicro: '2500000',
    noisePpm: 30_000,
    proven: true,
    atCap: 'cancel',
  });
  expect(readTerms({ network, proven: false })).toEqual({});
});

test('without a network they mean nothing, and odd ones are refused', () => {
  expect(() => readTerms({ price: '1', proven: false })).toThrow(UsageError);
  expect(() => readTerms({ 'at-cap': 'finish', proven: false })).toThrow(UsageError);
  expect(() => readTerms({ network, 'at-cap': 'go on', proven: false })).toThrow('--at-cap takes finish or cancel');
  expect(() => readTerms({ network, noise: 'low', proven: false })).toThrow(UsageError);
  expect(() => readTerms({ network, price: '0', proven: false })).toThrow(UsageError);
});
