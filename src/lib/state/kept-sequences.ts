/** The sequences whose frames lie in this browser: by name, so that an empty desk can offer them without opening anything. */
import * as v from 'valibot';
import { recall, remember } from './remember.ts';

const KeptSchema = v.array(v.object({ sequence: v.string(), title: v.string(), frames: v.number() }));
export type KeptSequence = v.InferOutput<typeof KeptSchema>[number];

/** Newest first. */
export function keptSequences(): readonly KeptSequence[] {
  try {
    return v.parse(KeptSchema, JSON.parse(recall('browser', 'sequences') ?? '[]'));
  } catch {
    return [];
  }
}

export function noteSequence({ sequence, title, frames }: KeptSequence): void {
  write([{ sequence, title, frames }, ...keptSequences().filter((one) => one.sequence !== sequence)]);
}

export function forgetSequence(sequence: string): void {
  write(keptSequences().filter((one) => one.sequence !== sequence));
}

const write = (kept: readonly KeptSequence[]): void => remember('browser', 'sequences', kept.length > 0 ? JSON.stringify(kept) : null);
