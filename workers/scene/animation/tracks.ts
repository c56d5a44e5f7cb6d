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
  /** Rising, seconds. */
  readonly times: Float64Array;
  /** `width` numbers per key, with CUBICSPLINE three times as many: in-tangent, value, out-tangent. */
  readonly values: Float64Array;
  readonly width: number;
  readonly interpolation: Interpolation;
}

/**
 * @param width numbers per key that the target takes, null: any.
 * @param where JSON path of the sampler, for errors.
 * @throws SceneError when keys and values do not fit together.
 */
export function readTrack(
  input: Accessor | undefined,
  output: Accessor | undefined,
  interpolation: Interpolation,
  width: number | null,
  what: string,
  where: string,
): Track {
  if (!input || !output || input.getElementSize() !== 1) {
    throw new SceneError(`${where}: its keys must be a list of single numbers; export the file again.`);
  }
  const [times, values] = [readNumbers(input), readNumbers(output)];
  const perKey = interpolation === 'CUBICSPLINE' ? 3 : 1;
  const found = values.length / (times.length * perKey);
  if (!Number.isInteger(found) || found === 0 || (width !== null && found !== width)) {
    throw new SceneError(`${where}: ${values.length} values do not fit ${times.length} keys of "${what}"; export the file again.`);
  }
  if (!times.every((t, i) => Number.isFinite(t) && (i === 0 || t > (times[i - 1] as number))) || !values.every(Number.isFinite)) {
    throw new SceneError(`${where}: key times must rise and values be finite; export the file again.`);
  }
  return { times, values, width: found, interpolation };
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
