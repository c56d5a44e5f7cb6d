/** The elements of decoded accessors as doubles. Checks nothing: who reads them knows what they must be. */
import type { Accessor } from '@gltf-transform/core';

/**
 * All components in order, normalised integers decoded (glTF 2.0, section 3.11); empty without data.
 * @param only the elements to read, in this order.
 */
export function readNumbers(accessor: Accessor, only: Uint32Array | null = null): Float64Array {
  const array = accessor.getArray();
  if (!array) return new Float64Array(0);
  const out = only ? gather(array, only, accessor.getElementSize()) : Float64Array.from(array);
  if (!accessor.getNormalized() || array instanceof Float32Array) return out;
  const signed = array instanceof Int8Array || array instanceof Int16Array;
  const max = [0, signed ? 127 : 255, signed ? 32_767 : 65_535][array.BYTES_PER_ELEMENT] ?? 4_294_967_295;
  for (let i = 0; i < out.length; i++) out[i] = Math.max(-1, (out[i] as number) / max);
  return out;
}

function gather(array: ArrayLike<number>, only: Uint32Array, width: number): Float64Array {
  const out = new Float64Array(only.length * width);
  only.forEach((element, i) => {
    for (let k = 0; k < width; k++) out[i * width + k] = array[element * width + k] as number;
  });
  return out;
}
