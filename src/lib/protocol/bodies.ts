/**
 * Bodies of signed envelopes (envelope.ts), one schema per purpose: the only messages that change state. Every
 * field is bounded; unknown fields are refused.
 */
import * as v from 'valibot';
import { JOB_LEASES_MAX, QUIET_TILES_MAX, SHOWN_DIFFERING_BYTES_MAX, SHOWN_PROOF_BYTES_MAX, SHOWN_SIGNATURES_BYTES_MAX } from './limits.ts';
import { JobOrderSchema } from './order.ts';
import { CORRUPTIONS, count, hex32, id16, leafBits, leafWeights, shortText, signedPpm, VERDICT_REASONS } from './schema.ts';

/** Purpose `grant`: a newcomer's first tokens, against a proof of work over its own key. */
export const GrantBodySchema = v.strictObject({
  /** 8 bytes, hex: SHA-256(key ‖ work) starts with the policy's zero bits. */ work: v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/)),
});

/** Purpose `job.submit`. */
export const JobSubmitBodySchema = v.strictObject({ order: JobOrderSchema });

/** Purpose `job.cancel`. */
export const JobCancelBodySchema = v.strictObject({ job: id16 });

/** Purpose `job.quiet`: these tiles are as quiet as their creator wants them; no more of their passes is leased. */
export const JobQuietBodySchema = v.strictObject({
  job: id16,
  tiles: v.pipe(v.array(count(JOB_LEASES_MAX)), v.minLength(1), v.maxLength(QUIET_TILES_MAX)),
});
export type JobQuietBody = v.InferOutput<typeof JobQuietBodySchema>;

/** Purpose `lease.commit`: logged before any leaf is drawn. */
export const LeaseCommitBodySchema = v.strictObject({
  lease: id16,
  root: hex32,
  segments: count(Number.MAX_SAFE_INTEGER),
  sceneRoot: hex32,
  /** SHA-256 of the linked WGSL that traced it. */
  shader: hex32,
  adapterClass: shortText,
  traceMs: count(86_400_000),
  /** What each leaf can tell (trust/weights); absent only in logs from before. */
  weights: v.optional(leafWeights),
});
export type LeaseCommitBody = v.InferOutput<typeof LeaseCommitBodySchema>;

/**
 * Purpose `film.receipt`: the creator has the film and it hashes to the committed root, or does not,
 * or the film has not come within FILM_WAIT_MS_MAX of its commitment or of the last such word.
 */
export const FilmReceiptBodySchema = v.strictObject({
  lease: id16,
  root: hex32,
  verdict: v.picklist(['received', 'corrupt', 'missing']),
});
export type FilmReceiptBody = v.InferOutput<typeof FilmReceiptBodySchema>;

const bytes = (max: number) => v.pipe(v.instance(Uint8Array), v.maxLength(max));

/** A leaf that a checker traced before the film was opened to it (trust/retrace). */
const ShownSchema = v.strictObject({
  signatures: bytes(SHOWN_SIGNATURES_BYTES_MAX),
  path: bytes(SHOWN_PROOF_BYTES_MAX),
  differing: bytes(SHOWN_DIFFERING_BYTES_MAX),
  light: v.pipe(v.instance(Uint8Array), v.length(32)),
  filmPath: bytes(SHOWN_PROOF_BYTES_MAX),
});

/** Purpose `check.retrace`: the root over a checker's own signatures of the drawn leaves, before the film is opened to it. */
export const CheckRetraceBodySchema = v.strictObject({ lease: id16, nonceCommitment: hex32, root: hex32 });
export type CheckRetraceBody = v.InferOutput<typeof CheckRetraceBodySchema>;

/** Purpose `check.verdict`. */
export const CheckVerdictBodySchema = v.strictObject({
  lease: id16,
  root: hex32,
  /** The nonce behind the commitment that this check was drawn with. */
  nonce: hex32,
  verdict: v.picklist(['pass', 'fail', 'unavailable']),
  reason: v.picklist(VERDICT_REASONS),
  /** Of the drawn leaves that can tell anything (trust/weights). */
  paths: count(Number.MAX_SAFE_INTEGER),
  pathsEqual: count(Number.MAX_SAFE_INTEGER),
  pixelsWrong: count(0xffffffff),
  segments: count(Number.MAX_SAFE_INTEGER),
  adapterClass: shortText,
  /** (claimed − traced) / (claimed + traced) light of the drawn leaves; absent is none. */
  biasPpm: v.optional(signedPpm),
  /** Only in a pass that follows a `check.retrace`. */
  shown: v.optional(ShownSchema),
});
export type CheckVerdictBody = v.InferOutput<typeof CheckVerdictBodySchema>;

/**
 * Purpose `drill.seal`: a worker that was asked for a false film says, before it commits to it, that this
 * root is one and which leaves tell. Kept secret until a checker has spoken (trust/drill).
 */
export const DrillSealBodySchema = v.strictObject({ lease: id16, root: hex32, kind: v.picklist(CORRUPTIONS), tells: leafBits });
export type DrillSealBody = v.InferOutput<typeof DrillSealBodySchema>;

/** Purpose `lease.appeal`: the worker of a lease that checks voided asks people to look. Once per lease. */
export const LeaseAppealBodySchema = v.strictObject({ lease: id16, text: shortText });
export type LeaseAppealBody = v.InferOutput<typeof LeaseAppealBodySchema>;

/** Purpose `review.word`: what a person says of a case (trust/review). Once per lease and key; `accept` means that the film is what was ordered. */
export const ReviewWordBodySchema = v.strictObject({
  lease: id16,
  root: hex32,
  word: v.picklist(['accept', 'reject', 'unsure']),
  reason: shortText,
});
export type ReviewWordBody = v.InferOutput<typeof ReviewWordBodySchema>;
