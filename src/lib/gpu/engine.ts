/**
 * The tracing engine as roles see it: compile a scene, trace rectangles of it. In a tab it is a
 * dedicated Worker behind comlink, in an agent the same class in the same process. All peers that
 * compile the same files get the same root; one engine traces one request at a time and queues the
 * rest.
 */
import type { Adapter } from '../protocol/control.ts';
import type { Camera, JobOrder } from '../protocol/order.ts';
import type { Film } from '../job/film.ts';
import type { Pass, Rect } from '../job/plan.ts';
import type { Bytes } from '../protocol/bytes.ts';

/** Memory on a device: what a scene takes of it, or what a device holds. */
export interface DeviceRoom {
  /** In all. */
  readonly bytes: number;
  /** Of the largest buffer. */
  readonly bindingBytes: number;
}

export type DeviceReport =
  | { readonly ok: true; readonly adapter: Adapter; /** For scenes. */ readonly holds: DeviceRoom; readonly compileSeconds: number }
  | { readonly ok: false; readonly reason: 'no-webgpu' | 'no-adapter' | 'device-failed'; readonly text: string };

export interface SceneFiles {
  readonly scene: Bytes;
  readonly environment: { readonly file: Bytes; readonly intensity: number } | null;
  readonly frameTimeS: number;
  /** Name of a KHR_materials_variants variant; null shows the materials as they are. */
  readonly variant: string | null;
}

export interface SceneSummary {
  /** SHA-256 root of the compiled scene, hex. */
  readonly root: string;
  readonly bytes: number;
  /** What it takes on a device. */
  readonly needs: DeviceRoom;
  readonly triangles: number;
  readonly materials: number;
  readonly textures: number;
  readonly lights: number;
  readonly bounds: { readonly min: readonly [number, number, number]; readonly max: readonly [number, number, number] };
  /** Cameras of the file, in file order; `view` is a framing camera when there are none. */
  readonly cameras: readonly { readonly name: string; readonly camera: Camera }[];
  readonly view: Camera;
  /** Length of the longest animation, seconds; 0 when nothing moves. */
  readonly animationSeconds: number;
  /** Names of KHR_materials_variants, in file order. */
  readonly variants: readonly string[];
  /** Optional extensions that are ignored, and other things worth saying; one sentence each. */
  readonly warnings: readonly string[];
  readonly compileSeconds: number;
}

/** A defect of the user's file, with one clear sentence: what, where, what to do. */
export type SceneOutcome = { readonly ok: true; readonly summary: SceneSummary } | { readonly ok: false; readonly text: string };

export interface TraceRequest {
  readonly sceneRoot: string;
  readonly frame: Pick<JobOrder, 'camera' | 'width' | 'height' | 'bounces' | 'seed'> & Partial<Pick<JobOrder, 'transparent'>>;
  readonly rect: Rect;
  readonly pass: Pass;
  /** Traces with the counting kernel: the film then holds counters instead of layers (filmCounters). */
  readonly count?: boolean;
}

export type TraceOutcome =
  | { readonly ok: true; readonly film: Film; readonly traceSeconds: number }
  | {
      readonly ok: false;
      readonly reason: 'aborted' | 'device-lost' | 'no-memory' | 'unknown-scene' | 'not-finite' | 'node-cap';
      readonly text: string;
    };

/**
 * `live`: an edge-avoiding filter, at once and without weights; `fast`: a small network, for previews; `final`: guides cleaned by
 * networks of their own, then the best there is.
 */
export type DenoiseQuality = 'live' | 'fast' | 'final';

/** A picture to clear of grain. Buffers are copied, never transferred: their owner keeps showing the raw light. */
export interface DenoiseRequest {
  readonly width: number;
  readonly height: number;
  /** Linear radiance, red green blue per pixel, rows from the top; any scale. */
  readonly color: Float32Array<ArrayBuffer>;
  /** What surfaces reflect, 0 to 1, laid out as `color`. */
  readonly albedo?: Float32Array<ArrayBuffer> | undefined;
  /** Unit normals in world space, -1 to 1, zero where the sky is; counts only beside albedo. */
  readonly normal?: Float32Array<ArrayBuffer> | undefined;
  /** `clean`: the guides hold no grain; `noisy` (when left out): they come from as few samples as the light. */
  readonly guides?: 'noisy' | 'clean' | undefined;
  /** What light is multiplied with before the network sees it (and divided by after); from the picture's own brightness when left out. */
  readonly exposure?: number | undefined;
  /** Distance per pixel, 0 where nothing is; `live` alone reads it. */
  readonly depth?: Float32Array<ArrayBuffer> | undefined;
  /**
   * Mean squared luminance of a pixel's paths; counts only beside `samples`. With both, light that the networks lost returns where
   * noise does not explain its loss, and the picture has the mean luminance of `color`; without, it is what the networks make of it.
   */
  readonly moment?: Float32Array<ArrayBuffer> | undefined;
  /** Paths per pixel. */
  readonly samples?: Float32Array<ArrayBuffer> | undefined;
  readonly quality: DenoiseQuality;
}

export type DenoiseResult =
  | {
      readonly ok: true;
      /** As `color`: not negative, finite, never clamped from above. */
      readonly image: Float32Array<ArrayBuffer>;
      /** Networks that ran, in their order, by Open Image Denoise's names; for receipts. */
      readonly models: readonly string[];
      readonly seconds: number;
    }
  | {
      readonly ok: false;
      /** `weights`: their files could not be had or are damaged; `size`: the buffers don't fit width and height, or the picture is too large. */
      readonly reason: 'aborted' | 'device-lost' | 'no-memory' | 'weights' | 'size';
      readonly text: string;
    };

/** How much of the device an engine takes. */
export interface Pace {
  /** Beside a page that someone looks at, dispatches are short; in an agent or a hidden page they need not be. */
  readonly place: 'foreground' | 'idle';
  /** Of the device's time, above 0 and at most 1: the engine idles between dispatches for the rest. */
  readonly share: number;
}

/** How long dispatches took since the engine started: `counts[i]` of at most `edgesMs[i]`, the last of more. */
export interface DispatchTimes {
  readonly edgesMs: readonly number[];
  readonly counts: readonly number[];
  readonly longestMs: number;
}

export interface Engine {
  /** SHA-256 of all that decides a pixel in shaders (pixelSources), hex. */
  readonly shader: string;
  /** Creates the device and its pipelines; later calls return the same report. */
  probe(): Promise<DeviceReport>;
  /** Compiles and keeps the scene under its root; keeps at most a few and drops the oldest. */
  compile(signal: AbortSignal, files: SceneFiles): Promise<SceneOutcome>;
  trace(signal: AbortSignal, request: TraceRequest, onProgress?: (done: number) => void): Promise<TraceOutcome>;
  /**
   * Clears a picture of grain, on a device of its own beside the tracing; one picture at a time, others queue. The first one
   * loads the weights. At the creator only, never inside a lease. @param onProgress share of the work that is done, 0 to 1.
   */
  denoise(signal: AbortSignal, request: DenoiseRequest, onProgress?: (share: number) => void): Promise<DenoiseResult>;
  /** Holds from the next dispatch on; until the first call an engine takes what an agent may: 'idle', all of it. */
  setPace(pace: Pace): void;
  dispose(): Promise<void>;
}
