/**
 * One device with its pipelines, lanes and uploaded scenes. A lost device ends the session and the
 * tracer opens another; nothing of it is reused.
 */
import type { Adapter } from '#lib/protocol/control.ts';
import type { CompiledScene } from '../scene/compiled-scene.ts';
import { openDevice, type LimitNeeds, type OpenOutcome } from './device.ts';
import { PLAIN } from './features.ts';
import { Lane, type LanePasses } from './lane.ts';
import { ReducePass } from './reduce-pass.ts';
import { SceneBuffers } from './scene-buffers.ts';
import { TracePass } from './trace-pass.ts';
import type { PassOptions, Variant } from './variant.ts';

/** Submits in flight. */
const LANES = 2;

export type SessionOutcome = { readonly ok: true; readonly session: Session } | Exclude<OpenOutcome, { ok: true }>;

export class Session {
  readonly adapter: Adapter;
  readonly lanes: readonly Lane[];
  readonly variant: Variant;
  /** Why the device is of no more use; null while it is. */
  fault: string | null = null;
  readonly #device: GPUDevice;
  readonly #trace: TracePass;
  readonly #scenes = new Map<string, SceneBuffers>();

  private constructor(device: GPUDevice, adapter: Adapter, variant: Variant, { trace, reduce }: LanePasses) {
    this.#device = device;
    this.#trace = trace;
    this.adapter = adapter;
    this.variant = variant;
    this.lanes = Array.from({ length: LANES }, () => new Lane(device, { trace, reduce }));
    void device.lost.then((info) => {
      this.fault ??= `The device was lost: ${info.message || info.reason}`;
    });
    device.addEventListener('uncapturederror', (event) => {
      this.fault ??= `The device reported: ${event.error.message}`;
    });
  }

  static async open(gpu: GPU | undefined, needs: LimitNeeds, options: PassOptions): Promise<SessionOutcome> {
    const opened = await openDevice(gpu, needs);
    if (!opened.ok) return opened;
    const { device, adapter } = opened;
    try {
      const trace = new TracePass(device, options);
      const [reduce] = await Promise.all([ReducePass.create(device), trace.prepare(PLAIN)]);
      return { ok: true, session: new Session(device, adapter, options.variant, { trace, reduce }) };
    } catch (error) {
      device.destroy();
      return {
        ok: false,
        reason: 'device-failed',
        text: `The pipelines were refused: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  /** Uploads on first use. @returns null when the device has no memory for it, or is lost. */
  async scene(root: string, compiled: CompiledScene): Promise<SceneBuffers | null> {
    const known = this.#scenes.get(root);
    if (known) return known;
    this.#device.pushErrorScope('out-of-memory');
    const buffers = new SceneBuffers(this.#device, compiled, this.variant.tree);
    const ready = Promise.all([this.#device.popErrorScope(), this.#trace.prepare(buffers.features)]);
    const failed = await ready.then(
      ([error]) => error !== null,
      () => true,
    );
    if (failed) {
      buffers.destroy();
      return null;
    }
    this.#scenes.set(root, buffers);
    return buffers;
  }

  /** Builds the kernel that counts. @returns false when it was refused, or the device is lost. */
  prepareCount(buffers: SceneBuffers): Promise<boolean> {
    return this.#trace.prepare(buffers.features, true).then(
      () => true,
      () => false,
    );
  }

  drop(root: string): void {
    this.#scenes.get(root)?.destroy();
    this.#scenes.delete(root);
  }

  close(): void {
    this.fault ??= 'closed';
    this.#device.destroy();
  }
}
