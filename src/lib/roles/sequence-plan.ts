/**
 * A sequence as its creator ordered it, in a value that outlives the page: with the blobs it names,
 * every frame can be compiled and ordered again.
 */
import type { Engine, SceneFiles } from '../gpu/engine.ts';
import { frameTimeS, type FrameRange } from '../job/frames.ts';
import type { BlobRef, Camera, Lens } from '../protocol/order.ts';
import type { MomentOutcome, SequenceWish } from './sequence.ts';
import type { BlobStore, JobChoice } from './types.ts';

export interface SequencePlan {
  /** 16 bytes, hex. */
  readonly sequence: string;
  readonly title: string;
  readonly range: FrameRange;
  readonly scene: BlobRef;
  readonly environment: (BlobRef & { readonly intensity: number }) | null;
  readonly variant: string | null;
  /** A camera of the file, which may move; null: `camera`, which stands still. */
  readonly cameraIndex: number | null;
  readonly camera: Camera;
  readonly lens: Lens | null;
  readonly transparent: boolean;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly bounces: number;
  readonly seed: number;
  /** What else each order says of price and noise; what its rays cost is measured frame by frame. */
  readonly terms: Omit<NonNullable<JobChoice['terms']>, 'costPerMille'>;
  /** Of one frame. */
  readonly capMicro: string;
  /** `open`: frames are ordered as long as its creator is here. */
  readonly state: 'open' | 'done' | 'stopped';
  readonly createdMs: number;
}

type Still = Pick<SceneFiles, 'scene' | 'environment'>;

const LOST = 'The scene of this sequence is not kept in this browser any more.';

/** What all frames of a plan are traced from. @param known the files, where they are at hand. */
export function wishOf(
  plan: SequencePlan,
  parts: { readonly engine: Engine; readonly blobs: BlobStore },
  known: Still | null,
): SequenceWish {
  const { sequence, range, title, transparent, width, height, samples, bounces, seed, terms, capMicro } = plan;
  let still = known;
  return {
    sequence,
    range,
    choice: { title, transparent, width, height, samples, bounces, seed, terms, capMicro: BigInt(capMicro) },
    moment: async (signal, frame): Promise<MomentOutcome> => {
      still ??= await stillOf(plan, parts.blobs);
      if (!still) return { ok: false, text: LOST };
      const files = { ...still, variant: plan.variant, frameTimeS: frameTimeS(range, frame) };
      const outcome = await parts.engine.compile(signal, files);
      if (!outcome.ok) return outcome;
      const { summary } = outcome;
      const camera = (plan.cameraIndex !== null && summary.cameras[plan.cameraIndex]?.camera) || plan.camera;
      return { ok: true, files, summary, camera: { ...camera, lens: plan.lens } };
    },
  };
}

async function stillOf({ scene, environment }: SequencePlan, blobs: BlobStore): Promise<Still | null> {
  const file = await blobs.get(scene.hash);
  const light = environment && (await blobs.get(environment.hash));
  if (!file || (environment && !light)) return null;
  return { scene: file, environment: environment && light && { file: light, intensity: environment.intensity } };
}
