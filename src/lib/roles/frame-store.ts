/**
 * What a creator keeps of a sequence: its finished frames, so that neither a closed tab nor an
 * interrupted command has one traced twice. A frame's films go once its picture is here.
 */
import type { Layers } from '../job/layers.ts';
import type { JobView } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { FramePlace } from './job-store.ts';

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
