/**
 * The layout of shaders/bsdf/tables.ts on the side that writes it: which albedo each number of the
 * tables is. `PICTOR_WRITE_TABLES=1 npx vitest run --project unit tests/unit/render/albedo-tables.test.ts`
 * writes the file anew.
 */
import { ALPHA_MIN, direction, glassAlbedo, mirrorAlbedo, sheenAlbedo, SHEEN_ALPHA_MIN, type Widths } from './albedo.ts';

/**
 * Nodes that ship, along each axis; the first axis runs fastest. The renderer refines them by cubics
 * (workers/render/refine.ts) to the finer nodes that kernels interpolate between linearly.
 */
export const MIRROR = [32, 32] as const; // cosine, roughness
export const SHEEN = [64, 64] as const; // the same
export const GLASS = [20, 20, 20, 2] as const; // cosine, roughness, distance of the relative ior from 1, side of 1
export const STRETCHED = [16, 8, 6, 10] as const; // cosine, lesser width, greater width, width towards the viewer
/** Nodes of the kernels' tables. */
const FINE = { mirror: [64, 64], glass: [32, 32, 64], stretched: [32, 16, 12, 24] } as const;
/** Greatest |eta - 1| / (eta + 1) of the tables. */
export const GLASS_REACH = 0.45;
/** What is stored over something else is stored divided by this. */
export const SCALE = 4;
/** Sides of the quadratures; total reflection has edges. */
const SIDE = 96;
const SIDE_GLASS = 72;

const along = (node: number, nodes: number): number => node / (nodes - 1);
/** Nodes lie densest towards grazing. */
const cosineAt = (node: number, nodes: number): number => Math.max(along(node, nodes) ** 2, 1e-4);

function alphaAt(node: number, nodes: number, alphaMin: number): number {
  const least = Math.sqrt(alphaMin);
  return (least + (1 - least) * along(node, nodes)) ** 2;
}

/**
 * Relative ior of a node. Near 1, and the more so at grazing angles, all depends on the ratio of the
 * ior's distance from 1 to cosine (cosine + width): nodes go by the logarithm of that.
 */
export function etaAt(distance: number, side: number, cosine: number, alpha: number): number {
  const scale = 0.1 * cosine * (cosine + alpha) + 1e-5;
  // At 1 refraction has a limit but no half vector.
  const t = Math.max((Math.exp(distance * Math.log(1 + GLASS_REACH / scale)) - 1) * scale, 5e-5);
  return side === 0 ? (1 + t) / (1 - t) : (1 - t) / (1 + t);
}

/** The isotropic width that is most like two: towards the viewer at grazing angles, their mean in front. */
export const likeWidth = (cosine: number, widths: Widths, towards: number): number =>
  Math.sqrt(towards ** 2 * (1 - cosine ** 2) + (((widths[0] + widths[1]) / 2) * cosine) ** 2);

export interface TableSpec {
  readonly name: string;
  readonly length: number;
  /** The value at an index, in [0, 1]. */
  readonly at: (index: number) => number;
}

/** Number of the node along each axis. */
function nodesOf(index: number, sizes: readonly number[]): number[] {
  let rest = index;
  return sizes.map((size) => {
    const node = rest % size;
    rest = Math.floor(rest / size);
    return node;
  });
}

const plane = (
  [width, height]: readonly [number, number, ...number[]],
  alphaMin: number,
  [x, y]: readonly number[],
): readonly [number, number] => [cosineAt(x!, width), alphaAt(y!, height, alphaMin)];

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
  const [cosine, alpha] = plane(MIRROR, ALPHA_MIN, nodesOf(index, MIRROR));
  return mirrorAlbedo(direction(cosine), [alpha, alpha], SIDE);
});

/** Over the albedo of a white mirror, with which it falls off towards grazing angles. */
const glass = remembered((index) => {
  const nodes = nodesOf(index, GLASS);
  const [cosine, alpha] = plane(GLASS, ALPHA_MIN, nodes);
  const [a, b] = mirrorAlbedo(direction(cosine), [alpha, alpha], SIDE_GLASS);
  const [both, open] = glassAlbedo(direction(cosine), alpha, etaAt(along(nodes[2]!, GLASS[2]), nodes[3]!, cosine, alpha), SIDE_GLASS);
  return [both / (a + b) / SCALE, open / (a + b) / SCALE] as const;
});

const sheen: TableSpec['at'] = (index) => {
  const [cosine, alpha] = plane(SHEEN, SHEEN_ALPHA_MIN, nodesOf(index, SHEEN));
  return Math.min(sheenAlbedo(cosine, alpha, 2 * SIDE) / SCALE, 1);
};

/**
 * A + B and C over those of likeWidth. The greater width lies between the lesser one and 1, the one
 * towards the viewer (which azimuth and both give) between the two, all in roughness.
 */
const stretched = remembered((index) => {
  const nodes = nodesOf(index, STRETCHED);
  const [cosine, least] = plane(STRETCHED, ALPHA_MIN, nodes);
  const root = Math.sqrt(least);
  const widths: Widths = [(root + (1 - root) * along(nodes[2]!, STRETCHED[2])) ** 2, least];
  const towards = (root + (Math.sqrt(widths[0]) - root) * along(nodes[3]!, STRETCHED[3])) ** 2;
  const turned = widths[0] > least ? (towards ** 2 - least ** 2) / (widths[0] ** 2 - least ** 2) : 1;
  const [a, b, c] = mirrorAlbedo(direction(cosine, Math.acos(Math.sqrt(Math.min(Math.max(turned, 0), 1)))), widths, SIDE_GLASS);
  const like = likeWidth(cosine, widths, towards);
  const round = mirrorAlbedo(direction(cosine), [like, like], SIDE_GLASS);
  return [(a + b) / (round[0] + round[1]) / SCALE, c / Math.max(round[2], 1e-4) / SCALE] as const;
});

const count = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);
/** In the order in which the file holds them. */
export const TABLES: readonly TableSpec[] = [
  { name: 'MIRROR_A', length: count(MIRROR), at: (i) => mirror(i)[0] },
  { name: 'MIRROR_B', length: count(MIRROR), at: (i) => mirror(i)[1] },
  { name: 'MIRROR_C', length: count(MIRROR), at: (i) => mirror(i)[2] },
  { name: 'SHEEN', length: count(SHEEN), at: sheen },
  { name: 'GLASS_BOTH', length: count(GLASS), at: (i) => glass(i)[0] },
  { name: 'GLASS_OPEN', length: count(GLASS), at: (i) => glass(i)[1] },
  { name: 'STRETCHED', length: count(STRETCHED), at: (i) => stretched(i)[0] },
  { name: 'STRETCHED_RISE', length: count(STRETCHED), at: (i) => stretched(i)[1] },
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
  mirror: [${MIRROR.join(', ')}],
  glass: [${GLASS.join(', ')}],
  stretched: [${STRETCHED.join(', ')}],
  mirrorNodes: ${FINE.mirror[0]},
  glassNodes: ${FINE.glass[0]},
  glassEtas: ${FINE.glass[2]},
  stretchCosines: ${FINE.stretched[0]},
  stretchLeast: ${FINE.stretched[1]},
  stretchWidths: ${FINE.stretched[2]},
  stretchTurns: ${FINE.stretched[3]},
  glassReach: ${GLASS_REACH},
  scale: ${SCALE},
  alphaMin: ${ALPHA_MIN},
  sheenAlphaMin: ${SHEEN_ALPHA_MIN},
} as const;
${lines.join('\n')}
`;
}
