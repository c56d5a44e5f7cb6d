/**
 * The door of this folder in a Web Worker of its own, so that a page stays responsive while large
 * pictures are written. One worker per file: its memory goes with it, and stopping means ending it.
 */
import * as comlink from 'comlink';
import type { DevelopChoices, Developed, Picture } from './develop.ts';
import type { Notes } from './png.ts';
import { takeApart, type Piece, type PictureHead } from './planes.ts';
import type { SequenceChoices, SequenceFile } from './sequence.ts';

/** A picture arrives by `begin` and `take`; then one call uses it. */
export interface DarkroomApi {
  begin(head: PictureHead): void;
  take(piece: Piece): void;
  develop(choices: DevelopChoices): Promise<Developed>;
  /** Then `addFrame` after each picture, then `finishSequence`; once in a worker's life. */
  openSequence(choices: SequenceChoices): Promise<void>;
  /** @returns a sentence when it can't go on, else null. */
  addFrame(frame: number, notes?: Notes): Promise<string | null>;
  finishSequence(): Promise<SequenceFile>;
}

interface Running {
  readonly worker: Worker;
  readonly api: comlink.Remote<DarkroomApi>;
  /** Rejects when the worker fails outside of a call. */
  readonly failed: Promise<never>;
}

async function start(): Promise<Running> {
  const { default: DarkroomWorker } = await import('#workers/darkroom.worker.ts?worker');
  const worker: Worker = new DarkroomWorker({ name: 'pictor-darkroom' });
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => reject(new Error(event.message || 'the worker that writes files stopped')));
  });
  // Whoever waits for a call hears of it; nobody may be waiting.
  failed.catch(() => undefined);
  return { worker, api: comlink.wrap<DarkroomApi>(worker), failed };
}

const whenAborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });

/** Only what the file will hold goes to the worker. */
function needed(picture: Picture, { format, state }: DevelopChoices): Picture {
  if (format === 'exr' || format === 'exr32') return picture;
  const raw = state === 'raw';
  return {
    ...picture,
    light: raw ? picture.light : new Float32Array(0),
    denoised: raw ? null : picture.denoised,
    auxiliary: null,
    samples: 0,
  };
}

/** Waits after every piece, so that the page gets its turn. */
async function send({ api }: Running, picture: Picture): Promise<void> {
  const { head, pieces } = takeApart(picture);
  await api.begin(head);
  for (const piece of pieces) await api.take(comlink.transfer(piece, [piece.values.buffer]));
}

/**
 * @param picture copied to the worker; changes meanwhile may show. @returns null when the signal aborts.
 * @throws whatever `develop` throws, and when the worker does not start or has not enough memory.
 */
export async function developAside(signal: AbortSignal, picture: Picture, choices: DevelopChoices): Promise<Developed | null> {
  if (signal.aborted) return null;
  const running = await start();
  const work = send(running, needed(picture, choices)).then(() => running.api.develop(choices));
  return Promise.race([work, running.failed, whenAborted(signal)]).finally(() => running.worker.terminate());
}

/** A sequence in the making. Whoever opens one ends it, by `finish` or by `stop`. */
export class SequenceAside {
  readonly #running: Running;
  readonly #choices: SequenceChoices;

  private constructor(running: Running, choices: SequenceChoices) {
    this.#running = running;
    this.#choices = choices;
  }

  static async open(choices: SequenceChoices): Promise<SequenceAside> {
    const running = await start();
    await Promise.race([running.api.openSequence(choices), running.failed]);
    return new SequenceAside(running, choices);
  }

  /** @param frame its number. @param notes of this picture alone. @returns a sentence when it can't go on, as when no encoder is there; null when all is well. */
  add(picture: Picture, frame: number, notes?: Notes): Promise<string | null> {
    const { kind, frame: choices } = this.#choices;
    const sent = needed(picture, kind === 'zip' ? choices : { ...choices, format: 'png8' });
    const work = send(this.#running, sent).then(() => this.#running.api.addFrame(frame, notes));
    return Promise.race([work, this.#running.failed]);
  }

  finish(): Promise<SequenceFile> {
    return Promise.race([this.#running.api.finishSequence(), this.#running.failed]).finally(() => this.stop());
  }

  stop(): void {
    this.#running.worker.terminate();
  }
}
