/**
 * Sequences as people will open them: MP4 and WebM by WebCodecs in a page's worker and by ffmpeg in
 * Node, counted and looked at by ffprobe and ffmpeg; ZIPs by Info-ZIP's rules. Needs ffmpeg.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decode } from 'fast-png';
import { unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sinkFor } from '#cli/sequence.ts';
import { DEFAULT_TONE } from '#lib/image/tonemap.ts';
import { launch } from '../e2e/harness.ts';
import { decodeByFfmpeg, probeVideo, requireProgram } from '../reference/programs.ts';
import type { DarkroomPage } from './page/darkroom.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const [WIDTH, HEIGHT, FRAMES, FPS] = [97, 65, 14, 12];
/** Odd sides are made even. */
const [WIDE, HIGH] = [98, 66];

const folder = mkdtempSync(join(tmpdir(), 'pictor-video-'));
beforeAll(() => requireProgram('ffmpeg', 'ffmpeg'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** sRGB bytes of linear light. */
const coded = (linear: number): number => 255 * (1.055 * linear ** (1 / 2.4) - 0.055);

/** Every frame is there, in order, at its time, and shows what it should. */
function looksRight(path: string, codec: RegExp): void {
  const { codec_name, width, height, nb_read_frames, r_frame_rate, seconds } = probeVideo(path);
  expect(codec_name).toMatch(codec);
  expect([width, height, nb_read_frames, r_frame_rate].map(String)).toEqual([WIDE, HIGH, FRAMES, `${FPS}/1`].map(String));
  expect(Math.abs(Number(seconds) - FRAMES / FPS)).toBeLessThan(0.05);
  const pixels = decodeByFfmpeg(path, 'rgb24');
  expect(pixels).toHaveLength(WIDE * HIGH * 3 * FRAMES);
  for (let k = 0; k < FRAMES; k++) {
    // Away from the column, and from the last two columns and rows, of which encoders of 16 × 16 blocks take little care.
    const grey = pixels.subarray(((k * HIGH + 60) * WIDE + 90) * 3).subarray(0, 3);
    for (const value of grey) expect(Math.abs(value - coded(0.05 + k * 0.04)), `frame ${k}`).toBeLessThan(6);
  }
}

describe('in a page', () => {
  let browser: Browser;
  let site: PreviewServer;
  let page: Page;
  beforeAll(async () => {
    const outDir = join(folder, 'site');
    const input = join(ROOT, 'tests/deep/page/darkroom.ts');
    const common = { configFile: false, logLevel: 'error', root: ROOT, publicDir: false } as const;
    const rollupOptions = { input: { page: input }, output: { entryFileNames: '[name].js' } };
    await build({ ...common, base: './', worker: { format: 'es' }, build: { outDir, target: 'es2023', rollupOptions } });
    writeFileSync(join(outDir, 'index.html'), '<!doctype html><title>darkroom</title><script type="module" src="./page.js"></script>');
    site = await preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } });
    browser = await launch();
    page = await browser.newPage();
    await page.goto(site.resolvedUrls!.local[0]!);
    await page.waitForFunction(() => 'darkroom' in globalThis);
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  const made = (kind: 'zip' | 'mp4' | 'webm', width: number, height: number, frames: number) =>
    page.evaluate(([how, w, h, n]) => (globalThis as unknown as { darkroom: DarkroomPage }).darkroom.sequence(how, w, h, n), [
      kind,
      width,
      height,
      frames,
    ] as const);

  test.each([
    ['mp4', /^(h264|av1|vp9)$/],
    ['webm', /^(vp9|av1|vp8)$/],
  ] as const)('%s', async (kind, codec) => {
    const file = await made(kind, WIDTH, HEIGHT, FRAMES);
    if (typeof file === 'string') throw new Error(file);
    expect(file.name).toBe(`Clock-ticking.${kind}`);
    const path = join(folder, `page.${kind}`);
    writeFileSync(path, Buffer.from(file.data, 'base64'));
    looksRight(path, codec);
    console.log(`${kind}: ${probeVideo(path).codec_name}, ${file.data.length * 0.75} bytes`);
  });

  test('zip', async () => {
    const file = await made('zip', 5, 4, 3);
    if (typeof file === 'string') throw new Error(file);
    const entries = unzipSync(Uint8Array.from(Buffer.from(file.data, 'base64')));
    expect(Object.keys(entries)).toEqual([0, 1, 2].map((k) => `Clock-ticking-000${k}.png`));
    expect(decode(entries['Clock-ticking-0001.png']!).data[3]).toBe(255);
  });

  test('a size that no encoder takes is said', async () => {
    expect(await made('mp4', 40_000, 1, 1)).toMatch(/can't encode a video of 40000 × 2 px for mp4; take the ZIP/);
  });

  test('a picture of 4K, and how long the page is held up', async () => {
    for (const format of ['png8', 'png16', 'exr', 'pfm'] as const) {
      const told = await page.evaluate(
        (one) => (globalThis as unknown as { darkroom: DarkroomPage }).darkroom.develop(one, 3840, 2160),
        format,
      );
      console.log(
        `${format} at 3840 × 2160: ${told.seconds.toFixed(1)} s, page held up ${told.blockedMs.toFixed(0)} ms, ${told.bytes} bytes`,
      );
      expect(told.bytes).toBeGreaterThan(3840 * 2160);
    }
    expect(await page.evaluate(() => (globalThis as unknown as { darkroom: DarkroomPage }).darkroom.stopped())).toBeNull();
  });
});

describe('in Node', () => {
  const wishes = { paths: [], auxiliaries: [], tone: { exposure: 0, operator: 'none' }, pngBits: 8, notes: {} } as const;
  const frame = (k: number) => {
    const light = new Float32Array(WIDTH * HEIGHT * 3).fill(0.05 + k * 0.04);
    return { width: WIDTH, height: HEIGHT, light, denoised: null, coverage: null, auxiliary: null, samples: 1 };
  };

  test.each([
    ['mp4', /^h264$/],
    ['webm', /^vp9$/],
  ] as const)('%s', async (kind, codec) => {
    const path = join(folder, `node.${kind}`);
    const sink = sinkFor(path, FPS);
    for (let k = 0; k < FRAMES; k++) await sink.add(frame(k), k, wishes);
    const [written] = await sink.finish();
    expect(written!.bytes).toBeGreaterThan(100);
    looksRight(path, codec);
    // Control: another exposure is another video.
    const dark = sinkFor(join(folder, `dark.${kind}`), FPS);
    for (let k = 0; k < FRAMES; k++) await dark.add(frame(k), k, { ...wishes, tone: { ...DEFAULT_TONE, exposure: -3 } });
    await dark.finish();
    expect(() => looksRight(join(folder, `dark.${kind}`), codec)).toThrow(/frame/);
  });
});
