/**
 * The embedding entry as its users see it: a path tracer for one picture, without the network. This
 * file imports nothing, because the build copies it as `pictor.d.ts` beside the module. Promises
 * reject with a PictorError whose message is one sentence; an abort is not an error.
 */

/** Bytes, or where to fetch them. */
export type Source = ArrayBuffer | Uint8Array | Blob | URL | string;

export interface CreateOptions {
  /** Pixels, 1 to 8192. */
  readonly width: number;
  /** Pixels, 1 to 8192. */
  readonly height: number;
  /** Scatterings after the camera ray, 1 to 32; default 8. */
  readonly maxBounces?: number;
  /** Of the random numbers, a whole number below 2^32; default 0. Same seed, same picture. */
  readonly seed?: number;
  /** Keep albedo, normal, depth and the rest for `read`; default false. */
  readonly layers?: boolean;
  /** What stands behind everything becomes alpha instead of light; default false. Keeps layers. */
  readonly transparent?: boolean;
  /**
   * 'foreground' (default in a page) keeps dispatches short, so that the page stays smooth; 'idle' (default
   * elsewhere) lets them be longer and gets more done.
   */
  readonly pace?: 'foreground' | 'idle';
  /** Trace in a Web Worker of its own; default: true in a page, false in a worker and in Node. */
  readonly worker?: boolean;
  /** The WebGPU to use without a worker; default `navigator.gpu`. Node: `await nodeGpu()` of `node-gpu.js`. */
  readonly gpu?: GPU;
}

export type Vector = readonly [number, number, number];

/** A camera of your own, in glTF's coordinates (+Y up, right-handed). */
export type CameraView =
  | {
      readonly eye: Vector;
      readonly target: Vector;
      /** Default +Y. */
      readonly up?: Vector;
      /** Vertical field of view, degrees. */
      readonly vfov: number;
    }
  | {
      /** World matrix of the camera's node, 16 numbers, column by column; it looks along -Z. Scale changes nothing. */
      readonly matrix: ArrayLike<number>;
      /** Vertical field of view, degrees. */
      readonly vfov: number;
    };

/** A camera of the file by name or by number from 0, or one of your own. */
export type CameraChoice = string | number | CameraView;

export interface LoadOptions {
  /** Default: the file's first camera, or a view that frames everything. */
  readonly camera?: CameraChoice;
  /** Equirectangular Radiance (.hdr) or OpenEXR file around the scene; default: the scene's own, or black. */
  readonly environment?: Source;
  /** Multiplies the environment; default 1. */
  readonly intensity?: number;
  /** Moment of the file's animations, seconds; default 0: as saved. */
  readonly time?: number;
  /** Name of a KHR_materials_variants variant. */
  readonly variant?: string;
  readonly signal?: AbortSignal;
}

export interface SceneInfo {
  readonly triangles: number;
  readonly materials: number;
  readonly textures: number;
  readonly lights: number;
  /** Of the compiled scene, in memory and on the GPU. */
  readonly bytes: number;
  readonly compileSeconds: number;
  /** Names of the file's cameras, in file order. */
  readonly cameras: readonly string[];
  readonly variants: readonly string[];
  /** Length of the longest animation, seconds. */
  readonly animationSeconds: number;
  readonly bounds: { readonly min: Vector; readonly max: Vector };
  /** What was left out of the file, one sentence each. */
  readonly warnings: readonly string[];
}

export interface Progress {
  /** Of what this call renders, 0 to 1. */
  readonly share: number;
  /** Samples that every pixel has. */
  readonly samples: number;
  /** Rays traced by this call. */
  readonly rays: number;
  /** Seconds of tracing in this call. */
  readonly seconds: number;
}

export interface RenderOptions {
  /** Stops soon after it aborts; what is finished stays, and the next `render` goes on from there. */
  readonly signal?: AbortSignal;
  /** Called after every tile. `read` may be called any time. */
  readonly onProgress?: (progress: Progress) => void;
}

/** Rows from the top; linear light, never tone mapped. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Samples that every pixel has; while a pass is under way some tiles already have more. */
  readonly samples: number;
  /** Mean radiance R, G, B and alpha: width × height × 4. Alpha is 1 unless `transparent`; colour is premultiplied. */
  readonly color: Float32Array<ArrayBuffer>;
  /** Null unless `layers` or `transparent`. */
  readonly layers: PictureLayers | null;
}

export interface PictureLayers {
  /** R, G, B of what is seen, also through glass and in mirrors. */
  readonly albedo: Float32Array<ArrayBuffer>;
  /** X, Y, Z in world space; shorter than 1 where a pixel sees an edge. */
  readonly normal: Float32Array<ArrayBuffer>;
  /** Mean distance from the camera; 0 where nothing is. */
  readonly depth: Float32Array<ArrayBuffer>;
  /** Mean squared luminance of a path. */
  readonly moment: Float32Array<ArrayBuffer>;
  /** Share of paths that saw a surface. */
  readonly coverage: Float32Array<ArrayBuffer>;
}

export interface Adapter {
  readonly name: string;
  /** Runs on the CPU. */
  readonly software: boolean;
}

export interface Renderer {
  readonly adapter: Adapter;
  /** Compiles a .glb (or a .zip with a .gltf and its files) and starts an empty picture of it. */
  load(scene: Source, options?: LoadOptions): Promise<SceneInfo>;
  /** Another view of the loaded scene: the picture starts over. */
  view(camera: CameraChoice): void;
  /**
   * Adds `samples` samples to every pixel. The light's bits depend on the samples that are in, not
   * on how calls cut them: once 64 and four times 16 are the same.
   * @returns how far it came; `share` below 1 when it was aborted.
   */
  render(samples: number, options?: RenderOptions): Promise<Progress>;
  /** The picture so far; black while nothing is in. */
  read(): Promise<Picture>;
  /** Ends what runs and frees worker and GPU. */
  dispose(): Promise<void>;
}

/** `code` is for programs, `message` for people. */
export interface PictorError extends Error {
  readonly name: 'PictorError';
  readonly code: 'no-webgpu' | 'no-adapter' | 'device-failed' | 'bad-argument' | 'unreadable' | 'bad-scene' | 'trace-failed' | 'disposed';
}
