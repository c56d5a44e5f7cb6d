/** What passes between the main thread and the engine's thread. Both ends are this program; nothing is parsed. */
import type {
  DenoiseRequest,
  DenoiseResult,
  DeviceReport,
  Pace,
  SceneFiles,
  SceneOutcome,
  TraceOutcome,
  TraceRequest,
} from '#lib/gpu/engine.ts';

export type EngineCall =
  | { readonly verb: 'probe' }
  | { readonly verb: 'compile'; readonly files: SceneFiles }
  | { readonly verb: 'trace'; readonly request: TraceRequest }
  | { readonly verb: 'denoise'; readonly request: DenoiseRequest }
  | { readonly verb: 'dispose' };

export type ToEngine =
  | { readonly id: number; readonly call: EngineCall }
  | { readonly id: number; readonly abort: true }
  | { readonly pace: Pace };

export type EngineResult = DeviceReport | SceneOutcome | TraceOutcome | DenoiseResult | { readonly ok: true };

export type FromEngine =
  | { readonly shader: string }
  | { readonly id: number; readonly done: number }
  | { readonly id: number; readonly result: EngineResult }
  /** An exception, and so a defect of this program. */
  | { readonly id: number; readonly thrown: string };
