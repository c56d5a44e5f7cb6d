/**
 * One animation sampler at one time: glTF 2.0, appendix C. Before the first and after the last key
 * the end value holds. Exact arithmetic only.
 */
import type { Accessor } from '@gltf-transform/core';
import { readNumbers } from '../accessor-numbers.ts';
import { SceneError } from '../compiled-scene.ts';
import { slerp, unitQuaternion, type Quaternion } from '../matrix.ts';
import type { ValueKind } from './pointers.ts';

export type Interpolation = 'LINEAR' | 'STEP' | 'CUBICSPLINE';

export interface Track {
  /** Rising, seconds; of equal ones, which glTF forbids and exporters write, the last is what holds from then on. */
  readonly times: Float64Array;
  /** Some times are equal. */
  readonly jumps: boolean;
  /** `width` numbers per key, with CUBICSPLINE three times as many: in-tangent, value, out-tangent. */
  readonly values: Float64Array;
  readonly width: number;
  readonly interpolation: Interpolation;
}

export interface SamplerSpec {
  /** Index of the accessor of key times. */
  readonly input: number;
  readonly output: number;
  readonly interpolation: Interpolation;
}

interface Numbers {
  readonly values: Float64Array;
  readonly finite: boolean;
  /** Never fall. */
  readonly rising: boolean;
  /** Some neighbours are equal. */
  readonly equal: boolean;
}

/** Reads and checks each accessor once, however many channels share it. */
export class TrackReader {
  readonly #accessors: readonly Accessor[];
  readonly #numbers = new Map<number, Numbers>();

  constructor(accessors: readonly Accessor[]) {
    this.#accessors = accessors;
  }

  /**
   * @param width numbers per key that the target takes; null when it takes every number of them.
   * @param what the property that is driven, and @param where the JSON path of the sampler, for errors.
   * @throws SceneError when keys and values do not fit together.
   */
  read({ input, output, interpolation }: SamplerSpec, width: number | null, what: string, where: string): Track {
    if (this.#accessors[input]?.getElementSize() !== 1) {
      throw new SceneError(`${where}: its keys must be a list of single numbers; export the file again.`);
    }
    const [keys, outputs] = [this.#read(input), this.#read(output)];
    const [times, values] = [keys.values, outputs.values];
    const found = values.length / (times.length * (interpolation === 'CUBICSPLINE' ? 3 : 1));
    if (!Number.isInteger(found) || found === 0 || (width !== null && found !== width)) {
      throw new SceneError(`${where}: ${values.length} values do not fit ${times.length} keys of "${what}"; export the file again.`);
    }
    if (!keys.finite || !keys.rising || !outputs.finite) {
      throw new SceneError(`${where}: key times must rise and values be finite; export the file again.`);
    }
    return { times, jumps: keys.equal, values, width: found, interpolation };
  }

  #read(index: number): Numbers {
    const known = this.#numbers.get(index);
    if (known) return known;
    const accessor = this.#accessors[index];
    const values = accessor ? readNumbers(accessor) : new Float64Array(0);
    const rising = values.every((value, i) => i === 0 || value >= (values[i - 1] as number));
    const equal = values.some((value, i) => value === values[i - 1]);
    const read = { values, finite: values.every(Number.isFinite), rising, equal };
    this.#numbers.set(index, read);
    return read;
  }
}

export function sampleTrack({ times, values, width, interpolation }: Track, kind: ValueKind, timeS: number): number[] {
  const cubic = interpolation === 'CUBICSPLINE';
  const stride = width * (cubic ? 3 : 1);
  const key = (k: number, part = cubic ? 1 : 0): number[] =>
    Array.from(values.subarray(k * stride + part * width, k * stride + (part + 1) * width));
  const last = times.length - 1;
  const k = keyBefore(times, timeS);
  const start = times[k] as number;
  if (k === last || timeS <= start || interpolation === 'STEP' || kind === 'boolean') return key(k);
  const step = (times[k + 1] as number) - start;
  const t = (timeS - start) / step;
  const [from, to] = [key(k), key(k + 1)];
  if (!cubic) {
    if (kind === 'quaternion')
      return [...slerp(unitQuaternion(from as unknown as Quaternion), unitQuaternion(to as unknown as Quaternion), t)];
    return from.map((value, i) => value + ((to[i] as number) - value) * t);
  }
  const [outgoing, incoming] = [key(k, 2), key(k + 1, 0)];
  const [t2, t3] = [t * t, t * t * t];
  const spline = from.map(
    (value, i) =>
      (2 * t3 - 3 * t2 + 1) * value +
      step * (t3 - 2 * t2 + t) * (outgoing[i] as number) +
      (3 * t2 - 2 * t3) * (to[i] as number) +
      step * (t3 - t2) * (incoming[i] as number),
  );
  return kind === 'quaternion' ? [...unitQuaternion(spline as unknown as Quaternion)] : spline;
}

/** The last key at or before the time; 0 when there is none. */
function keyBefore(times: Float64Array, timeS: number): number {
  let [low, high] = [0, times.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((times[middle] as number) <= timeS) low = middle;
    else high = middle - 1;
  }
  return low;
}
