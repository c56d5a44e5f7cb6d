/**
 * Photometric files of IES LM-63 (1986, 1991, 1995, 2002, 2019), type C and B photometry, to a table
 * of candela over angles in degrees. The symmetries of type C are unfolded, so that who reads the
 * table knows none of them. TILT data is skipped, as EXT_lights_ies allows; type A is refused.
 */
import { PROFILE_ANGLES_MAX, PROFILE_FILE_BYTES_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';

export interface Photometry {
  readonly kind: 'C' | 'B';
  /** Degrees, ascending. Type C: 0 is the aim. Type B: -90 to 90, upwards. */
  readonly vertical: readonly number[];
  /** Degrees, ascending. Type C: 0 to 360, or one angle for a body of revolution. Type B: -90 to 90. */
  readonly horizontal: readonly number[];
  /** Candela, for each horizontal angle all vertical ones. */
  readonly candela: readonly number[];
}

interface Table {
  vertical: number[];
  horizontal: number[];
  /** One row per horizontal angle. */
  rows: number[][];
}

/** @throws SceneError, one sentence that names `path`. */
export function parseIes(file: Uint8Array, path: string): Photometry {
  const refuse = (what: string): never => {
    throw new SceneError(`${path}: the light profile ${what}; choose an IES LM-63 file.`);
  };
  if (file.length > PROFILE_FILE_BYTES_MAX) refuse(`has ${file.length} bytes, at most ${PROFILE_FILE_BYTES_MAX} are allowed`);
  const text = new TextDecoder('latin1').decode(file);
  // 1986 files have no line with a name; the TILT line is what all versions share.
  const tilt = /^[^\S\n]*TILT[^\S\n]*=[^\S\n]*([^\r\n]*)/m.exec(text.replaceAll('\r\n', '\n').replaceAll('\r', '\n'));
  if (!tilt) return refuse('has no TILT line');
  const lines = text.replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const numbers = new Numbers(lines.slice(tilt.index + tilt[0].length), refuse);
  if ((tilt[1] as string).trim().toUpperCase() === 'INCLUDE') {
    numbers.next();
    numbers.passOver(2 * numbers.count('tilt angles'));
  }
  numbers.passOver(2); // lamps, lumens per lamp
  const multiplier = numbers.next();
  const [verticals, horizontals] = [numbers.count('vertical angles'), numbers.count('horizontal angles')];
  const type = numbers.next();
  numbers.passOver(4); // units and the size of the opening
  const ballast = numbers.next();
  // The second factor was one of 1986 and 1991; later it is "future use" or a code of how the file was made.
  const second = numbers.next();
  numbers.passOver(1); // watts
  const old = !/^(IESNA:LM-63-(1995|2002)|IES:LM-63-2019)/.test(lines.trimStart());
  const scale = multiplier * ballast * (old ? second : 1);
  if (!(scale >= 0 && scale < 1e30)) refuse('has a factor that is no positive number');
  if (type !== 1 && type !== 2) refuse(type === 3 ? 'is of type A photometry, which is not supported' : 'names no photometric type');
  const table: Table = { vertical: numbers.take(verticals), horizontal: numbers.take(horizontals), rows: [] };
  for (let i = 0; i < horizontals; i++) table.rows.push(numbers.take(verticals).map((value) => value * scale));
  if (!table.rows.every((row) => row.every((value) => value >= 0 && value < 1e30))) refuse('holds a negative or endless intensity');
  for (const angles of [table.vertical, table.horizontal]) {
    if (angles.some((angle, i) => i > 0 && !(angle > (angles[i - 1] as number)))) refuse('has angles that do not ascend');
    if (!angles.every((angle) => Math.abs(angle) <= 360)) refuse('has an angle beyond a full turn');
  }
  if (type === 1) unfoldC(table, refuse);
  else unfoldB(table);
  if (table.horizontal.length > PROFILE_ANGLES_MAX) refuse('has too many angles');
  return { kind: type === 1 ? 'C' : 'B', vertical: table.vertical, horizontal: table.horizontal, candela: table.rows.flat() };
}

/** The file's numbers after the TILT line; LM-63 separates them by spaces, commas or line breaks. */
class Numbers {
  readonly #words: string[];
  readonly #refuse: (what: string) => never;
  #at = 0;

  constructor(text: string, refuse: (what: string) => never) {
    this.#words = text.split(/[\s,]+/).filter((word) => word !== '');
    this.#refuse = refuse;
  }

  next(): number {
    const word = this.#words[this.#at++];
    if (word === undefined) return this.#refuse('ends too early');
    const value = Number(word);
    return Number.isFinite(value) ? value : this.#refuse(`has "${word.slice(0, 20)}" where a number belongs`);
  }

  count(of: string): number {
    const value = this.next();
    if (Number.isInteger(value) && value >= 1 && value <= PROFILE_ANGLES_MAX) return value;
    return this.#refuse(`has a number of ${of} that is not from 1 to ${PROFILE_ANGLES_MAX}`);
  }

  take(count: number): number[] {
    return Array.from({ length: count }, () => this.next());
  }

  passOver(count: number): void {
    for (let i = 0; i < count; i++) this.next();
  }
}

/** Adds, in front or behind, the mirror images of the rows: angle → 2·mirror - angle. */
function mirror(table: Table, at: number): void {
  const mirrored = table.horizontal.map((angle, i) => ({ angle: 2 * at - angle, row: table.rows[i] as number[] })).reverse();
  const behind = (mirrored[0]?.angle ?? 0) >= at;
  const fresh = mirrored.filter(({ angle }) => !table.horizontal.includes(angle));
  const join = <T>(own: T[], other: T[]): T[] => (behind ? [...own, ...other] : [...other, ...own]);
  table.rows = join(
    table.rows,
    fresh.map(({ row }) => row),
  );
  table.horizontal = join(
    table.horizontal,
    fresh.map(({ angle }) => angle),
  );
}

/** Type C to the whole circle: bodies of revolution, quadrants, halves about 0-180 or, in 1995, about 90-270. */
function unfoldC(table: Table, refuse: (what: string) => never): void {
  const [first, last] = [table.horizontal[0] as number, table.horizontal.at(-1) as number];
  if (table.horizontal.length === 1) return;
  if (first === 90 && last === 270) {
    // Mirrored about the plane 90-270, which gives -90 to 270; the part below 0 goes around.
    mirror(table, 90);
    const below = table.horizontal.filter((angle) => angle < 0).length;
    const around = table.horizontal.slice(0, below).map((angle) => angle + 360);
    // -90 and 270 are one plane.
    const seam = around[0] === table.horizontal.at(-1) ? 1 : 0;
    table.rows = [...table.rows.slice(below), ...table.rows.slice(seam, below)];
    table.horizontal = [...table.horizontal.slice(below), ...around.slice(seam)];
    if (table.horizontal[0] === 0) {
      table.rows.push(table.rows[0] as number[]);
      table.horizontal.push(360);
    }
    return;
  }
  if (first !== 0) refuse(`starts at the horizontal angle ${first}`);
  if (last === 90) mirror(table, 90);
  if (table.horizontal.at(-1) === 180) mirror(table, 180);
  const end = table.horizontal.at(-1) as number;
  if (end < 270) refuse(`ends at the horizontal angle ${last}`);
  if (end < 360) {
    table.rows.push(table.rows[0] as number[]);
    table.horizontal.push(360);
  }
}

/** Type B: a half from 0 to 90 is the image of the other. */
function unfoldB(table: Table): void {
  if (table.horizontal[0] === 0 && table.horizontal.length > 1) mirror(table, 0);
}
