/** The platform's own deflate, which runs beside JavaScript, and the checksum of PNG. Knows no format. */
import { join, type Bytes } from './bytes.ts';

/** Streams hand out crumbs; what comes out here is at least so long, but for the last. */
const OUT_BYTES_MIN = 1 << 18;

/** A whole zlib stream (RFC 1950). */
export async function deflate(raw: Bytes): Promise<Bytes> {
  const stream = new Blob([raw]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One zlib stream of pieces that are asked for one after the other, so that they never lie in memory together. */
export async function* deflatePieces(pieces: Iterable<Bytes>): AsyncGenerator<Bytes> {
  const turns = pieces[Symbol.iterator]();
  const source = new ReadableStream<Bytes>({
    pull: (controller) => {
      const { done, value } = turns.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const reader = source.pipeThrough(new CompressionStream('deflate')).getReader();
  let [held, bytes]: [Uint8Array[], number] = [[], 0];
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    held.push(part.value);
    bytes += part.value.length;
    if (bytes < OUT_BYTES_MIN) continue;
    yield join(...held);
    [held, bytes] = [[], 0];
  }
  if (bytes > 0) yield join(...held);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 of ISO 3309. */
export function crc32(data: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < data.length; i++) c = CRC_TABLE[(c ^ data[i]!) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}
