/**
 * `develop` in a Web Worker of its own, so that a page stays responsive while a large picture is
 * written. One worker per file: its memory goes with it, and stopping means ending it.
 */
import * as comlink from 'comlink';
import type { DevelopChoices, Developed, Picture } from './develop.ts';

export interface DarkroomApi {
  develop(picture: Picture, choices: DevelopChoices): Promise<Developed>;
}

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

/**
 * @param picture copied to the worker; changes meanwhile don't show. @returns null when the signal aborts.
 * @throws whatever `develop` throws, and when the worker does not start or has not enough memory.
 */
export async function developAside(signal: AbortSignal, picture: Picture, choices: DevelopChoices): Promise<Developed | null> {
  if (signal.aborted) return null;
  const { default: DarkroomWorker } = await import('#workers/darkroom.worker.ts?worker');
  const worker: Worker = new DarkroomWorker({ name: 'pictor-darkroom' });
  const ended = new Promise<null>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
    worker.addEventListener('error', (event) => reject(new Error(event.message || 'the worker that writes files stopped')));
  });
  const work = comlink.wrap<DarkroomApi>(worker).develop(needed(picture, choices), choices);
  return Promise.race([work, ended]).finally(() => worker.terminate());
}
