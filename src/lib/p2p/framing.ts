/**
 * Binary frames of a peer channel. A message is a head (canonical CBOR) and a body, cut into frames
 * of at most PEER_FRAME_BYTES_MAX, each with a 16-byte little-endian header: version u8, kind u8,
 * zero u16, stream u32, head bytes u32, body bytes u32. Both lengths are those of the whole message
 * and the same in all its frames. Refuses to hold more than the bounds allow, whatever a header claims.
 */
import { concat, type Bytes } from '../protocol/bytes.ts';
import { PEER_BODY_BYTES_MAX, PEER_FRAME_BYTES_MAX, PEER_HEAD_BYTES_MAX } from '../protocol/limits.ts';

const VERSION = 1;
export const FRAME_HEADER_BYTES = 16;
export const FRAME_PAYLOAD_BYTES_MAX = PEER_FRAME_BYTES_MAX - FRAME_HEADER_BYTES;

export const FRAME_REQUEST = 1;
export const FRAME_REPLY = 2;
/** The asker no longer wants the reply; no payload. */
export const FRAME_CANCEL = 3;
export type FrameKind = typeof FRAME_REQUEST | typeof FRAME_REPLY | typeof FRAME_CANCEL;

export interface Frame {
  readonly kind: FrameKind;
  readonly stream: number;
  readonly headBytes: number;
  readonly bodyBytes: number;
  readonly payload: Bytes;
}

export interface Message {
  readonly kind: FrameKind;
  readonly stream: number;
  readonly head: Bytes;
  readonly body: Bytes;
}

/** The frames of a message, made one at a time, so that a large body is never copied whole. */
export function* framesOf(message: Message): Generator<Bytes, void> {
  const { head, body } = message;
  const total = head.length + body.length;
  let at = 0;
  do {
    const size = Math.min(FRAME_PAYLOAD_BYTES_MAX, total - at);
    const frame = new Uint8Array(FRAME_HEADER_BYTES + size);
    writeHeader(frame, message);
    const fromHead = Math.max(0, Math.min(size, head.length - at));
    frame.set(head.subarray(at, at + fromHead), FRAME_HEADER_BYTES);
    const bodyAt = at + fromHead - head.length;
    frame.set(body.subarray(bodyAt, bodyAt + size - fromHead), FRAME_HEADER_BYTES + fromHead);
    at += size;
    yield frame;
  } while (at < total);
}

function writeHeader(frame: Bytes, message: Message): void {
  const view = new DataView(frame.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, message.kind);
  view.setUint32(4, message.stream, true);
  view.setUint32(8, message.head.length, true);
  view.setUint32(12, message.body.length, true);
}

/** @returns null for anything that is not one frame within the bounds. */
export function parseFrame(bytes: Bytes): Frame | null {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.length > PEER_FRAME_BYTES_MAX) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.getUint8(1);
  if (view.getUint8(0) !== VERSION || view.getUint16(2, true) !== 0) return null;
  if (kind !== FRAME_REQUEST && kind !== FRAME_REPLY && kind !== FRAME_CANCEL) return null;
  const headBytes = view.getUint32(8, true);
  const bodyBytes = view.getUint32(12, true);
  if (headBytes > PEER_HEAD_BYTES_MAX || bodyBytes > PEER_BODY_BYTES_MAX) return null;
  return { kind, stream: view.getUint32(4, true), headBytes, bodyBytes, payload: bytes.subarray(FRAME_HEADER_BYTES) };
}

export type Assembly =
  | { readonly status: 'more' }
  | { readonly status: 'whole'; readonly message: Message }
  | { readonly status: 'discarded' | 'broken' };

/**
 * Puts the frames of one message together. Memory grows with what has arrived, never with what a
 * header claims.
 */
export class Assembler {
  readonly #first: Frame;
  readonly #keep: boolean;
  readonly #parts: Bytes[] = [];
  #received = 0;

  /** @param keep false for a message nobody wants: its frames are checked and counted, and it never becomes whole. */
  constructor(first: Frame, keep = true) {
    this.#first = first;
    this.#keep = keep;
  }

  get heldBytes(): number {
    return this.#keep ? this.#received : 0;
  }

  add(frame: Frame): Assembly {
    const { kind, stream, headBytes, bodyBytes } = this.#first;
    const total = headBytes + bodyBytes;
    this.#received += frame.payload.length;
    const same = frame.headBytes === headBytes && frame.bodyBytes === bodyBytes;
    const empty = frame.payload.length === 0 && total > 0;
    if (!same || empty || this.#received > total) return { status: 'broken' };
    if (this.#keep) this.#parts.push(frame.payload);
    if (this.#received < total) return { status: 'more' };
    if (!this.#keep) return { status: 'discarded' };
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : concat(...this.#parts);
    return { status: 'whole', message: { kind, stream, head: bytes.subarray(0, headBytes), body: bytes.slice(headBytes) } };
  }
}
