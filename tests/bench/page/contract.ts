/** What the bench asks of a renderer in a page: the same few calls for ours and for its peers. */

export interface BenchCamera {
  readonly eye: readonly [number, number, number];
  readonly target: readonly [number, number, number];
  readonly up: readonly [number, number, number];
  /** Vertical, degrees. */
  readonly vfov: number;
}

export interface BenchShot {
  /** Addresses of the files. */
  readonly scene: string;
  readonly environment: string | null;
  readonly intensity: number;
  readonly camera: BenchCamera;
  readonly width: number;
  readonly height: number;
  readonly bounces: number;
  readonly seed: number;
}

/** Seconds by the page's clock. */
export interface Prepared {
  readonly adapter: string;
  /** Reading, decoding and building, until samples could be asked for. */
  readonly loadSeconds: number;
  /** Of that, the tree alone; null where it can't be told apart. */
  readonly buildSeconds: number | null;
  /** From then to the end of the first sample: pipelines, mostly. */
  readonly firstSampleSeconds: number;
}

export interface Reached {
  /** Mean samples per pixel since `prepare`. */
  readonly samples: number;
  /** Seconds spent sampling since `prepare`; the first sample is not in. */
  readonly seconds: number;
}

export interface BenchSubject {
  prepare(shot: BenchShot): Promise<Prepared>;
  /** Samples on until about so many seconds have passed. */
  run(seconds: number): Promise<Reached>;
  /** Means R, G, B, rows from the top, as base64 of little-endian f32. */
  picture(): Promise<string>;
}

/** Hands the subject to the driver. */
export function offer(subject: BenchSubject): void {
  Object.assign(globalThis, { benchSubject: subject });
}

const BASE64_STEP = 0x8000;

export function base64(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = '';
  for (let i = 0; i < bytes.length; i += BASE64_STEP) text += String.fromCharCode(...bytes.subarray(i, i + BASE64_STEP));
  return btoa(text);
}

/** R, G, B of an RGBA picture; `flip` where rows come from the bottom. */
export function rgbOf(rgba: ArrayLike<number>, width: number, height: number, flip: boolean): Float32Array {
  const out = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = flip ? height - 1 - y : y;
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) out[(y * width + x) * 3 + c] = rgba[(row * width + x) * 4 + c] ?? 0;
  }
  return out;
}
