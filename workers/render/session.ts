/**
 * One device with its passes, lanes and uploaded scenes. A lost device ends the session and the
 * tracer opens another; nothing of it is reused. Keeps each scene once, with the tree of the
 * variant that traces it.
 */
import type { DeviceRoom } from '#lib/gpu/engine.ts';
import { stretch } from './timeline.ts';
import type { Adapter } from '#lib/protocol/control.ts';
import type { CompiledScene } from '../scene/compiled-scene.ts';
import { allocate, openDevice, type LimitNeeds, type OpenOutcome } from './device.ts';
import { featuresKey, PLAIN, sceneFeatures, type Features } from './features.ts';
import { Lane, LANE_PATHS_MIN } from './lane.ts';
import { ReducePass } from './reduce-pass.ts';
import { roomWith, SceneBuffers } from './scene-buffers.ts';
import { TracePass, type Estimator, type PathPass } from './trace-pass.ts';
import { COUNTING_VARIANT, variantKey, type PassOptions, type Variant } from './variant.ts';
import { WavefrontPass } from './wavefront-pass.ts';

/** The news of a lost device is no later than this. */
const LOSS_NEWS_MS = 100;
/** Submits in flight. */
const LANES = 2;

export type SessionOutcome = { readonly ok: true; readonly session: Session } | Exclude<OpenOutcome, { ok: true }>;

/** A scene on the device and the kernels that trace it. */
export interface ReadyScene {
  readonly variant: Variant;
  readonly pass: PathPass;
  readonly buffers: SceneBuffers;
}

export type ReadyOutcome =
  | { readonly ok: true; readonly scene: ReadyScene }
  | { readonly ok: false; readonly reason: 'no-memory' | 'refused'; readonly text: string };

interface HeldScene {
  readonly compiled: CompiledScene;
  buffers: SceneBuffers;
  /** By variant, the counting kernel apart; all of the tree that is uploaded. */
  readonly ready: Map<string, ReadyScene>;
  last: ReadyScene | null;
}

const CROWDED: ReadyOutcome = { ok: false, reason: 'no-memory', text: 'The device has no memory left for paths beside the scene.' };
const UNWARMED: ReadyOutcome = { ok: false, reason: 'refused', text: 'The device did not finish its first dispatch.' };

type Opened = Extract<OpenOutcome, { ok: true }>;

const makePass = (device: GPUDevice, options: PassOptions): PathPass =>
  options.variant.kernel === 'mega' ? new TracePass(device, options) : new WavefrontPass(device, options);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class Session {
  readonly adapter: Adapter;
  readonly holds: DeviceRoom;
  readonly lanes: readonly Lane[];
  /** Why the device is of no more use; null while it is. */
  fault: string | null = null;
  /** Paths of a dispatch that the device has had memory for, as far as is known. */
  pathsMax = Infinity;
  readonly #device: GPUDevice;
  readonly #estimator: Estimator;
  readonly #passes = new Map<string, PathPass>();
  readonly #scenes = new Map<string, HeldScene>();
  /** Kernels that are built beside the work, by variant and features. */
  readonly #offered = new Map<string, 'under way' | 'there' | 'refused'>();

  /** Variants that take more memory than this device has. */
  readonly #renounced = new Set<string>();

  private constructor({ device, adapter, holds }: Opened, estimator: Estimator, reduce: ReducePass) {
    this.#device = device;
    this.#estimator = estimator;
    this.adapter = adapter;
    this.holds = holds;
    this.lanes = Array.from({ length: LANES }, () => new Lane(device, reduce));
    void device.lost.then((info) => {
      this.fault ??= `The device was lost: ${info.message || info.reason}`;
    });
    device.addEventListener('uncapturederror', ({ error }) => {
      const short = typeof GPUOutOfMemoryError !== 'undefined' && error instanceof GPUOutOfMemoryError;
      this.fault ??= short ? `The device ran out of memory: ${error.message}` : `The device reported: ${error.message}`;
    });
  }

  /** @param choose the variant whose kernel for plain scenes is built at once, to see that the device can. */
  static async open(
    gpu: GPU | undefined,
    needs: LimitNeeds,
    estimator: Estimator,
    choose: (adapter: Adapter) => Promise<Variant>,
  ): Promise<SessionOutcome> {
    const begun = performance.now();
    const opened = await openDevice(gpu, needs);
    if (!opened.ok) return opened;
    const { device } = opened;
    stretch('device: open', begun);
    try {
      const variant = await choose(opened.adapter);
      const trace = makePass(device, { estimator, variant, software: opened.adapter.software });
      const [reduce] = await Promise.all([ReducePass.create(device), trace.prepare(PLAIN)]);
      stretch('device: plain pipelines', begun);
      const session = new Session(opened, estimator, reduce);
      session.#passes.set(variantKey(variant), trace);
      return { ok: true, session };
    } catch (error) {
      device.destroy();
      return { ok: false, reason: 'device-failed', text: `The pipelines were refused: ${messageOf(error)}` };
    }
  }

  /** Uploads and builds pipelines on first use. Another tree than before replaces the one that was there: nothing may be in flight. */
  async ready(root: string, compiled: CompiledScene, variant: Variant): Promise<ReadyOutcome> {
    const outcome = await this.#ready(root, compiled, variant, false);
    if (outcome.ok) this.#scenes.get(root)!.last = outcome.scene;
    return outcome;
  }

  /** As `ready`, for the kernel that counts. */
  readyToCount(root: string, compiled: CompiledScene): Promise<ReadyOutcome> {
    return this.#ready(root, compiled, COUNTING_VARIANT, true);
  }

  async #ready(root: string, compiled: CompiledScene, variant: Variant, count: boolean): Promise<ReadyOutcome> {
    const key = `${variantKey(variant)}${count ? ' counting' : ''}`;
    const known = this.#scenes.get(root)?.ready.get(key);
    if (known) return { ok: true, scene: known };
    const pass = this.#pass(variant);
    // The pipeline is under way while the bytes are copied.
    const [held, refusal] = await Promise.all([this.#hold(root, compiled, variant), this.#refusal(pass, sceneFeatures(compiled), count)]);
    if (refusal !== null) return { ok: false, reason: 'refused', text: refusal };
    if (!held)
      return {
        ok: false,
        reason: 'no-memory',
        text: `The device has no memory for the scene's ${roomWith(compiled, variant.tree).bytes} bytes.`,
      };
    const scene = { variant, pass, buffers: held.buffers };
    const warm = await this.#warm(scene, count);
    if (warm !== 'warm') return warm === 'cold' ? UNWARMED : CROWDED;
    held.ready.set(key, scene);
    return { ok: true, scene };
  }

  /** As the scene was made ready last. */
  current(root: string): ReadyScene | null {
    return this.#scenes.get(root)?.last ?? null;
  }

  /** There was no memory for a dispatch of so many paths. @returns whether smaller ones are worth a try. */
  crowded(paths: number): boolean {
    this.pathsMax = 2 ** Math.floor(Math.log2(Math.max(paths - 1, 1)));
    return this.pathsMax >= LANE_PATHS_MIN;
  }

  /** This variant takes more memory than there is: it is offered no more, and what was ready of it is not. */
  renounce(variant: Variant): void {
    const key = variantKey(variant);
    this.#renounced.add(key);
    this.pathsMax = Infinity;
    for (const held of this.#scenes.values()) {
      held.ready.delete(key);
      if (held.last && variantKey(held.last.variant) === key) held.last = null;
    }
  }

  hasRenounced(variant: Variant): boolean {
    return this.#renounced.has(variantKey(variant));
  }

  /** @returns whether the kernels are there; when not, they are being built from now on. */
  offer(variant: Variant, features: Features): boolean {
    const key = `${variantKey(variant)} ${featuresKey(features)}`;
    if (this.hasRenounced(variant)) return false;
    const state = this.#offered.get(key);
    if (state === undefined) {
      this.#offered.set(key, 'under way');
      void this.#refusal(this.#pass(variant), features, false).then((text) => this.#offered.set(key, text === null ? 'there' : 'refused'));
    }
    return state === 'there';
  }

  /** Resolves when the kernels for scenes with these features are there, or were refused. */
  async build(variant: Variant, features: Features = PLAIN): Promise<void> {
    await this.#refusal(this.#pass(variant), features, false);
  }

  async #warm(scene: ReadyScene, count: boolean): Promise<'warm' | 'cold' | 'no-memory'> {
    const begun = performance.now();
    try {
      const warm = (await this.lanes[0]!.warm(scene, count)) ? 'warm' : 'no-memory';
      stretch('device: first dispatch', begun);
      return warm;
    } catch {
      await this.#toldOfLoss();
      return 'cold';
    }
  }

  drop(root: string): void {
    this.#scenes.get(root)?.buffers.destroy();
    this.#scenes.delete(root);
  }

  close(): void {
    this.fault ??= 'closed';
    this.#device.destroy();
  }

  #pass(variant: Variant): PathPass {
    const key = variantKey(variant);
    const known = this.#passes.get(key);
    if (known) return known;
    const made = makePass(this.#device, { estimator: this.#estimator, variant, software: this.adapter.software });
    this.#passes.set(key, made);
    return made;
  }

  /** A failure may be the first sign of a lost device: the word of it comes a moment later. */
  async #toldOfLoss(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moment = new Promise((resolve) => (timer = setTimeout(resolve, LOSS_NEWS_MS)));
    await Promise.race([this.#device.lost, moment]);
    clearTimeout(timer);
  }

  /** @returns the compiler's words, or null. */
  async #refusal(pass: PathPass, features: Features, count: boolean): Promise<string | null> {
    const begun = performance.now();
    try {
      await pass.prepare(features, count);
      stretch('device: pipelines', begun);
      return null;
    } catch (error) {
      await this.#toldOfLoss();
      return `The device refused a kernel: ${messageOf(error)}`;
    }
  }

  async #hold(root: string, compiled: CompiledScene, { tree }: Variant): Promise<HeldScene | null> {
    const known = this.#scenes.get(root);
    if (known?.buffers.tree === tree) return known;
    this.drop(root);
    const begun = performance.now();
    const { made: buffers, short } = await allocate(this.#device, () => new SceneBuffers(this.#device, compiled, tree));
    if (short) {
      await this.#toldOfLoss();
      buffers.destroy();
      return null;
    }
    stretch('device: upload', begun);
    const held = { compiled, buffers, ready: new Map<string, ReadyScene>(), last: null };
    this.#scenes.set(root, held);
    return held;
  }
}
