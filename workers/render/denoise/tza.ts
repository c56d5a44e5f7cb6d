/**
 * Reads the tensor archives (.tza) that Open Image Denoise keeps its weights in: named tensors of
 * half or single precision floats. Refuses, in a sentence, whatever is not such an archive; knows
 * nothing of networks.
 */

export interface Tensor {
  /** Sizes by dimension: output, input, row, column for the weights of a convolution; one for a bias. */
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/** The archive is damaged, or of another kind; the message is one sentence. */
export class TzaError extends Error {
  override readonly name = 'TzaError';
}

const MAGIC = 0x41d7;
const MAJOR_VERSION = 2;
const TENSORS_MAX = 256;
const RANK_MAX = 4;
const ELEMENTS_MAX = 1 << 24;
const ELEMENT_BYTES = { h: 2, f: 4 } as const;

/** @throws TzaError */
export function parseTza(bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  try {
    return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (error) {
    if (error instanceof RangeError) throw new TzaError(`The tensor archive ends too early: it has ${bytes.byteLength} bytes.`);
    throw error;
  }
}

function read(view: DataView): ReadonlyMap<string, Tensor> {
  if (view.getUint16(0, true) !== MAGIC) throw new TzaError('This is no tensor archive: its first bytes are others.');
  if (view.getUint8(2) !== MAJOR_VERSION) throw new TzaError(`The tensor archive has version ${view.getUint8(2)}, not ${MAJOR_VERSION}.`);
  let at = Number(view.getBigUint64(4, true));
  const count = view.getUint32(at, true);
  if (count > TENSORS_MAX) throw new TzaError(`The tensor archive claims ${count} tensors; ${TENSORS_MAX} are the most.`);
  at += 4;
  const tensors = new Map<string, Tensor>();
  for (let i = 0; i < count; i++) {
    const name = word(view, at + 2, view.getUint16(at, true));
    at += 2 + name.length;
    const rank = view.getUint8(at);
    if (rank > RANK_MAX) throw new TzaError(`Tensor ${i} of the archive has ${rank} dimensions; ${RANK_MAX} are the most.`);
    const shape = Array.from({ length: rank }, (_, k) => view.getUint32(at + 1 + k * 4, true));
    at += 1 + rank * 5; // the sizes, and a letter that names each dimension
    const type = String.fromCharCode(view.getUint8(at));
    if (type !== 'h' && type !== 'f') throw new TzaError(`Tensor ${i} of the archive holds numbers of an unknown type.`);
    tensors.set(name, { shape, values: numbers(view, Number(view.getBigUint64(at + 1, true)), shape, type) });
    at += 9;
  }
  return tensors;
}

const word = (view: DataView, at: number, length: number): string =>
  String.fromCharCode(...Array.from({ length }, (_, i) => view.getUint8(at + i)));

function numbers(view: DataView, at: number, shape: readonly number[], type: keyof typeof ELEMENT_BYTES): Float32Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (count > ELEMENTS_MAX) throw new TzaError(`A tensor of the archive claims ${count} numbers; ${ELEMENTS_MAX} are the most.`);
  const step = ELEMENT_BYTES[type];
  if (at + count * step > view.byteLength) throw new RangeError('beyond the end');
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++)
    values[i] = type === 'f' ? view.getFloat32(at + i * step, true) : HALVES[view.getUint16(at + i * step, true)]!;
  return values;
}

/** Value of every IEEE 754 binary16: millions of weights are looked up faster than computed. */
const HALVES = Float32Array.from({ length: 1 << 16 }, (_, bits) => half(bits));

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
