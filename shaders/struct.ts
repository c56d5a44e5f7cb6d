/**
 * Structs that TypeScript and WGSL share: byte offsets by the rules of the WGSL specification
 * (section "Alignment and size"), and the WGSL declaration. Refuses to know any particular struct.
 */

const TYPES = {
  f32: { align: 4, size: 4 },
  u32: { align: 4, size: 4 },
  vec2f: { align: 8, size: 8 },
  vec2u: { align: 8, size: 8 },
  vec3f: { align: 16, size: 12 },
  vec3u: { align: 16, size: 12 },
  vec4f: { align: 16, size: 16 },
  vec4u: { align: 16, size: 16 },
} as const;
export type FieldType = keyof typeof TYPES;

/** name → [type, one sentence]. */
export type Fields = Readonly<Record<string, readonly [FieldType, string]>>;

export interface StructLayout<F extends Fields = Fields> {
  readonly name: string;
  readonly fields: F;
  /** Bytes from the start of the struct. */
  readonly offsets: { readonly [K in keyof F]: number };
  /** Bytes per array element. */
  readonly size: number;
}

export function defineStruct<const F extends Fields>(name: string, fields: F): StructLayout<F> {
  let at = 0;
  let align = 4;
  const offsets: Record<string, number> = {};
  for (const [field, [type]] of Object.entries(fields)) {
    const rule = TYPES[type];
    at = Math.ceil(at / rule.align) * rule.align;
    offsets[field] = at;
    at += rule.size;
    align = Math.max(align, rule.align);
  }
  return { name, fields, offsets: offsets as StructLayout<F>['offsets'], size: Math.ceil(at / align) * align };
}

/** The WGSL declaration of a layout; comments carry over. */
export function wgslStruct(layout: StructLayout): string {
  const lines = Object.entries(layout.fields).map(([name, [type, why]]) => `  ${name}: ${type}, // ${why}`);
  return `struct ${layout.name} {\n${lines.join('\n')}\n}\n`;
}
