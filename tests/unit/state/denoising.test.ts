/** Which picture is denoised when, by an engine that answers when it is told to. */
import { describe, expect, it } from 'vitest';
import type { DenoiseRequest, DenoiseResult, Engine } from '#lib/gpu/engine.ts';
import { Denoising, type Most, type RawPicture } from '#lib/state/denoising.svelte.ts';
import { samplesOfPixels } from '#lib/state/raw-picture.ts';

type Failure = Exclude<DenoiseResult, { ok: true }>['reason'];

/** Denoises by negating, whenever `answer` is called. */
class SlowEngine {
  readonly asked: DenoiseRequest[] = [];
  inFlight = 0;
  inFlightMost = 0;
  #answer: ((result: DenoiseResult) => void) | null = null;

  readonly engine = {
    denoise: (signal, request) =>
      new Promise<DenoiseResult>((resolve) => {
        this.asked.push(request);
        this.inFlightMost = Math.max(this.inFlightMost, ++this.inFlight);
        const finish = (result: DenoiseResult): void => {
          if (this.#answer !== finish) return;
          this.inFlight--;
          this.#answer = null;
          resolve(result);
        };
        this.#answer = finish;
        signal.addEventListener('abort', () => finish({ ok: false, reason: 'aborted', text: 'Stopped.' }));
      }),
  } as Pick<Engine, 'denoise'> as Engine;

  get qualities(): readonly string[] {
    return this.asked.map(({ quality }) => quality);
  }

  /** Lets the request at hand end, and what follows from it begin. */
  async answer(failure: Failure | null = null, seconds = 0): Promise<void> {
    await settled();
    const { color } = this.asked.at(-1)!;
    this.#answer?.(
      failure
        ? { ok: false, reason: failure, text: `It failed: ${failure}.` }
        : { ok: true, image: color.map((v) => -v), models: ['net'], seconds },
    );
    await settled();
  }
}

/** Longer than any chain of promises here. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const picture = (samples: number, done = false, of: unknown = 'one'): RawPicture => ({
  of,
  width: 2,
  height: 1,
  color: new Float32Array(6).fill(samples),
  samples,
  done,
  guides: async () => null,
});

function desk(most: Most = { meanwhile: 'fast', atLast: 'final' }): { slow: SlowEngine; denoising: Denoising } {
  const slow = new SlowEngine();
  return {
    slow,
    denoising: new Denoising(
      async () => slow.engine,
      () => most,
    ),
  };
}

describe('denoising', () => {
  it('does nothing before it is wanted, and before there is light', async () => {
    const { slow, denoising } = desk();
    denoising.take(picture(1));
    await settled();
    expect(slow.asked).toEqual([]);
    denoising.clear();
    denoising.want(true);
    denoising.take(picture(0));
    await settled();
    expect(slow.asked).toEqual([]);
  });

  it('is quick first, then better, and best when the light is whole; one at a time and of the newest', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await slow.answer();
    expect(denoising.shown('one')).toMatchObject({ quality: 'live', samples: 1 });
    denoising.take(picture(2));
    denoising.take(picture(4));
    await slow.answer();
    await slow.answer();
    expect(denoising.latest).toMatchObject({ quality: 'fast', samples: 4 });
    expect(denoising.latest!.image[0]).toBe(-4);
    denoising.take(picture(8, true));
    await slow.answer();
    expect(denoising.latest).toMatchObject({ quality: 'final', samples: 8, done: true });
    expect(slow.qualities).toEqual(['live', 'fast', 'fast', 'final']);
    expect(slow.asked.map(({ color }) => color[0])).toEqual([1, 1, 4, 8]);
    denoising.take(picture(8, true));
    await settled();
    expect(slow.asked.length).toBe(4);
    expect(slow.inFlightMost).toBe(1);
    expect(denoising.working).toBeNull();
  });

  it('leaves a slow network for the end', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await slow.answer();
    await slow.answer(null, 60);
    denoising.take(picture(2));
    await settled();
    // The filter on twice the samples is no better than the network was.
    expect(slow.qualities).toEqual(['live', 'fast']);
    denoising.take(picture(4));
    await slow.answer();
    denoising.take(picture(5, true));
    await slow.answer();
    await slow.answer();
    expect(slow.qualities).toEqual(['live', 'fast', 'live', 'fast', 'final']);
  });

  it('shows raw light again at once, stops, and goes on where it was', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await slow.answer();
    denoising.want(false);
    expect(denoising.shown('one')).toBeNull();
    await settled();
    expect(slow.inFlight).toBe(0);
    denoising.want(true);
    expect(denoising.shown('one')).toMatchObject({ quality: 'live' });
    await slow.answer();
    expect(denoising.shown('one')).toMatchObject({ quality: 'fast' });
  });

  it('shows nothing of another picture, even when that comes late', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await settled();
    denoising.take(picture(1, false, 'other'));
    await slow.answer();
    expect(denoising.latest).toBeNull();
    await slow.answer();
    expect(denoising.shown('one')).toBeNull();
    expect(denoising.shown('other')).toMatchObject({ quality: 'live' });
  });

  it('keeps to the quick filter when the weights cannot be had, and tries again when asked again', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await slow.answer();
    await slow.answer('weights');
    expect(denoising.trouble).toContain('It failed: weights.');
    expect(denoising.shown('one')).toMatchObject({ quality: 'live' });
    denoising.take(picture(2));
    await slow.answer();
    expect(denoising.latest).toMatchObject({ quality: 'live', samples: 2 });
    denoising.want(true);
    expect(denoising.trouble).toBe('');
    await slow.answer();
    expect(denoising.latest).toMatchObject({ quality: 'fast' });
  });

  it('goes back to raw light with a sentence when nothing works', async () => {
    const { slow, denoising } = desk();
    denoising.want(true);
    denoising.take(picture(1));
    await slow.answer('device-lost');
    expect(denoising.trouble).toMatch(/raw light.*device-lost/);
    expect(denoising.wanted).toBe(false);
    denoising.take(picture(2));
    await settled();
    expect(slow.asked.length).toBe(1);
  });
});

describe('samples of pixels', () => {
  it('are those of their tile, cut at the edge', () => {
    const samples = samplesOfPixels({ width: 5, height: 3, tileSide: 2 }, [1, 2, 3, 4, 5, 6]);
    expect([...samples]).toEqual([1, 1, 2, 2, 3, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6]);
  });
});
