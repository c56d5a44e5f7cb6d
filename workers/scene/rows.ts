/** Writes the fields of shared structs (shaders/layout.ts) by name, so no offset is spelled twice. */
import type { Fields, StructLayout } from '#shaders/struct.ts';

type Values<F extends Fields> = { readonly [K in keyof F]?: number | readonly number[] };

/** An array of structs; fields that are not given stay zero. u32 fields take unsigned integers. */
export function packRows<F extends Fields>(layout: StructLayout<F>, rows: readonly Values<F>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(rows.length * layout.size);
  const view = new DataView(bytes.buffer);
  rows.forEach((row, i) => {
    for (const [name, value] of Object.entries(row) as [keyof F & string, number | readonly number[] | undefined][]) {
      const [type] = layout.fields[name] as F[string];
      const integer = type === 'u32' || type.endsWith('u');
      const numbers = typeof value === 'number' ? [value] : (value ?? []);
      numbers.forEach((number, k) => {
        const at = i * layout.size + layout.offsets[name] + k * 4;
        if (integer) view.setUint32(at, number, true);
        else view.setFloat32(at, number, true);
      });
    }
  });
  return bytes;
}
export type Row<F extends Fields> = Values<F>;
