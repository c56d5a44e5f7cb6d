/**
 * Gets the scene of an order onto this machine's engine: blobs from peers, compiled, and the root
 * compared with the order's. A scene that compiles to another root is refused, not traced.
 */
import type { SceneFiles } from '../gpu/engine.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Shared } from './shared.ts';
import type { RoleContext } from './types.ts';

export interface SceneWant {
  readonly job: string;
  readonly order: JobOrder;
  readonly capability: string;
  readonly sources: readonly string[];
}

export type SceneLoad =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'aborted' | 'scene-unavailable' | 'scene-differs'; readonly text: string };

/** Roots remembered as compiled; the engine drops its oldest by itself and says `unknown-scene`. */
const ROOTS_MAX = 3;

export class SceneLoader {
  readonly #context: RoleContext;
  readonly #shared: Shared;
  #roots: string[] = [];
  #tail: Promise<unknown> = Promise.resolve();

  constructor(context: RoleContext, shared: Shared) {
    this.#context = context;
    this.#shared = shared;
  }

  has(sceneRoot: string): boolean {
    return this.#roots.includes(sceneRoot);
  }

  /** After `unknown-scene` or a lost device. */
  forget(sceneRoot: string): void {
    this.#roots = this.#roots.filter((root) => root !== sceneRoot);
  }

  /** One scene at a time: two roles that want the same one fetch it once. */
  ensure(signal: AbortSignal, want: SceneWant): Promise<SceneLoad> {
    const work = (): Promise<SceneLoad> => this.#ensure(signal, want);
    // After a turn that failed as after one that did not: its own caller hears of it.
    const turn = this.#tail.then(work, work);
    this.#tail = turn;
    return turn;
  }

  async #ensure(signal: AbortSignal, want: SceneWant): Promise<SceneLoad> {
    const { order } = want;
    if (this.has(order.sceneRoot)) {
      this.#shared.serve(want.job, order);
      return { ok: true };
    }
    const files = await this.#files(signal, want);
    if (signal.aborted) return { ok: false, reason: 'aborted', text: '' };
    if (!files) return { ok: false, reason: 'scene-unavailable', text: `No peer could serve the scene of "${order.title}".` };
    this.#shared.serve(want.job, order);
    const compiled = await this.#context.engine.compile(signal, files);
    if (signal.aborted) return { ok: false, reason: 'aborted', text: '' };
    if (!compiled.ok) return { ok: false, reason: 'scene-differs', text: compiled.text };
    if (compiled.summary.root !== order.sceneRoot) {
      return { ok: false, reason: 'scene-differs', text: 'The scene compiles to another root here than the order names.' };
    }
    const { needs } = compiled.summary;
    if (needs.bytes !== order.sceneNeeds.bytes || needs.bindingBytes !== order.sceneNeeds.bindingBytes) {
      return {
        ok: false,
        reason: 'scene-differs',
        text: `The scene takes ${needs.bytes} bytes on a device; the order says ${order.sceneNeeds.bytes}.`,
      };
    }
    this.#roots = [...this.#roots, order.sceneRoot].slice(-ROOTS_MAX);
    return { ok: true };
  }

  async #files(signal: AbortSignal, want: SceneWant): Promise<SceneFiles | null> {
    const { order } = want;
    const scene = await this.#blob(signal, want, order.scene);
    if (!scene) return null;
    const { frameTimeS, variant } = order;
    if (!order.environment) return { scene, environment: null, frameTimeS, variant };
    const file = await this.#blob(signal, want, order.environment);
    return file && { scene, environment: { file, intensity: order.environment.intensity }, frameTimeS, variant };
  }

  async #blob(signal: AbortSignal, want: SceneWant, ref: { hash: string; bytes: number }): Promise<Bytes | null> {
    const { job, capability, sources } = want;
    const outcome = await this.#shared.exchange.fetch(signal, { hash: ref.hash, bytes: ref.bytes, job, capability, sources });
    return outcome.ok ? outcome.blob : null;
  }
}
