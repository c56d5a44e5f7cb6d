/**
 * Finished frames of a creator's sequences as files, one per frame, so that the same command run
 * again has none of them traced twice: a line of JSON that says what it is of, then light and layers
 * as raw numbers. Refuses to read what it did not write whole.
 */
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { emptyLayers, type Layers } from '#lib/job/layers.ts';
import { concat, utf8, type Bytes } from '#lib/protocol/bytes.ts';
import { JobViewSchema } from '#lib/protocol/control.ts';
import { SEQUENCE_FRAME_MAX } from '#lib/protocol/limits.ts';
import { JobOrderSchema } from '#lib/protocol/order.ts';
import { count, id16 } from '#lib/protocol/schema.ts';
import { FRAME_BYTES_PER_PIXEL, type FrameStore, type StoredFrame } from '#lib/roles/frame-store.ts';
import { writeWhole } from './stores.ts';

const HeadSchema = v.strictObject({
  sequence: id16,
  frame: count(SEQUENCE_FRAME_MAX),
  job: id16,
  order: JobOrderSchema,
  view: JobViewSchema,
});

const ID = /^[0-9a-f]{32}$/;
const FRAME = /^(\d+)\.frame$/;
const NEWLINE = 10;
/** An order and a view, with the longest names they may hold. */
const HEAD_BYTES_MAX = 64 * 1024;

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Bytes =>
  new Uint8Array(buffer, byteOffset, byteLength);

export class FileFrameStore implements FrameStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async frames(sequence: string): Promise<readonly number[]> {
    const names = await readdir(this.#path(sequence)).catch(() => [] as string[]);
    const found: number[] = [];
    for (const name of names) {
      const number = FRAME.exec(name)?.[1];
      if (number !== undefined && (await this.#isWhole(join(this.#path(sequence), name)))) found.push(Number(number));
    }
    return found;
  }

  async frame(sequence: string, frame: number): Promise<StoredFrame | null> {
    const bytes = await readFile(join(this.#path(sequence), `${frame}.frame`)).catch(() => null);
    return bytes && parse(new Uint8Array(bytes));
  }

  async putFrame({ light, layers, ...head }: StoredFrame): Promise<void> {
    const planes = [light, ...Object.values(layers)].map(bytesOf);
    const path = join(this.#path(head.sequence), `${head.frame}.frame`);
    await writeWhole(path, concat(utf8(`${JSON.stringify(head)}\n`), ...planes));
  }

  async deleteFrames(sequence: string): Promise<void> {
    await rm(this.#path(sequence), { recursive: true, force: true });
  }

  /** Another version may have written it: its head says what it is, and so how long. */
  async #isWhole(path: string): Promise<boolean> {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES_MAX));
      const head = headOf(buffer.subarray(0, bytesRead));
      return head !== null && (await file.stat()).size === head.end + head.order.width * head.order.height * FRAME_BYTES_PER_PIXEL;
    } finally {
      await file.close();
    }
  }

  #path(sequence: string): string {
    if (!ID.test(sequence)) throw new RangeError(`not the id of a sequence: ${sequence}`);
    return join(this.#folder, sequence);
  }
}

/** What the first line says, and where it ends. */
function headOf(bytes: Bytes): (v.InferOutput<typeof HeadSchema> & { readonly end: number }) | null {
  const end = bytes.indexOf(NEWLINE) + 1;
  try {
    const head = v.safeParse(HeadSchema, JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))));
    return head.success ? { ...head.output, end } : null;
  } catch {
    return null;
  }
}

function parse(bytes: Bytes): StoredFrame | null {
  const found = headOf(bytes);
  if (!found) return null;
  const { end, ...head } = found;
  const pixels = head.order.width * head.order.height;
  if (bytes.length !== end + pixels * FRAME_BYTES_PER_PIXEL) return null;
  const light = new Float32Array(pixels * 3);
  const layers: Layers = emptyLayers(pixels);
  let at = end;
  for (const plane of [light, ...Object.values(layers)]) {
    bytesOf(plane).set(bytes.subarray(at, at + plane.byteLength));
    at += plane.byteLength;
  }
  return { ...head, light, layers };
}
