/**
 * How the same light is computed: one megakernel or queues of small kernels, over which tree, in
 * workgroups of which size. Every variant leaves the same bits of film on one adapter; they differ
 * in speed alone. Refuses to know which is the fastest: autotune.ts measures that.
 */
import type { Tree } from '#shaders/index.ts';
import type { TuneStore } from './autotune.ts';
import type { LoadWeights } from './denoise/weights.ts';
import type { HostClock } from './duty-cycle.ts';
import type { Estimator } from './trace-pass.ts';

export interface Variant {
  readonly kernel: 'mega' | 'wavefront';
  /** Which tree of the scene rays walk. The counting kernel always walks the binary one. */
  readonly tree: Tree;
  /** Invocations per workgroup of the kernels that trace. */
  readonly workgroup: 8 | 32 | 64 | 128;
  /** Paths that an invocation of the megakernel traces one after the other; 1 when left out. */
  readonly relay?: number;
}

export const KERNELS: readonly Variant['kernel'][] = ['mega', 'wavefront'];
export const TREES: readonly Variant['tree'][] = ['binary', 'wide'];
export const WORKGROUPS: readonly Variant['workgroup'][] = [32, 64, 128];

/** What runs before anything is known of an adapter. */
export const DEFAULT_VARIANT: Variant = { kernel: 'mega', tree: 'binary', workgroup: 64 };

/**
 * What runs on software adapters: over the wide tree a path took three quarters of the time, on SwiftShader and on lavapipe 25.
 * Small workgroups whose invocations trace one path after the other keep all lanes and all threads busy, however small a dispatch.
 */
export const SOFTWARE_VARIANT: Variant = { kernel: 'mega', tree: 'wide', workgroup: 8, relay: 16 };
/** SwiftShader reads four words of a texture at once, and a buffer word by word; lavapipe is the slower for it (tests/BENCH.md). */
const SWIFTSHADER_VARIANT: Variant = { ...SOFTWARE_VARIANT, tree: 'wide-texels' };
/** @param adapter class and name. */
export const softwareVariant = (adapter: string): Variant => (/swiftshader/i.test(adapter) ? SWIFTSHADER_VARIANT : SOFTWARE_VARIANT);

/** What runs in place of a variant whose kernels are not there yet: one kernel, over the same tree. */
export const standIn = ({ tree }: Variant): Variant => ({ ...DEFAULT_VARIANT, tree });

/** What counts, for metering: the binary tree is the measure, whatever traces. */
export const COUNTING_VARIANT: Variant = { ...DEFAULT_VARIANT };

/** One key per variant, for maps and for the autotuner's store. */
export const variantKey = ({ kernel, tree, workgroup, relay }: Variant): string =>
  `${kernel} ${tree} ${workgroup}${relay === undefined ? '' : ` ${relay}`}`;

export interface EngineOptions {
  /** Other than 'both' only where a test compares estimators. */
  readonly estimator?: Estimator;
  /** Fixes the variant, for tests and benches; when left out the engine picks. */
  readonly variant?: Variant;
  /** Where findings of the autotuner are kept; in this engine alone when left out. */
  readonly tune?: TuneStore;
  /** Where the denoiser's weights come from; an engine without does not denoise. */
  readonly weights?: LoadWeights;
  /** The host's own when left out. */
  readonly clock?: HostClock;
}

/** Options with nothing left out, and what kernels must know of the adapter. */
export interface PassOptions {
  /** It is a processor. */
  readonly software: boolean;
  readonly estimator: Estimator;
  readonly variant: Variant;
}
