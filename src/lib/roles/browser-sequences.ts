/** Sequences and their finished frames in a tab's IndexedDB; a small picture of each frame is kept beside its pixels. */
import { thumbOf } from '../job/thumb.ts';
import type { BrowserDatabase } from './browser-stores.ts';
import type { FrameHead, SequenceStore, StoredFrame } from './frame-store.ts';
import type { SequencePlan } from './sequence-plan.ts';

/** Longer side of the pictures on a filmstrip. */
const THUMB_SIDE_PX = 96;

export class IdbSequenceStore implements SequenceStore {
  readonly #db: BrowserDatabase;

  constructor(db: BrowserDatabase) {
    this.#db = db;
  }

  async plan(sequence: string): Promise<SequencePlan | null> {
    return (await this.#db.get('sequences', sequence)) ?? null;
  }

  async putPlan(plan: SequencePlan): Promise<void> {
    await this.#db.put('sequences', plan);
  }

  async deletePlan(sequence: string): Promise<void> {
    await this.deleteFrames(sequence);
    await this.#db.delete('sequences', sequence);
  }

  async frames(sequence: string): Promise<readonly number[]> {
    return (await this.#db.getAllKeys('frames', rangeOf(sequence))).map(([, frame]) => frame);
  }

  async head(sequence: string, frame: number): Promise<FrameHead | null> {
    return (await this.#db.get('frameHeads', [sequence, frame])) ?? null;
  }

  heads(sequence: string): Promise<readonly FrameHead[]> {
    return this.#db.getAll('frameHeads', rangeOf(sequence));
  }

  async frame(sequence: string, frame: number): Promise<StoredFrame | null> {
    return (await this.#db.get('frames', [sequence, frame])) ?? null;
  }

  async putFrame(stored: StoredFrame): Promise<void> {
    const { sequence, frame, view, order, light } = stored;
    const thumb = thumbOf(light, order.width, order.height, THUMB_SIDE_PX);
    const transaction = this.#db.transaction(['frames', 'frameHeads'], 'readwrite');
    await Promise.all([
      transaction.objectStore('frames').put(stored),
      transaction.objectStore('frameHeads').put({ sequence, frame, view, thumb }),
      transaction.done,
    ]);
  }

  async deleteFrames(sequence: string): Promise<void> {
    const transaction = this.#db.transaction(['frames', 'frameHeads'], 'readwrite');
    await Promise.all([
      transaction.objectStore('frames').delete(rangeOf(sequence)),
      transaction.objectStore('frameHeads').delete(rangeOf(sequence)),
      transaction.done,
    ]);
  }
}

const rangeOf = (sequence: string): IDBKeyRange => IDBKeyRange.bound([sequence], [sequence, []]);
