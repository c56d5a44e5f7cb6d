/**
 * What a creator keeps of a sequence: its finished frames, so that neither a closed tab nor an
 * interrupted command has one traced twice. A frame's films go once its picture is here.
 */
import type { Layers } from '../job/layers.ts';
import type { JobView } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { FramePlace } from './job-store.ts';
import type { SequencePlan } from './sequence-plan.ts';

export interface StoredFrame extends FramePlace {
  readonly job: string;
  readonly order: JobOrder;
  /** As the job ended. */
  readonly view: JobView;
  /** Mean linear radiance, width × height × 3. */
  readonly light: Float32Array<ArrayBuffer>;
  readonly layers: Layers;
}

/** Bytes of a kept frame per pixel: light, and `Layers`. */
export const FRAME_BYTES_PER_PIXEL = 13 * 4;

/** `putFrame` is durable on return; an attacker who controls the store can only spoil the own pictures. */
export interface FrameStore {
  /** Numbers of those that are here, in no order. */
  frames(sequence: string): Promise<readonly number[]>;
  frame(sequence: string, frame: number): Promise<StoredFrame | null>;
  putFrame(frame: StoredFrame): Promise<void>;
  deleteFrames(sequence: string): Promise<void>;
}

/** A small picture in linear light, red green blue. */
export interface Thumb {
  readonly image: Float32Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** What can be said of a frame without reading its pixels. */
export type FrameHead = Pick<StoredFrame, 'frame' | 'view'> & { readonly thumb: Thumb };

/** For a page: frames with the plan they belong to. `deletePlan` takes the frames along. */
export interface SequenceStore extends FrameStore {
  plan(sequence: string): Promise<SequencePlan | null>;
  putPlan(plan: SequencePlan): Promise<void>;
  deletePlan(sequence: string): Promise<void>;
  head(sequence: string, frame: number): Promise<FrameHead | null>;
  /** In no order. */
  heads(sequence: string): Promise<readonly FrameHead[]>;
}

export class MemoryFrameStore implements FrameStore {
  readonly #frames = new Map<string, Map<number, StoredFrame>>();

  async frames(sequence: string): Promise<readonly number[]> {
    return [...(this.#frames.get(sequence)?.keys() ?? [])];
  }

  async frame(sequence: string, frame: number): Promise<StoredFrame | null> {
    return this.#frames.get(sequence)?.get(frame) ?? null;
  }

  async putFrame(frame: StoredFrame): Promise<void> {
    const kept = this.#frames.get(frame.sequence) ?? new Map<number, StoredFrame>();
    this.#frames.set(frame.sequence, kept.set(frame.frame, frame));
  }

  async deleteFrames(sequence: string): Promise<void> {
    this.#frames.delete(sequence);
  }
}
