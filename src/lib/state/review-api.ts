/** What the review page asks the coordinator over HTTP, parsed before anybody believes it. */
import * as v from 'valibot';
import { ReviewQueueSchema, type ReviewQueue } from '../trust/review.ts';

const TIMEOUT_MS = 10_000;
const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** More may be told of a key than this page shows. */
const RecordSchema = v.object({
  worker: v.object({ passes: whole, faults: whole, doubts: whole, reputation: whole, blocked: v.boolean() }),
  checker: v.object({
    good: whole,
    goodRight: whole,
    bad: whole,
    badRight: whole,
    answered: whole,
    missed: whole,
    accuracy: whole,
    presence: whole,
    payFactor: whole,
    drawn: v.boolean(),
  }),
});
export type KeyRecord = v.InferOutput<typeof RecordSchema>;
export type WorkerFigures = KeyRecord['worker'];
export type CheckerFigures = KeyRecord['checker'];

/** @throws Error when the coordinator does not answer, or says something else than it should. */
export async function ask<T>(signal: AbortSignal, path: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
  const response = await fetch(path, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  const parsed = v.safeParse(schema, await response.json());
  if (!parsed.success) throw new Error(`${path}: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}

export const askQueue = (signal: AbortSignal): Promise<ReviewQueue> => ask(signal, '/api/review', ReviewQueueSchema);

export const askRecord = (signal: AbortSignal, key: string): Promise<KeyRecord> => ask(signal, `/api/standing/${key}`, RecordSchema);
