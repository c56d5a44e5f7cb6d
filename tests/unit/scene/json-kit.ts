/** Additions to the JSON of a small GLB that glTF-Transform has no words for: numbers, animations, whole extensions. */
import { editGlb, type Bytes, type LooseJson } from './fixtures.ts';

const WIDTHS = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4, MAT4: 16 } as const;

/** Appends an accessor with a buffer of its own, as bytes in the JSON. @returns its index. */
export function addNumbers(
  json: LooseJson,
  type: keyof typeof WIDTHS,
  values: readonly number[],
  as: 'f32' | 'u8' | 'u8-normalized' | 'u16' | 'u16-normalized' = 'f32',
): number {
  const array = as === 'f32' ? Float32Array.from(values) : as.startsWith('u16') ? Uint16Array.from(values) : Uint8Array.from(values);
  const uri = `data:application/octet-stream;base64,${btoa(Array.from(new Uint8Array(array.buffer), (byte) => String.fromCharCode(byte)).join(''))}`;
  json.buffers.push({ byteLength: array.byteLength, uri });
  json.bufferViews.push({ buffer: json.buffers.length - 1, byteLength: array.byteLength });
  const componentType = { f32: 5126, u8: 5121, 'u8-normalized': 5121, u16: 5123, 'u16-normalized': 5123 }[as];
  const normalized = as.endsWith('-normalized');
  json.accessors.push({ bufferView: json.bufferViews.length - 1, componentType, normalized, type, count: values.length / WIDTHS[type] });
  return json.accessors.length - 1;
}

export interface ChannelSpec {
  /** A JSON pointer, or a node and one of its paths. */
  readonly target: string | { readonly node: number; readonly path: string };
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly interpolation?: 'LINEAR' | 'STEP' | 'CUBICSPLINE';
}

/** Appends one animation. Values are scalars: readers go by the count per key. */
export function addAnimation(json: LooseJson, channels: readonly ChannelSpec[]): void {
  const samplers = channels.map(({ times, values, interpolation = 'LINEAR' }) => ({
    input: addNumbers(json, 'SCALAR', times),
    output: addNumbers(json, 'SCALAR', values),
    interpolation,
  }));
  const targets = channels.map(({ target }) =>
    typeof target === 'string' ? { path: 'pointer', extensions: { KHR_animation_pointer: { pointer: target } } } : target,
  );
  const animations = (json['animations'] ??= []) as unknown[];
  animations.push({ samplers, channels: targets.map((target, sampler) => ({ sampler, target })) });
}

/** A GLB with changes to its JSON alone. */
export const withJson = (glb: Bytes, edit: (json: LooseJson) => void): Bytes => editGlb(glb, (json) => edit(json));
