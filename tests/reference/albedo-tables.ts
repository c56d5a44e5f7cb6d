/**
 * The layout of shaders/bsdf/tables.ts on the side that writes it: which albedo each number of the
 * tables is. `PICTOR_WRITE_TABLES=1 npx vitest run --project unit tests/unit/render/albedo-tables.test.ts`
 * writes the file anew.
 */
import { ALPHA_MIN, direction, glassAlbedo, mirrorAlbedo, sheenAlbedo, SHEEN_ALPHA_MIN } from './albedo.ts';

/** Nodes along cosine and roughness of the tables for reflection and sheen. */
export const MIRROR_NODES = 64;
/** Nodes along cosine and roughness of the tables for refraction, and their number of relative iors. */
export const GLASS_NODES = 20;
export const GLASS_ETAS = 33;
/** Greatest |eta - 1| / (eta + 1) of the tables. */
export const GLASS_REACH = 0.45;
/** Nodes of the tables for anisotropy: cosine and lesser width, greater width, azimuth. */
export const STRETCH_NODES = 16;
export const STRETCH_WIDTHS = 8;
export const STRETCH_TURNS = 6;
/** Sheen, and the glass's albedo over that of a mirror as rough, are stored divided by this. */
export const SCALE = 4;
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

/** Remembers what it computed: several tables take their numbers from one quadrature. */
function remembered<T>(compute: (index: number) => T): (index: number) => T {
  const known = new Map<number, T>();
  return (index) => {
    const value = known.get(index) ?? compute(index);
    known.set(index, value);
    return value;
  };
}

const mirror = remembered((index) => {
  const [cosine, alpha] = plane(MIRROR_NODES, ALPHA_MIN, index);
  return mirrorAlbedo(direction(cosine), [alpha, alpha], SIDE);
});

/** Over the albedo of a white mirror, with which it falls off towards grazing angles. */
const glass = remembered((index) => {
  const [cosine, alpha] = plane(GLASS_NODES, ALPHA_MIN, index);
  const [a, b] = mirrorAlbedo(direction(cosine), [alpha, alpha], SIDE);
  const [both, open] = glassAlbedo(direction(cosine), alpha, etaAt(Math.floor(index / GLASS_NODES ** 2)), SIDE);
  return [both / (a + b) / SCALE, open / (a + b) / SCALE] as const;
});

const sheen: TableSpec['at'] = (index) => {
  const [cosine, alpha] = plane(MIRROR_NODES, SHEEN_ALPHA_MIN, index);
  return Math.min(sheenAlbedo(cosine, alpha, 2 * SIDE) / SCALE, 1);
};

/** Greater width between the lesser one and 1, in roughness; azimuth in its cosine. */
function stretched(index: number): number {
  const [cosine, least] = plane(STRETCH_NODES, ALPHA_MIN, index);
  const square = Math.floor(index / STRETCH_NODES ** 2);
  const grown = Math.sqrt(least) + ((1 - Math.sqrt(least)) * Math.floor(square / STRETCH_TURNS)) / (STRETCH_WIDTHS - 1);
  const azimuth = Math.acos((square % STRETCH_TURNS) / (STRETCH_TURNS - 1));
  const [a, b] = mirrorAlbedo(direction(cosine, azimuth), [grown ** 2, least], SIDE);
  return a + b;
}

const GLASS = GLASS_ETAS * GLASS_NODES ** 2;
/** In the order in which the file holds them. */
export const TABLES: readonly TableSpec[] = [
  { name: 'MIRROR_A', length: MIRROR_NODES ** 2, at: (i) => mirror(i)[0] },
  { name: 'MIRROR_B', length: MIRROR_NODES ** 2, at: (i) => mirror(i)[1] },
  { name: 'MIRROR_C', length: MIRROR_NODES ** 2, at: (i) => mirror(i)[2] },
  { name: 'SHEEN', length: MIRROR_NODES ** 2, at: sheen },
  { name: 'GLASS_BOTH', length: GLASS, at: (i) => glass(i)[0] },
  { name: 'GLASS_OPEN', length: GLASS, at: (i) => glass(i)[1] },
  { name: 'STRETCHED', length: STRETCH_WIDTHS * STRETCH_TURNS * STRETCH_NODES ** 2, at: stretched },
];

export const encode = (value: number): number => Math.round(Math.min(Math.max(value, 0), 1) * 65535);

/** The text of shaders/bsdf/tables.ts; minutes. */
export async function tablesFile(): Promise<string> {
  const lines: string[] = [];
  for (const { name, length, at } of TABLES) {
    const words = new Uint16Array(length);
    for (let i = 0; i < length; i++) {
      if (i % 64 === 0) await new Promise(setImmediate); // a test runner wants to hear from its worker
      words[i] = encode(at(i));
    }
    lines.push(`export const ${name} =\n  '${Buffer.from(words.buffer).toString('base64')}';`);
  }
  return `/**
 * Directional albedos of the BSDF lobes, 16-bit fractions of one, little endian, in base64. Written
 * by tests/reference/albedo-tables.ts, which says what each number is; not to be edited.
 */
export const ALBEDO = {
  mirrorNodes: ${MIRROR_NODES},
  glassNodes: ${GLASS_NODES},
  glassEtas: ${GLASS_ETAS},
  stretchNodes: ${STRETCH_NODES},
  stretchWidths: ${STRETCH_WIDTHS},
  stretchTurns: ${STRETCH_TURNS},
  glassReach: ${GLASS_REACH},
  scale: ${SCALE},
  alphaMin: ${ALPHA_MIN},
  sheenAlphaMin: ${SHEEN_ALPHA_MIN},
} as const;
${lines.join('\n')}
`;
}
