/** Entry of the Web Worker that writes pictures to files: the door of src/lib/image behind comlink. Its sequence is all it holds. */
import * as comlink from 'comlink';
import type { DarkroomApi } from '#lib/image/darkroom.ts';
import { develop } from '#lib/image/develop.ts';
import type { Sequence } from '#lib/image/sequence.ts';

let sequence: Sequence | null = null;

function opened(): Sequence {
  if (!sequence) throw new Error('no sequence is open');
  return sequence;
}

const api: DarkroomApi = {
  develop: async (picture, choices) => {
    const file = await develop(picture, choices);
    return comlink.transfer(file, [file.bytes.buffer]);
  },
  // Encoders and containers are fetched only by who makes a sequence.
  openSequence: async (choices) => {
    const { Sequence: Made } = await import('#lib/image/sequence.ts');
    sequence = new Made(choices);
  },
  addFrame: (picture, frame) => opened().add(picture, frame),
  finishSequence: () => opened().finish(),
};

comlink.expose(api);
