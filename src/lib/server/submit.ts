/**
 * Signed state changes. Every envelope is opened (form, network, purpose, signature), its body parsed,
 * and applied once: its hash and result are stored in the same transaction, so that a replay is
 * answered as the first time and changes nothing. A refused envelope leaves no trace.
 */
import { eq } from 'drizzle-orm';
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { MINT } from '../ledger/leaf.ts';
import { concat, fromHex } from '../protocol/bytes.ts';
import {
  CheckRetraceBodySchema,
  CheckVerdictBodySchema,
  DrillSealBodySchema,
  FilmReceiptBodySchema,
  GrantBodySchema,
  JobCancelBodySchema,
  JobQuietBodySchema,
  JobSubmitBodySchema,
  LeaseAppealBodySchema,
  LeaseCommitBodySchema,
  ReviewWordBodySchema,
} from '../protocol/bodies.ts';
import { open, type Envelope, type EnvelopeFault, type Purpose } from '../protocol/envelope.ts';
import { ENVELOPE_AGE_MS_MAX } from '../protocol/limits.ts';
import { id16 } from '../protocol/schema.ts';
import { appeal, recordWord } from './appeals.ts';
import { sealDrill } from './drills.ts';
import { recordRetrace } from './retraces.ts';
import { recordVerdict } from './verdicts.ts';
import { refuse, type Core, type Refusal } from './core.ts';
import { closeJob } from './closing.ts';
import { openJob, orderOf, type Request } from './jobs.ts';
import { nodeVerify } from './keys.ts';
import { commitLease, leaseView } from './leases.ts';
import { post } from './ledger.ts';
import { barred } from './lists.ts';
import { commit, type Notices } from './notices.ts';
import { recordQuiet } from './quiet.ts';
import { judgedSinceMs } from './records.ts';
import { askDelivery, recordReceipt } from './settle.ts';
import { entries } from './store/schema.ts';
import type { Tx } from './store/store.ts';

export type SubmitOutcome = { readonly ok: true; readonly ref: string } | Refusal;

interface Step {
  readonly core: Core;
  readonly tx: Tx;
  readonly notices: Notices;
  readonly request: Request;
}

type Apply<T> = (step: Step, body: T) => Promise<SubmitOutcome>;

/** Parses the body at the edge, then trusts the type. */
function handler<T>(schema: v.GenericSchema<unknown, T>, apply: Apply<T>): (step: Step, body: unknown) => Promise<SubmitOutcome> {
  return async (step, body) => {
    const parsed = v.safeParse(schema, body);
    if (parsed.success) return apply(step, parsed.output);
    const issue = parsed.issues[0];
    const path = v.getDotPath(issue);
    return refuse('body-malformed', `The request is malformed${path ? ` at ${path}` : ''}: ${issue.message}.`.slice(0, 500));
  };
}

const handlers: Record<Purpose, (step: Step, body: unknown) => Promise<SubmitOutcome>> = {
  grant: handler(GrantBodySchema, grant),
  'job.submit': handler(JobSubmitBodySchema, async ({ core, tx, notices, request }, { order }) => {
    const outcome = await openJob(core, tx, request, order);
    if (!outcome.ok) return outcome;
    notices.job(outcome.ref);
    notices.balance(request.key);
    return outcome;
  }),
  'job.cancel': handler(JobCancelBodySchema, cancel),
  'job.quiet': handler(JobQuietBodySchema, ({ core, tx, notices, request }, body) => recordQuiet(core, tx, notices, request, body)),
  'lease.commit': handler(LeaseCommitBodySchema, async ({ core, tx, notices, request }, body) => {
    const outcome = await commitLease(core, tx, request, body);
    if (outcome.ok) await announce(core, tx, notices, body.lease);
    return outcome;
  }),
  'film.receipt': handler(FilmReceiptBodySchema, ({ core, tx, notices, request }, body) => recordReceipt(core, tx, notices, request, body)),
  'check.retrace': handler(CheckRetraceBodySchema, ({ core, tx, notices, request }, body) =>
    recordRetrace(core, tx, notices, request, body),
  ),
  'check.verdict': handler(CheckVerdictBodySchema, ({ core, tx, notices, request }, body) =>
    recordVerdict(core, tx, notices, request, body),
  ),
  'drill.seal': handler(DrillSealBodySchema, ({ tx, request }, body) => sealDrill(tx, request, body)),
  'lease.appeal': handler(LeaseAppealBodySchema, ({ core, tx, notices, request }, body) => appeal(core, tx, notices, request, body)),
  'review.word': handler(ReviewWordBodySchema, ({ core, tx, notices, request }, body) => recordWord(core, tx, notices, request, body)),
};

const FAULT_TEXT: Record<EnvelopeFault, string> = {
  'envelope-malformed': 'The signed request is malformed.',
  'envelope-network': 'The request was signed for another network.',
  'envelope-purpose': 'The request was signed for another purpose.',
  'envelope-signature': 'The signature does not match the request.',
};

/**
 * @param answer called with the outcome once it is durable, before anyone else is told.
 * @param entered called when it has its place among the writes: what is submitted after that comes after it.
 */
export async function submit(
  core: Core,
  envelope: Envelope,
  answer: (outcome: SubmitOutcome) => void,
  entered: () => void,
): Promise<SubmitOutcome> {
  const opened = await open(envelope, { network: core.network }, nodeVerify);
  if (!opened.ok) {
    core.counters.count(opened.reason);
    const refusal = refuse(opened.reason, FAULT_TEXT[opened.reason]);
    answer(refusal);
    return refusal;
  }
  const bar = barred(core.lists, envelope.key);
  if (bar) {
    core.counters.count(`refused-${bar.reason}`);
    answer(bar);
    return bar;
  }
  const { at, purpose, body } = opened.payload;
  const request = { hash: opened.hash, key: envelope.key, signed: envelope };
  const applied = commit(
    core,
    async (tx, notices) => {
      const known = await tx.rows.requests.get(request.hash);
      if (known) return { ok: true, ref: known.ref } as const;
      const nowMs = core.clock.nowMs();
      if (Math.abs(nowMs - at) > ENVELOPE_AGE_MS_MAX)
        return refuse('envelope-age', 'The request is too old, or this device’s clock is wrong by more than a day.');
      const result = await handlers[purpose]({ core, tx, notices, request }, body);
      if (result.ok)
        tx.rows.requests.put({
          hash: request.hash,
          key: request.key,
          purpose,
          ref: result.ref,
          payload: envelope.payload,
          sig: envelope.sig,
          atMs: nowMs,
        });
      return result;
    },
    {
      request: request.hash,
      key: request.key,
      ...leaseIn(body),
      ...(purpose === 'check.verdict' ? { judgedSinceMs: judgedSinceMs(core), observed: true } : {}),
    },
    answer,
  );
  // A commitment must not stand whose seal was lost with its connection.
  if (purpose !== 'drill.seal') entered();
  const outcome = await applied;
  if (!outcome.ok) core.counters.count(`refused-${outcome.reason}`);
  return outcome;
}

/** Which lease a body speaks of, before it is parsed. */
const leaseIn = (body: unknown): { lease?: string } =>
  body !== null && typeof body === 'object' && 'lease' in body && v.is(id16, body.lease) ? { lease: body.lease } : {};

/** Leading zero bits of SHA-256(key ‖ work). */
export function workBits(key: string, work: string): number {
  const digest = createHash('sha256')
    .update(concat(fromHex(key), fromHex(work)))
    .digest();
  let bits = 0;
  for (const byte of digest) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24;
    bits += 8;
  }
  return bits;
}

async function grant({ core, tx, notices, request }: Step, { work }: v.InferOutput<typeof GrantBodySchema>): Promise<SubmitOutcome> {
  const db = await tx.sql();
  const [before] = await db.select({ id: entries.id, kind: entries.kind }).from(entries).where(eq(entries.account, request.key));
  if (before) return refuse('grant-taken', 'This key has had its first tokens already.');
  if (workBits(request.key, work) < core.policy.grantWorkBits) return refuse('grant-work', 'The proof of work falls short.');
  const micro = BigInt(core.policy.grantMicro);
  await post(tx, {
    kind: 'grant',
    account: request.key,
    request: request.hash,
    signed: request.signed,
    atMs: core.clock.nowMs(),
    postings: [
      [MINT, -micro],
      [request.key, micro],
    ],
  });
  notices.balance(request.key);
  return { ok: true, ref: request.hash };
}

async function cancel(
  { core, tx, notices, request }: Step,
  { job: id }: v.InferOutput<typeof JobCancelBodySchema>,
): Promise<SubmitOutcome> {
  const job = await tx.rows.jobs.get(id);
  if (job?.creator !== request.key) return refuse('job-unknown', 'You have no such job.');
  if (job.state !== 'open') return refuse('job-over', `This job is already ${job.state}.`);
  await closeJob(core, tx, notices, id, 'cancelled', 'cancelled by its creator');
  return { ok: true, ref: request.hash };
}

/** A commitment is durable: the creator may expect the film and the worker may send it. */
async function announce(core: Core, tx: Tx, notices: Notices, id: string): Promise<void> {
  const lease = (await tx.rows.leases.get(id))!;
  const job = (await tx.rows.jobs.get(lease.job))!;
  notices.toPeer(core.sessions.creatorOf(job)?.peer, {
    type: 'committed',
    lease: leaseView(lease, orderOf(job)),
    root: lease.root!,
    workerPeer: lease.workerPeer,
  });
  askDelivery(core, notices, lease, job);
  notices.job(job.id);
  notices.balance(lease.worker);
}
