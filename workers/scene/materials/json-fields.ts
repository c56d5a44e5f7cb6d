/**
 * Typed reading of one JSON object whose fields no schema has checked (extensions of materials). A
 * field of the wrong type or without a finite value refuses the file by its path; one outside the
 * range of the specification is moved to its nearest end and named in a warning. No caller ever
 * sees NaN or infinity.
 */
import { SceneError } from '../compiled-scene.ts';

/** No factor of a material may be larger: its square still fits f32 with room for sums. */
const MAGNITUDE_MAX = 1e12;
/** Overshoot that is rounding of the exporter and not worth a sentence. */
const SILENT_OVERSHOOT = 1e-4;

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export class JsonFields {
  readonly #value: Json | undefined;
  readonly #path: string;
  readonly #warnings: Set<string>;
  #children: Map<string, JsonFields> | undefined;

  /** @param value undefined: every field takes its default. */
  constructor(value: Json | undefined, path: string, warnings: Set<string>) {
    this.#value = value;
    this.#path = path;
    this.#warnings = warnings;
  }

  get present(): boolean {
    return this.#value !== undefined;
  }

  /** @throws SceneError when the field is there and not an object. */
  child(key: string): JsonFields {
    const value = this.#value?.[key];
    if (value === undefined) return ABSENT;
    const known = this.#children?.get(key);
    if (known) return known;
    if (!isObject(value)) throw this.#wrong(key, 'an object');
    const child = new JsonFields(value, `${this.#path}.${key}`, this.#warnings);
    (this.#children ??= new Map()).set(key, child);
    return child;
  }

  extension(name: string): JsonFields {
    return this.child('extensions').child(name);
  }

  /** @throws SceneError unless it is a finite number. */
  number(key: string, fallback: number, min = 0, max = MAGNITUDE_MAX): number {
    const value = this.#value?.[key];
    return value === undefined ? fallback : this.#within(key, value, 'a finite number', min, max);
  }

  /** A list of `fallback.length` numbers, each in the range. */
  numbers(key: string, fallback: readonly number[], min = 0, max = MAGNITUDE_MAX): readonly number[] {
    const value = this.#value?.[key];
    if (value === undefined) return fallback;
    const expected = `a list of ${fallback.length} finite numbers`;
    if (!Array.isArray(value) || value.length !== fallback.length) throw this.#wrong(key, expected);
    return value.map((item: unknown) => this.#within(key, item, expected, min, max));
  }

  color(key: string, fallback: readonly [number, number, number], max?: number): readonly [number, number, number] {
    return this.numbers(key, fallback, 0, max) as readonly [number, number, number];
  }

  /** A whole number of 0 or more. */
  index(key: string, fallback: number): number {
    const value = this.#value?.[key] ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
    throw this.#wrong(key, 'a whole number of 0 or more');
  }

  flag(key: string): boolean {
    const value = this.#value?.[key] ?? false;
    if (typeof value === 'boolean') return value;
    throw this.#wrong(key, 'true or false');
  }

  /** As it stands in the file, for fields whose meaning the file's author is free to choose. */
  raw(key: string): unknown {
    return this.#value?.[key];
  }

  warn(key: string, what: string): void {
    this.#warnings.add(`${this.#path}.${key}: ${what}.`);
  }

  #within(key: string, value: unknown, expected: string, min: number, max: number): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrong(key, expected);
    const clamped = Math.min(max, Math.max(min, value));
    if (Math.abs(clamped - value) > SILENT_OVERSHOOT) this.warn(key, `${value} is outside the range ${min} to ${max}; ${clamped} is used`);
    return clamped;
  }

  #wrong(key: string, expected: string): SceneError {
    return new SceneError(`${this.#path}.${key}: expected ${expected}; export the file again.`);
  }
}

/** Shared, because a file may have many materials and most of them lack most extensions; it has nothing to complain of. */
const ABSENT = new JsonFields(undefined, '', new Set());
