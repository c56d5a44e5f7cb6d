/** The local preview over an engine that counts: it grows, it stops, it measures, and it outlives a lost scene. */
import { describe, expect, it } from 'vitest';
import type { Engine, SceneFiles, TraceRequest } from '#lib/gpu/engine.ts';
import { FilmPixel } from '#shaders/layout.ts';
import { Preview, type PreviewView } from '#lib/state/preview.svelte.ts';

const FILES: SceneFiles = { scene: new Uint8Array(4), environment: null, frameTimeS: 0, variant: null };
const ROOT = 'a'.repeat(64);

const view = (change: Partial<PreviewView> = {}): PreviewView => ({
  sceneRoot: ROOT,
  files: FILES,
  camera: { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.4, lens: null },
  transparent: false,
  width: 1280,
  height: 720,
  bounces: 8,
  ...change,
});

/** Traces grey, three rays per path, in `secondsPerPath`; forgets every scene when told to. */
class GreyEngine implements Engine {
  readonly shader = '';
  readonly asked: TraceRequest[] = [];
  compiled = 0;
  knows = true;
  readonly #secondsPerPath: number;
  onTrace: () => void = () => undefined;

  constructor(secondsPerPath: number) {
    this.#secondsPerPath = secondsPerPath;
  }

  probe = async () => ({ ok: false, reason: 'no-adapter', text: '' }) as const;
  setPace = (): void => undefined;
  denoise = async () => ({ ok: false, reason: 'weights', text: '' }) as const;
  dispose = async () => undefined;

  compile: Engine['compile'] = async () => {
    this.compiled++;
    this.knows = true;
    const summary = { root: ROOT } as never;
    return { ok: true, summary };
  };

  trace: Engine['trace'] = async (_signal, request) => {
    this.asked.push(request);
    this.onTrace();
    if (!this.knows) return { ok: false, reason: 'unknown-scene', text: 'The scene is not compiled.' };
    const { rect, pass } = request;
    const words = new Float32Array((rect.width * rect.height * FilmPixel.size) / 4).fill(pass.count * 0.5);
    const counts = new Uint32Array(words.buffer);
    for (let p = FilmPixel.offsets.segments / 4; p < counts.length; p += FilmPixel.size / 4) counts[p] = 3 * pass.count;
    const film = {
      width: rect.width,
      height: rect.height,
      samples: pass.count,
      light: new Uint8Array(words.buffer),
      signatures: new Uint16Array(),
    };
    return { ok: true, film, traceSeconds: rect.width * rect.height * pass.count * this.#secondsPerPath };
  };
}

describe('preview', () => {
  it('stays small on a slow device, and measures rays per path and per second', async () => {
    const engine = new GreyEngine(1e-3);
    const preview = new Preview(async () => engine);
    await preview.trace(view());
    expect([preview.frame?.width, preview.frame?.height]).toEqual([96, 54]);
    expect(preview.samples).toBe(256);
    // 1280 × 720 is ordered in 10 × 6 tiles.
    expect(preview.regions.length).toBe(60);
    expect(preview.regions.every(({ segments, spread }) => segments === 3 && spread === 0)).toBe(true);
    expect(preview.costPerMille).toBeGreaterThan(0);
    expect(preview.segmentsPerSecond).toBeCloseTo(3000);
    expect(preview.frame?.image[0]).toBe(0.5);
    expect(preview.running).toBe(false);
  });

  it('grows to the largest size on a quick one, and never sends the scene along', async () => {
    const engine = new GreyEngine(1e-9);
    const preview = new Preview(async () => engine);
    await preview.trace(view());
    expect(preview.frame?.width).toBe(768);
    expect(preview.of?.camera).toEqual(view().camera);
    expect(Object.keys(engine.asked[0]!.frame).toSorted()).toEqual(['bounces', 'camera', 'height', 'seed', 'transparent', 'width']);
  });

  it('compiles a scene again that the engine has dropped', async () => {
    const engine = new GreyEngine(1e-3);
    engine.knows = false;
    const preview = new Preview(async () => engine);
    await preview.trace(view());
    expect(engine.compiled).toBe(1);
    expect(preview.samples).toBe(256);
    expect(preview.trouble).toBe('');
  });

  it('measures the cost of a view once, however often it is traced, and knows nothing of another scene', async () => {
    const engine = new GreyEngine(1e-3);
    const preview = new Preview(async () => engine);
    await preview.trace(view());
    const counted = (): number => engine.asked.filter(({ count }) => count).length;
    expect(counted()).toBe(24);
    await preview.trace(view({ width: 640, height: 360 }));
    expect(counted()).toBe(24);
    engine.knows = false;
    engine.compile = async () => ({ ok: false, text: 'broken' });
    await preview.trace(view({ sceneRoot: 'b'.repeat(64) }));
    expect([preview.regions, preview.costPerMille, preview.segmentsPerSecond]).toEqual([[], null, null]);
  });

  it('says why it stopped when the scene cannot be had again', async () => {
    const engine = new GreyEngine(1e-3);
    engine.knows = false;
    engine.compile = async () => ({ ok: false, text: 'broken' });
    const preview = new Preview(async () => engine);
    await preview.trace(view());
    expect(preview.trouble).toMatch(/not compiled/);
    expect(preview.frame).toBeNull();
  });

  it('stops after the piece at hand, and a newer view takes over', async () => {
    const engine = new GreyEngine(1e-3);
    const preview = new Preview(async () => engine);
    engine.onTrace = () => {
      if (engine.asked.length === 3) preview.stop();
    };
    await preview.trace(view());
    expect(engine.asked.length).toBe(3);
    expect(preview.running).toBe(false);
    const portrait = view({ width: 720, height: 1280 });
    await preview.trace(portrait);
    expect([preview.frame?.width, preview.frame?.height]).toEqual([54, 96]);
    expect(preview.of).toEqual(portrait);
  });
});
