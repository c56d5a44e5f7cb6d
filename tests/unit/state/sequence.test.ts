/** Sequences before they are ordered and while they are made: which frames, what they cost, what is said of them. */
import { describe, expect, test } from 'vitest';
import { SEQUENCE_FRAMES_PAGE_MAX } from '#lib/protocol/limits.ts';
import { quoteOf, timesQuote } from '#lib/market/estimate.ts';
import { Motion } from '#lib/state/motion.svelte.ts';
import { sequenceWord } from '#lib/state/sequence-word.ts';
import type { FrameMark } from '#lib/state/sequence.svelte.ts';
import { DEFAULT_POLICY } from '#lib/server/policy.ts';

describe('the range', () => {
  test('begins with two seconds, takes all up to where the animation begins again, and is one moment until it is asked for', () => {
    const motion = new Motion();
    motion.begin(24);
    expect([motion.range, motion.frames]).toEqual([null, 1]);
    motion.wanted = true;
    expect([motion.range, motion.frames]).toEqual([{ first: 0, last: 47, fps: 24 }, 48]);
    motion.whole();
    expect(motion.range).toEqual({ first: 0, last: 575, fps: 24 });
    motion.begin(0.5);
    motion.wanted = true;
    expect(motion.range).toEqual({ first: 0, last: 11, fps: 24 });
    motion.begin(0);
    motion.wanted = true;
    expect(motion.range).toBeNull();
  });

  test('is cut to its bounds, whatever is typed', () => {
    const motion = new Motion();
    motion.begin(3600);
    motion.wanted = true;
    motion.from(-3);
    motion.to(1e9);
    expect(motion.frames).toBe(SEQUENCE_FRAMES_PAGE_MAX);
    motion.from(40);
    motion.to(39);
    motion.at(0);
    expect(motion.range).toEqual({ first: 40, last: 40, fps: 0.1 });
    motion.from(Number.NaN);
    motion.at(Number.NaN);
    expect(motion.range).toEqual({ first: 40, last: 40, fps: 0.1 });
    motion.whole();
    expect(motion.frames).toBe(360);
  });
});

test('a sequence costs its frames, to the last micro-token', () => {
  const order = { width: 64, height: 48, samples: 3, passSamples: 64, bounces: 8 };
  const region = { pixels: 64, samples: 4, luminance: 1, variance: 1, segments: 3.7, spread: 2 };
  const one = quoteOf(order, [region], { priceMicro: 100_000_001n, policy: DEFAULT_POLICY });
  const all = timesQuote(one, 7);
  expect(all.capMicro).toBe(one.capMicro * 7n);
  expect([all.lowMicro, all.estimateMicro, all.highMicro]).toEqual([one.lowMicro * 7n, one.estimateMicro * 7n, one.highMicro * 7n]);
  const { workerMicro, checkerMicro, feeMicro } = all.split;
  expect(workerMicro + checkerMicro + feeMicro).toBe(all.estimateMicro);
  expect(all.work.segments).toBeCloseTo(one.work.segments * 7, 6);
  expect(timesQuote(one, 1)).toEqual(one);
});

describe('the word', () => {
  const waiting = (frame: number): FrameMark => ({ frame, state: 'waiting', share: 0, view: null, thumb: null });
  const done = (frame: number): FrameMark => ({ ...waiting(frame), state: 'done', share: 1 });
  const open = (frame: number, changes: Partial<NonNullable<FrameMark['view']>>): FrameMark => {
    const none = { settled: 0, committed: 0, leased: 0, redone: 0, workers: 0, checks: 0, segments: 0 };
    const names = { job: 'a', title: 't', creator: 'c', state: 'open', reason: '', capMicro: '1', spentMicro: '0' } as const;
    return { ...waiting(frame), state: 'open', view: { ...names, ...none, leases: 4, ...changes } };
  };

  test.each([
    [[done(0), done(1)], 'done', false, 'Done', /All 2 frames/],
    [[done(0), waiting(1)], 'stopped', false, 'Stopped', /1 frame of 2/],
    [[waiting(0), waiting(1)], 'open', true, 'Ordering', /compiled and sent/],
    [[open(0, { leased: 1 }), open(1, {})], 'open', true, 'Rendering', /2 frames under way/],
    [[open(0, { reason: 'waiting for a worker' })], 'open', true, 'Waiting', /Nobody lends a GPU/],
  ] as const)('%#: tells what is so', (marks, state, running, word, sentence) => {
    expect(sequenceWord({ state }, marks, running)).toEqual({ word, sentence: expect.stringMatching(sentence) });
  });
});
