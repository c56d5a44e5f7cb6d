/**
 * The layout of shaders/bsdf/tables.ts on the side that writes it: which albedo each number of the
 * tables is. `PICTOR_WRITE_TABLES=1 npx vitest run --project unit tests/unit/render/albedo-tables.test.ts`
 * writes the file anew.
 */
import { ALPHA_MIN, direction, glassAlbedo, mirrorAlbedo, sheenAlbedo, SHEEN_ALPHA_MIN } from './albedo.ts';

/** Nodes along cosine and roughness of the tables for reflection and sheen. */
export const MIRROR_NODES = 48;
/** Nodes along cosine and roughness of the tables for refraction, and their number of relative iors. */
export const GLASS_NODES = 16;
export const GLASS_ETAS = 33;
/** Greatest |eta - 1| / (eta + 1) of the tables. */
export const GLASS_REACH = 0.45;
/** The sheen's albedo is stored divided by this. */
export const SHEEN_SCALE = 4;
/** Side of the quadratures. */
const SIDE = 96;

/** Nodes lie densest towards grazing. */
export const cosineAt = (node: number, nodes: number): number => Math.max((node / (nodes - 1)) ** 2, 1e-4);

export function alphaAt(node: number, nodes: number, alphaMin: number): number {
  const least = Math.sqrt(alphaMin);
  return (least + ((1 - least) * node) / (nodes - 1)) ** 2;
}

/** Relative ior of a node; the middle one is 1, where refraction has a limit but no half vector. */
export function etaAt(node: number): number {
  const w = (2 * node) / (GLASS_ETAS - 1) - 1;
  const t = Math.sign(w) * GLASS_REACH * w * w;
  return t === 0 ? 1.0001 : (1 + t) / (1 - t);
}

export interface TableSpec {
  readonly name: string;
  readonly length: number;
  /** The value at an index, in [0, 1]. */
  readonly at: (index: number) => number;
}

const plane = (nodes: number, alphaMin: number, index: number): readonly [number, number] => [
  cosineAt(index % nodes, nodes),
  alphaAt(Math.floor(index / nodes) % nodes, nodes, alphaMin),
];

function mirror(channel: 0 | 1): TableSpec['at'] {
  return (index) => {
    const [cosine, alpha] = plane(MIRROR_NODES, ALPHA_MIN, index);
    return mirrorAlbedo(direction(cosine), [alpha, alpha], SIDE)[channel];
  };
}

function glass(channel: 0 | 1 | 2): TableSpec['at'] {
  return (index) => {
    const [cosine, alpha] = plane(GLASS_NODES, ALPHA_MIN, index);
    return glassAlbedo(direction(cosine), alpha, etaAt(Math.floor(index / GLASS_NODES ** 2)), SIDE)[channel];
  };
}

const sheen: TableSpec['at'] = (index) => {
  const [cosine, alpha] = plane(MIRROR_NODES, SHEEN_ALPHA_MIN, index);
  return Math.min(sheenAlbedo(cosine, alpha, 2 * SIDE) / SHEEN_SCALE, 1);
};

const GLASS = GLASS_ETAS * GLASS_NODES ** 2;
/** In the order in which the file holds them. */
export const TABLES: readonly TableSpec[] = [
  { name: 'MIRROR_A', length: MIRROR_NODES ** 2, at: mirror(0) },
  { name: 'MIRROR_B', length: MIRROR_NODES ** 2, at: mirror(1) },
  { name: 'SHEEN', length: MIRROR_NODES ** 2, at: sheen },
  { name: 'GLASS_BOTH', length: GLASS, at: glass(0) },
  { name: 'GLASS_OPEN', length: GLASS, at: glass(1) },
  // Beyond the middle the reflection follows from the tables for reflection.
  { name: 'GLASS_INSIDE', length: ((GLASS_ETAS - 1) / 2) * GLASS_NODES ** 2, at: glass(2) },
];

export const encode = (value: number): number => Math.round(Math.min(Math.max(value, 0), 1) * 65535);

/** The text of shaders/bsdf/tables.ts. */
export function tablesFile(): string {
  const lines = TABLES.map(({ name, length, at }) => {
    const words = Uint16Array.from({ length }, (_, i) => encode(at(i)));
    return `export const ${name} =\n  '${Buffer.from(words.buffer).toString('base64')}';`;
  });
  return `/**
 * Directional albedos of the BSDF lobes, 16-bit fractions of one, little endian, in base64. Written
 * by tests/reference/albedo-tables.ts, which says what each number is; not to be edited.
 */
export const ALBEDO = {
  mirrorNodes: ${MIRROR_NODES},
  glassNodes: ${GLASS_NODES},
  glassEtas: ${GLASS_ETAS},
  glassReach: ${GLASS_REACH},
  sheenScale: ${SHEEN_SCALE},
  alphaMin: ${ALPHA_MIN},
  sheenAlphaMin: ${SHEEN_ALPHA_MIN},
} as const;
${lines.join('\n')}
`;
}
