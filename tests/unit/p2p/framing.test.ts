import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Assembler, FRAME_HEADER_BYTES, FRAME_REPLY, FRAME_REQUEST, framesOf, parseFrame } from '#lib/p2p/framing.ts';
import { PEER_BODY_BYTES_MAX, PEER_FRAME_BYTES_MAX, PEER_HEAD_BYTES_MAX } from '#lib/protocol/limits.ts';
import { seededBytes } from './support.ts';

test('any head and body come out of their frames as they went in, no frame above the bound', () => {
  const sizes = fc.tuple(fc.nat(200_000), fc.nat(300_000), fc.nat(0xffffffff));
  fc.assert(
    fc.property(sizes, ([headBytes, bodyBytes, stream]) => {
      const head = seededBytes(headBytes, 1);
      const body = seededBytes(bodyBytes, 2);
      const frames = [...framesOf({ kind: FRAME_REPLY, stream, head, body })];
      expect(Math.max(...frames.map((frame) => frame.length))).toBeLessThanOrEqual(PEER_FRAME_BYTES_MAX);
      const parsed = frames.map((frame) => parseFrame(frame)!);
      const assembler = new Assembler(parsed[0]!);
      const results = parsed.map((frame) => assembler.add(frame));
      expect(results.slice(0, -1).every((result) => result.status === 'more')).toBe(true);
      const last = results.at(-1)!;
      expect(last.status).toBe('whole');
      if (last.status !== 'whole') return;
      expect(last.message.stream).toBe(stream);
      expect(Buffer.compare(last.message.head, head)).toBe(0);
      expect(Buffer.compare(last.message.body, body)).toBe(0);
    }),
    { numRuns: 20 },
  );
});

test('a message of nothing is one bare header', () => {
  const frames = [...framesOf({ kind: FRAME_REQUEST, stream: 1, head: new Uint8Array(), body: new Uint8Array() })];
  expect(frames.map((frame) => frame.length)).toEqual([FRAME_HEADER_BYTES]);
});

const header = (change: (view: DataView) => void): Uint8Array<ArrayBuffer> => {
  const [frame] = framesOf({ kind: FRAME_REQUEST, stream: 1, head: seededBytes(10), body: seededBytes(20) });
  change(new DataView(frame!.buffer));
  return frame!;
};

test.each([
  ['an unknown version', header((view) => view.setUint8(0, 2))],
  ['an unknown kind', header((view) => view.setUint8(1, 9))],
  ['bits that must be zero', header((view) => view.setUint16(2, 1))],
  ['a head above the bound', header((view) => view.setUint32(8, PEER_HEAD_BYTES_MAX + 1, true))],
  ['a body above the bound', header((view) => view.setUint32(12, PEER_BODY_BYTES_MAX + 1, true))],
  ['less than a header', new Uint8Array(FRAME_HEADER_BYTES - 1)],
  ['more than a frame', new Uint8Array(PEER_FRAME_BYTES_MAX + 1)],
])('%s is no frame', (_, bytes) => {
  expect(parseFrame(bytes)).toBeNull();
  expect(parseFrame(header(() => {}))).not.toBeNull();
});

test('frames that disagree about the message, or bring more than it has, break it', () => {
  const frames = [...framesOf({ kind: FRAME_REPLY, stream: 3, head: new Uint8Array(), body: seededBytes(100_000) })].map((frame) =>
    parseFrame(frame)!,
  );
  const [first, second] = [frames[0]!, frames[1]!];
  const other = new Assembler(first);
  other.add(first);
  expect(other.add({ ...second, bodyBytes: 99_999 }).status).toBe('broken');
  const more = new Assembler(first);
  more.add(first);
  expect(more.add(first).status).toBe('broken');
  const empty = new Assembler(first);
  expect(empty.add({ ...first, payload: new Uint8Array() }).status).toBe('broken');
});
