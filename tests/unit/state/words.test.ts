/** What screens say: one word and one sentence per state, and numbers as people read them. */
import { describe, expect, it } from 'vitest';
import { aboutDuration, aboutTokens, bytes, duration, scaled, tokens } from '#lib/state/format.ts';
import { jobWord } from '#lib/state/job-word.ts';
import { networkWord } from '#lib/state/network.svelte.ts';

const view = { workers: 0, checkers: 0, creators: 0, jobsOpen: 0, leasesRunning: 0 };

describe('the network in one word', () => {
  it('tells the five situations apart', () => {
    expect(networkWord({ ...view, workers: 12 }, true)).toEqual({ word: 'Idle', sentence: '12 GPUs waiting for work.' });
    expect(networkWord({ ...view, workers: 3, jobsOpen: 1, leasesRunning: 2 }, true).word).toBe('Active');
    expect(networkWord({ ...view, jobsOpen: 1 }, true)).toEqual({
      word: 'Waiting',
      sentence: '1 picture in the queue, and no GPU is lent right now.',
    });
    expect(networkWord({ ...view, jobsOpen: 2, workers: 1 }, true).sentence).toBe('2 pictures in the queue; 1 GPU about to take a part.');
    expect(networkWord(view, true).word).toBe('Quiet');
  });

  it('says that it is out of reach even when it knows an old answer', () => {
    expect(networkWord({ ...view, workers: 12 }, false).word).toBe('Unreachable');
    expect(networkWord(null, true).word).toBe('Asking');
  });
});

describe('a job in one word', () => {
  const job = { state: 'open', reason: '', leased: 0, committed: 0, settled: 0, leases: 12, checks: 0 } as const;

  it('follows the leases while it is open', () => {
    expect(jobWord(job).word).toBe('Waiting');
    expect(jobWord({ ...job, leased: 2 }).word).toBe('Rendering');
    expect(jobWord({ ...job, committed: 3 }).word).toBe('Checking');
    expect(jobWord({ ...job, state: 'done', settled: 12, checks: 12 })).toEqual({
      word: 'Done',
      sentence: 'Every lease is checked, received and paid; 12 checks vouch for it.',
    });
  });

  it('says what can be done about a standstill', () => {
    expect(jobWord({ ...job, reason: 'waiting for a worker' }).sentence).toMatch(/“Lend”/);
    const unchecked = { ...job, reason: 'waiting for a checker', committed: 4 };
    expect(jobWord(unchecked)).toMatchObject({ word: 'Checking', sentence: expect.stringMatching(/another browser/) });
    expect(jobWord({ ...unchecked, leased: 1 })).toMatchObject({ word: 'Rendering', sentence: expect.stringMatching(/another browser/) });
  });

  it('makes a sentence of a reason it does not know', () => {
    expect(jobWord({ ...job, reason: 'the cap is used up' }).sentence).toBe('The cap is used up.');
    expect(jobWord({ ...job, state: 'failed', reason: 'no worker could read it', committed: 2 }).sentence).toBe(
      'No worker could read it. What was done is kept; what is left of the cap comes back. 2 leases already traced will still be checked and paid.',
    );
  });
});

describe('numbers', () => {
  it('keeps money exact to the micro-token', () => {
    expect(tokens('1204050000')).toBe('1\u202f204.05');
    expect(tokens(1n)).toBe('0.000001');
    expect(tokens(-2_500_000n)).toBe('−2.5');
    expect(tokens('9007199254740993')).toBe('9\u202f007\u202f199\u202f254.740993');
  });

  it('marks estimates by their coarseness', () => {
    expect(aboutTokens(0n)).toBe('0');
    expect(aboutTokens(1_234_567n)).toBe('1.2');
    expect(aboutDuration(0.2)).toBe('under a second');
    expect(aboutDuration(43)).toBe('about 45 s');
    expect(aboutDuration(600)).toBe('about 10 min');
    expect(aboutDuration(Number.NaN)).toBe('measuring…');
  });

  it('scales with three digits and a unit', () => {
    expect(bytes(0)).toBe('0 B');
    expect(bytes(999)).toBe('999 B');
    expect(bytes(536_870_912)).toBe('537 MB');
    expect(scaled(12_400_000)).toBe('12.4 M');
    expect(duration(130)).toBe('2 min 10 s');
  });
});
