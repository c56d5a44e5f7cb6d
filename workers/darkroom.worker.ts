/** Entry of the Web Worker that writes pictures to files: the door of src/lib/image behind comlink. It holds one picture and one sequence. */
import * as comlink from 'comlink';
import type { DarkroomApi } from '#lib/image/darkroom.ts';
import { develop, type Picture } from '#lib/image/develop.ts';
import { Assembly } from '#lib/image/planes.ts';
import type { Sequence } from '#lib/image/sequence.ts';

let sequence: Sequence | null = null;
let arriving: Assembly | null = null;

/** What arrived; used once, so that two pictures are never held. */
function arrived(): Picture {
  if (!arriving) throw new Error('no picture has arrived');
  const picture = arriving.picture();
  arriving = null;
  return picture;
}

function opened(): Sequence {
  if (!sequence) throw new Error('no sequence is open');
  return sequence;
}

const api: DarkroomApi = {
  begin: (head) => {
    arriving = new Assembly(head);
  },
  take: (piece) => arriving?.add(piece),
  develop: async (choices) => {
    const file = await develop(arrived(), choices);
    return comlink.transfer(file, [file.bytes.buffer]);
  },
  // Encoders and containers are fetched only by who makes a sequence.
  openSequence: async (choices) => {
    const { Sequence: Made } = await import('#lib/image/sequence.ts');
    sequence = new Made(choices);
  },
  addFrame: (frame, notes) => opened().add(arrived(), frame, notes),
  finishSequence: () => opened().finish(),
};

comlink.expose(api);
