/** Entry of the Web Worker that writes pictures to files: the door of src/lib/image behind comlink. Holds nothing between calls. */
import * as comlink from 'comlink';
import type { DarkroomApi } from '#lib/image/darkroom.ts';
import { develop } from '#lib/image/develop.ts';

const api: DarkroomApi = {
  develop: async (picture, choices) => {
    const file = await develop(picture, choices);
    return comlink.transfer(file, [file.bytes.buffer]);
  },
};

comlink.expose(api);
