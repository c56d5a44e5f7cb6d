/**
 * What a command is, and how words become values. A wrong word ends with one sentence and exit
 * code 2, as Unix tools do. Refuses to guess: an unknown option is an error.
 */
import { parseArgs } from 'node:util';
import type { vec3 } from '#lib/protocol/schema.ts';
import type * as v from 'valibot';

export const EXIT_OK = 0;
/** The work itself failed: bad file, no device, false ledger. */
export const EXIT_FAILED = 1;
/** The command line was wrong. */
export const EXIT_USAGE = 2;
/** 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Shown by `pictor NAME --help`; usage, options, examples. */
  readonly help: string;
  /** @returns the exit code. */
  run(args: readonly string[]): Promise<number>;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A failure that a person can act on; printed without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

type OptionKinds = Readonly<Record<string, 'string' | 'boolean' | 'list'>>;
type OptionValues<K extends OptionKinds> = {
  readonly [N in keyof K]: K[N] extends 'boolean' ? boolean : K[N] extends 'list' ? readonly string[] : string | undefined;
};

export interface Words<K extends OptionKinds> {
  readonly options: OptionValues<K>;
  readonly positionals: readonly string[];
}

/** @throws UsageError */
export function parseWords<const K extends OptionKinds>(args: readonly string[], kinds: K, positionalsMax: number): Words<K> {
  const options = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      { type: kind === 'boolean' ? ('boolean' as const) : ('string' as const), multiple: kind === 'list' },
    ]),
  );
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: joinNegatives(args), options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. To specify')[0] : String(error));
  }
  if (parsed.positionals.length > positionalsMax) throw new UsageError(`unexpected argument '${parsed.positionals[positionalsMax]}'`);
  const values = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [
      name,
      parsed.values[name] ?? (kind === 'boolean' ? false : kind === 'list' ? [] : undefined),
    ]),
  );
  return { options: values as OptionValues<K>, positionals: parsed.positionals };
}

/** `--eye -1,2,3` means `--eye=-1,2,3`; Node's parser takes a value with a dash for an option. */
function joinNegatives(args: readonly string[]): string[] {
  const out: string[] = [];
  for (const word of args) {
    const last = out.at(-1);
    if (last?.startsWith('--') && !last.includes('=') && /^-[\d.]/.test(word)) out[out.length - 1] = `${last}=${word}`;
    else out.push(word);
  }
  return out;
}

export function readNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < min || value > max)
    throw new UsageError(`--${name} must be a number from ${min} to ${max}, not '${text}'`);
  return value;
}

export function readInteger(name: string, text: string, min: number, max: number): number {
  const value = readNumber(name, text, min, max);
  if (!Number.isInteger(value)) throw new UsageError(`--${name} must be a whole number, not '${text}'`);
  return value;
}

export function readVector(name: string, text: string): v.InferOutput<typeof vec3> {
  const parts = text.split(',');
  if (parts.length !== 3) throw new UsageError(`--${name} must be three numbers x,y,z, not '${text}'`);
  const [x, y, z] = parts.map((part) => readNumber(name, part, -1e9, 1e9)) as [number, number, number];
  return [x, y, z];
}

export function readSize(name: string, text: string, sideMax: number): { width: number; height: number } {
  const found = /^(\d+)x(\d+)$/.exec(text);
  if (!found) throw new UsageError(`--${name} must be WIDTHxHEIGHT in pixels, not '${text}'`);
  return { width: readInteger(name, found[1]!, 1, sideMax), height: readInteger(name, found[2]!, 1, sideMax) };
}

/** An http(s) URL without path, or UsageError. */
export function readUrl(name: string, text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`--${name} must be a URL such as http://127.0.0.1:8787, not '${text}'`);
  }
  if (!['http:', 'https:'].includes(url.protocol)) throw new UsageError(`--${name} must start with http:// or https://`);
  return url.origin;
}
