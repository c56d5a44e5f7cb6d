/** Field schemas that several messages share. */
import * as v from 'valibot';

export const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'expected 64 hex digits'));
export const hex64 = v.pipe(v.string(), v.regex(/^[0-9a-f]{128}$/, 'expected 128 hex digits'));
/** Identifier of a job or lease: 16 bytes, hex. */
export const id16 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, 'expected 32 hex digits'));
/** Integer micro-tokens as a decimal string; never a float. */
export const microTokens = v.pipe(v.string(), v.regex(/^(0|[1-9][0-9]{0,18})$/, 'expected integer micro-tokens'));
export const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
export const positive = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
export const finite = v.pipe(v.number(), v.finite());
export const vec3 = v.strictTuple([finite, finite, finite]);
/** `<key hex>-<session, 8 hex>`: a PeerJS id that names the key it is bound to. */
export const peerId = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}-[0-9a-f]{8}$/));
/** What a database takes as text: no NUL and no half of a surrogate pair. */
export const shortText = v.pipe(v.string(), v.maxLength(200), v.regex(/^[^\0\p{Cs}]*$/u));
/** Half a byte per leaf of the largest tile, base64url (trust/weights). */
export const leafWeights = v.pipe(v.string(), v.maxLength(684), v.regex(/^[A-Za-z0-9_-]*$/));
/** A bit per leaf of the largest tile, base64url, the first in the lowest. */
export const leafBits = v.pipe(v.string(), v.maxLength(171), v.regex(/^[A-Za-z0-9_-]*$/));
export const signedPpm = v.pipe(v.number(), v.integer(), v.minValue(-1_000_000), v.maxValue(1_000_000));

/**
 * Why a checker judged as it did: what differed, or what it could not have. A film that a worker opens wrongly,
 * or refuses to, fails; only what never reached it is no verdict.
 */
export const REASONS_OF = {
  pass: ['agrees'],
  fail: ['size', 'signatures', 'light', 'not-finite', 'segments', 'weights', 'opening', 'refused'],
  unavailable: ['unreachable', 'scene'],
} as const;
export const VERDICT_REASONS = [...REASONS_OF.pass, ...REASONS_OF.fail, ...REASONS_OF.unavailable] as const;

/** Ways in which a film is false on purpose (trust/corruption). */
export const CORRUPTIONS = [
  'depth',
  'samples',
  'neighbour',
  'denoised',
  'upscaled',
  'skim',
  'random',
  'brighter',
  'segments',
  'forged',
  'replayed',
] as const;
