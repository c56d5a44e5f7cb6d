/** The one way calls of the embedding entry fail: a code for programs and a sentence for people. */
import type { PictorError } from './api.ts';

export class Problem extends Error implements PictorError {
  override readonly name = 'PictorError';
  readonly code: PictorError['code'];

  constructor(code: PictorError['code'], sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** @throws Problem naming `what` unless `value` is a number within the bounds. */
export function requireNumber(what: string, value: number, least: number, most: number, whole: boolean): number {
  if (typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
  throw new Problem('bad-argument', `${what} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not ${String(value)}.`);
}
