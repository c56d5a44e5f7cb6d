/**
 * What the engine's Web Worker exposes through comlink. Calls are numbered so that one can be
 * aborted: an AbortSignal itself does not travel.
 */
import type { DenoiseRequest, DenoiseResult, DeviceReport, Pace, SceneFiles, SceneOutcome, TraceOutcome, TraceRequest } from './engine.ts';

export interface EngineWorkerApi {
  probe(): Promise<{ readonly report: DeviceReport; readonly shader: string }>;
  /** Bytes of `files` are copied, not transferred: their owner still serves them to peers. */
  compile(call: number, files: SceneFiles): Promise<SceneOutcome>;
  trace(call: number, request: TraceRequest, onProgress: ((done: number) => void) | null): Promise<TraceOutcome>;
  denoise(call: number, request: DenoiseRequest, onProgress: ((share: number) => void) | null): Promise<DenoiseResult>;
  abort(call: number): void;
  setPace(pace: Pace): void;
  dispose(): Promise<void>;
}
