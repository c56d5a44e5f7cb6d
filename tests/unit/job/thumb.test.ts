/** Small pictures: means of blocks, of cut blocks at the edges too. */
import { expect, test } from 'vitest';
import { thumbOf } from '#lib/job/thumb.ts';

const grey = (values: readonly number[]): Float32Array<ArrayBuffer> => Float32Array.from(values.flatMap((value) => [value, 2 * value, 0]));

test('every pixel is the mean of its block', () => {
  const { image, width, height } = thumbOf(grey([0, 2, 4, 4, 6, 8, 10, 10]), 4, 2, 2);
  expect([width, height, [...image]]).toEqual([2, 1, [4, 8, 0, 7, 14, 0]]);
});

test('blocks that the edge cuts count only what they have', () => {
  const { image, width, height } = thumbOf(grey([1, 1, 5, 1, 1, 5, 1, 1, 5]), 3, 3, 2);
  expect([width, height]).toEqual([2, 2]);
  expect([...image].filter((_, i) => i % 3 === 0)).toEqual([1, 5, 1, 5]);
});

test('a small picture stays as it is, in a buffer of its own', () => {
  const picture = grey([1, 2]);
  const thumb = thumbOf(picture, 2, 1, 96);
  expect(thumb).toEqual({ image: picture, width: 2, height: 1 });
  expect(thumb.image).not.toBe(picture);
});
