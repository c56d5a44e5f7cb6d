/** Page of tests/deep/video: writes files in the product's own worker and hands them to the test. */
import { developAside, SequenceAside } from '#lib/image/darkroom.ts';
import { ALL_LAYERS, type Format, type Picture } from '#lib/image/develop.ts';

const TONE = { exposure: 0, operator: 'none' } as const;

/** A grey that grows from frame to frame, one column redder than the rest. */
function frame(width: number, height: number, k: number): Picture {
  const light = new Float32Array(width * height * 3).fill(0.05 + k * 0.04);
  for (let y = 0; y < height; y++) light[(y * width + k) * 3] = 1;
  return { width, height, light, denoised: null, coverage: null, auxiliary: null, samples: 4 };
}

const base64 = async (blob: Blob): Promise<string> =>
  new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',')[1] ?? '');
    reader.readAsDataURL(blob);
  });

async function sequence(
  kind: 'zip' | 'mp4' | 'webm',
  width: number,
  height: number,
  frames: number,
): Promise<{ name: string; data: string } | string> {
  const choices = { format: 'png8', state: 'raw', tone: TONE, layers: [], title: 'Clock, ticking', notes: {} } as const;
  const made = await SequenceAside.open({ kind, fps: 12, frame: choices });
  for (let k = 0; k < frames; k++) {
    const trouble = await made.add(frame(width, height, k), k);
    if (trouble !== null) return trouble;
  }
  const { blob, name } = await made.finish();
  return { name, data: await base64(blob) };
}

/** A full picture of this format; how long it took, and the longest time that the page did not answer. */
async function develop(format: Format, width: number, height: number): Promise<{ seconds: number; blockedMs: number; bytes: number }> {
  const pixels = width * height;
  const noise = (n: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: n }, () => Math.random());
  const auxiliary = {
    ...{ albedo: noise(pixels * 3), normal: noise(pixels * 3), depth: noise(pixels), moment: noise(pixels) },
    object: new Uint32Array(pixels),
  };
  const picture = { width, height, light: noise(pixels * 3), denoised: noise(pixels * 3), coverage: null, auxiliary, samples: 4 };
  let [blockedMs, last, running] = [0, performance.now(), true];
  const beat = (): void => {
    blockedMs = Math.max(blockedMs, performance.now() - last);
    last = performance.now();
    if (running) setTimeout(beat, 0);
  };
  beat();
  const startedMs = performance.now();
  const choices = { format, state: 'denoised', tone: { exposure: 0, operator: 'agx' }, layers: ALL_LAYERS, title: 'x', notes: {} } as const;
  const file = await developAside(new AbortController().signal, picture, choices);
  running = false;
  beat();
  return { seconds: (performance.now() - startedMs) / 1000, blockedMs, bytes: file?.bytes.length ?? 0 };
}

/** What a page that changed its mind gets. */
async function stopped(): Promise<unknown> {
  const stop = new AbortController();
  const choices = { format: 'png16', state: 'raw', tone: TONE, layers: [], title: 'x', notes: {} } as const;
  const file = developAside(stop.signal, frame(500, 500, 1), choices);
  stop.abort();
  return file;
}

export type DarkroomPage = { readonly sequence: typeof sequence; readonly develop: typeof develop; readonly stopped: typeof stopped };
Object.assign(globalThis, { darkroom: { sequence, develop, stopped } satisfies DarkroomPage });
