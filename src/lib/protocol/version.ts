/**
 * What the two ends of the control socket say when they are of different versions. Of a message of another
 * version only its type, id and version are read, which no version changes; everything else of it may
 * have another meaning.
 */
import * as v from 'valibot';
import { PROTOCOL_VERSION } from './control.ts';
import { CONTROL_MESSAGE_BYTES_MAX } from './limits.ts';
import { count, positive } from './schema.ts';

const VersionedSchema = v.object({
  type: v.picklist(['hello', 'challenge']),
  id: v.optional(count(0x7fffffff), 0),
  version: positive(1_000_000),
});

export interface Versioned {
  /** Of a hello; 0 when it names none. */
  readonly id: number;
  readonly version: number;
}

/** @returns what a first message of another version says; null for every other message, of this version or of none. */
export function otherVersion(text: string, type: 'hello' | 'challenge'): Versioned | null {
  if (text.length > CONTROL_MESSAGE_BYTES_MAX) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const found = v.safeParse(VersionedSchema, value);
  if (!found.success || found.output.type !== type || found.output.version === PROTOCOL_VERSION) return null;
  return { id: found.output.id, version: found.output.version };
}

/** For the person at the peer. @param coordinator the version that the coordinator speaks, @param peer that of the peer. */
export function versionSentence(coordinator: number, peer: number): string {
  const versions = `The coordinator speaks version ${coordinator} of the protocol, this program version ${peer}`;
  return peer < coordinator
    ? `${versions}: reload the page, or update the program.`
    : `${versions}: whoever runs the coordinator has to update it.`;
}
