/**
 * Messages between a log and its witnesses on the control socket: the bodies are those of
 * c2sp.org/tlog-witness `add-checkpoint`, because a tab can't be reached over HTTP.
 */
import * as v from 'valibot';
import { NOTE_CHARS_MAX } from './limits.ts';
import { count } from './schema.ts';

/** Coordinator → checker: the request's body, with a consistency proof from what this witness cosigned last. */
export const CheckpointMessageSchema = v.strictObject({
  type: v.literal('checkpoint'),
  body: v.pipe(v.string(), v.maxLength(NOTE_CHARS_MAX)),
});

/** Checker → coordinator: the answer's status and body. */
export const CosignedMessageSchema = v.strictObject({
  type: v.literal('cosigned'),
  id: count(0x7fffffff),
  status: v.picklist([200, 400, 403, 404, 409, 422]),
  /** Signature lines for 200; for 409 the size that the witness cosigned last; else empty. */
  body: v.pipe(v.string(), v.maxLength(1_000)),
});
export type CosignedMessage = v.InferOutput<typeof CosignedMessageSchema>;
