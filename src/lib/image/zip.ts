/**
 * A ZIP of pictures, written as it grows: they are compressed already, so they are stored. Refuses
 * what its 32-bit offsets can not hold before it is written, so that no archive is ever half readable.
 */
import { Zip, ZipPassThrough } from 'fflate';
import type { Bytes } from './bytes.ts';

/** Offsets of a ZIP without its 64-bit extension; room is left for the directory at its end. */
export const ZIP_BYTES_MAX = 4_000_000_000;

/** The earliest that a ZIP can say: the same pictures make the same archive. */
const DATE = new Date(1980, 0, 1);

export class PictureZip {
  readonly #zip: Zip;
  #bytes = 0;

  /** @param take is handed the archive piece by piece, in order. */
  constructor(take: (piece: Bytes) => void) {
    this.#zip = new Zip((error, piece) => {
      if (error) throw error;
      take(new Uint8Array(piece));
    });
  }

  /** @returns false, and leaves the archive as it was, when it would grow beyond ZIP_BYTES_MAX. */
  add(name: string, bytes: Uint8Array): boolean {
    // A name lies beside its file and in the directory, with 30 and 46 bytes and what follows a file.
    const more = bytes.length + 2 * name.length * 3 + 100;
    if (this.#bytes + more > ZIP_BYTES_MAX) return false;
    this.#bytes += more;
    const entry = new ZipPassThrough(name);
    entry.mtime = DATE;
    this.#zip.add(entry);
    entry.push(bytes, true);
    return true;
  }

  end(): void {
    this.#zip.end();
  }
}
