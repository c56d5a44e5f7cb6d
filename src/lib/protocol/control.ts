/**
 * Messages of the control socket (`/control`), JSON, parsed at the edge into closed unions. A client
 * request carries `id`; exactly one `ack` or `refused` with that id answers it. Anything else from
 * the server is an event. State changes travel as signed envelopes (bodies.ts); everything else is presence and may be lost. Pixels and scenes never pass here.
 */
import * as v from 'valibot';
import { EnvelopeSchema } from './envelope.ts';
import {
  CHECK_NONCES_PER_CHECKER_MAX,
  CONTROL_MESSAGE_BYTES_MAX,
  JOB_LEASES_MAX,
  LEAVES_PER_CHALLENGE_MAX,
  LEAVES_PER_TILE_MAX,
} from './limits.ts';
import { JobOrderSchema } from './order.ts';
import { CORRUPTIONS, count, finite, hex32, hex64, id16, leafWeights, microTokens, peerId, shortText } from './schema.ts';
import { CheckpointMessageSchema, CosignedMessageSchema } from './witness.ts';

/**
 * Grows with every change after which a peer or a coordinator of the version before would refuse or misread a
 * message, an order or a film of this one. Ends of different versions part with a sentence (version.ts).
 */
export const PROTOCOL_VERSION = 5;

export const ROLES = ['creator', 'worker', 'checker'] as const;
export type Role = (typeof ROLES)[number];

/** What kind of device traces; adapter classes are compared, not trusted. */
export const AdapterSchema = v.strictObject({
  /** `<vendor>/<architecture>/<front end>`, for example `google/swiftshader/tint`. */
  class: shortText,
  name: shortText,
  software: v.boolean(),
});
export type Adapter = v.InferOutput<typeof AdapterSchema>;

/** When a checker traces before it sees. */
export const TRACE_FIRST = ['never', 'whole', 'always'] as const;

// ---- client → coordinator ------------------------------------------------------------------

const id = count(0x7fffffff);
/** See trust/capability: shown to peers when asking for the job's blobs. */
const capability = v.pipe(v.string(), v.maxLength(600));
/** See trust/capability: shown to a worker when asking for leaves of its film. */
const permit = v.pipe(v.string(), v.maxLength(600));

export const ClientMessageSchema = v.variant('type', [
  /** First message; `proof` is the Ed25519 signature over `helloBytes(challenge, peer)`. */
  v.strictObject({
    type: v.literal('hello'),
    id,
    version: v.literal(PROTOCOL_VERSION),
    key: hex32,
    peer: peerId,
    proof: hex64,
    roles: v.pipe(v.array(v.picklist(ROLES)), v.maxLength(ROLES.length)),
    adapter: v.nullable(AdapterSchema),
  }),
  v.strictObject({ type: v.literal('ping'), id }),
  /** A signed state change; the envelope's purpose says which. Idempotent. */
  v.strictObject({ type: v.literal('submit'), id, envelope: EnvelopeSchema }),
  /** Follow (and, for its creator, serve) a job; answers with `job` events from now on. */
  v.strictObject({ type: v.literal('watch'), id, job: id16 }),
  /** Blobs this peer can serve whole, by manifest hash; replaces what it said before. */
  v.strictObject({ type: v.literal('have'), id, blobs: v.pipe(v.array(hex32), v.maxLength(64)) }),
  /** A worker's standing ask: how many more leases it takes now. Zero finishes and rests. */
  v.strictObject({
    type: v.literal('ask'),
    id,
    leases: count(16),
    /** Of blobs. */
    bytesMax: count(Number.MAX_SAFE_INTEGER),
    /** Of compiled scenes on the device, in all and in one buffer (JobOrder.sceneNeeds). */
    holds: v.strictObject({ bytes: count(Number.MAX_SAFE_INTEGER), bindingBytes: count(Number.MAX_SAFE_INTEGER) }),
    /** The least it takes for a work unit; without it, the operator's price. */
    priceMicro: v.optional(microTokens),
  }),
  v.strictObject({ type: v.literal('progress'), id, lease: id16, done: v.pipe(finite, v.minValue(0), v.maxValue(1)) }),
  /** Give a lease back unfinished: it moves to another worker at once. */
  v.strictObject({
    type: v.literal('yield'),
    id,
    lease: id16,
    /** `cost-understated`: the scene takes more than the order pays for (JobOrder.costPerMille). */
    reason: v.picklist(['stopped', 'device-lost', 'scene-unavailable', 'scene-too-big', 'scene-differs', 'cost-understated']),
  }),
  /** A checker's presence, with fresh commitments to nonces; an empty list keeps those already given. */
  v.strictObject({
    type: v.literal('check-ready'),
    id,
    checks: count(16),
    nonceCommitments: v.pipe(v.array(hex32), v.maxLength(CHECK_NONCES_PER_CHECKER_MAX)),
  }),
  /** A reviewer wants to see a case of the queue: answered by a `case` event. */
  v.strictObject({ type: v.literal('look'), id, lease: id16 }),
  CosignedMessageSchema,
]);
export type ClientMessage = v.InferOutput<typeof ClientMessageSchema>;

// ---- coordinator → client ------------------------------------------------------------------

export const JOB_STATES = ['open', 'done', 'cancelled', 'failed'] as const;

export const JobViewSchema = v.strictObject({
  job: id16,
  title: shortText,
  creator: hex32,
  state: v.picklist(JOB_STATES),
  /** Why it waits or ended, for people; empty while all is well. */
  reason: shortText,
  leases: count(JOB_LEASES_MAX),
  /** Verified, received and paid. */
  settled: count(JOB_LEASES_MAX),
  /** Delivered, not yet settled. */
  committed: count(JOB_LEASES_MAX),
  leased: count(JOB_LEASES_MAX),
  /** Leases done again after a fault or a failed check. */
  redone: count(Number.MAX_SAFE_INTEGER),
  workers: count(1_000_000),
  checks: count(Number.MAX_SAFE_INTEGER),
  segments: count(Number.MAX_SAFE_INTEGER),
  capMicro: microTokens,
  spentMicro: microTokens,
});
export type JobView = v.InferOutput<typeof JobViewSchema>;

export const LeaseSchema = v.strictObject({
  lease: id16,
  job: id16,
  tile: count(JOB_LEASES_MAX),
  /** Index into passes(order). */
  pass: count(JOB_LEASES_MAX),
  /** 1 for the first try; a voided or expired lease is granted again under a new id. */
  attempt: count(1_000),
});
export type Lease = v.InferOutput<typeof LeaseSchema>;

export const NetworkViewSchema = v.strictObject({
  workers: count(10_000_000),
  checkers: count(10_000_000),
  creators: count(10_000_000),
  jobsOpen: count(10_000_000),
  leasesRunning: count(10_000_000),
});
export type NetworkView = v.InferOutput<typeof NetworkViewSchema>;

export const PolicySchema = v.strictObject({
  /** Micro-tokens per 10^9 segments. */
  pricePerWorkUnitMicro: microTokens,
  /** Parts per thousand of a settled lease; the worker gets the rest. */
  checkerShare: count(1000),
  feeShare: count(1000),
  grantMicro: microTokens,
  /** Leading zero bits of SHA-256(key ‖ work). */
  grantWorkBits: count(40),
  leavesPerCheck: count(LEAVES_PER_CHALLENGE_MAX),
});
export type Policy = v.InferOutput<typeof PolicySchema>;

export const ServerMessageSchema = v.variant('type', [
  v.strictObject({ type: v.literal('challenge'), challenge: hex32, network: shortText, version: v.literal(PROTOCOL_VERSION) }),
  v.strictObject({
    type: v.literal('ack'),
    id,
    /** Result of a `submit`: the job's id for `job.submit`, else the envelope's hash. */
    ref: v.optional(v.string()),
  }),
  v.strictObject({
    type: v.literal('refused'),
    id,
    reason: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)),
    text: v.pipe(v.string(), v.maxLength(500)),
  }),
  /** Answer to `hello`. */
  v.strictObject({
    type: v.literal('welcome'),
    id,
    coordinatorKey: hex32,
    policy: PolicySchema,
    iceServers: v.array(v.strictObject({ urls: v.string(), username: v.optional(v.string()), credential: v.optional(v.string()) })),
    timeMs: count(Number.MAX_SAFE_INTEGER),
  }),
  v.strictObject({ type: v.literal('network'), view: NetworkViewSchema }),
  /** Own balance: spendable, and what waits for settlement. */
  v.strictObject({ type: v.literal('balance'), balanceMicro: microTokens, pendingMicro: microTokens }),
  v.strictObject({ type: v.literal('job'), view: JobViewSchema }),
  /** To a worker. `sources` are peers that hold the job's blobs, the creator first. */
  v.strictObject({
    type: v.literal('grant'),
    lease: LeaseSchema,
    order: JobOrderSchema,
    creator: hex32,
    deadlineMs: count(Number.MAX_SAFE_INTEGER),
    sources: v.pipe(v.array(peerId), v.maxLength(16)),
    capability,
    /** Trace it, spoil a copy like this, and commit to the copy: who is drawn to check it is being tested (trust/drill). */
    drill: v.nullable(
      v.strictObject({ kind: v.picklist(CORRUPTIONS), strength: v.pipe(finite, v.minValue(0), v.maxValue(64)), seed: count(0xffffffff) }),
    ),
  }),
  v.strictObject({ type: v.literal('recalled'), lease: id16, reason: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)) }),
  /** To a worker: deliver (or deliver again) this committed film to the creator, who is at `creatorPeer` now. */
  v.strictObject({ type: v.literal('deliver'), lease: id16, creatorPeer: peerId }),
  /** To the creator: a film with this root is coming from `workerPeer`. */
  v.strictObject({ type: v.literal('committed'), lease: LeaseSchema, root: hex32, workerPeer: peerId }),
  /** To creator and worker: verified, received, paid. The worker may forget the film. */
  v.strictObject({ type: v.literal('settled'), lease: id16, paidMicro: microTokens }),
  /** To creator and worker: void after a failed check or a corrupt delivery; a creator drops its pixels. */
  v.strictObject({ type: v.literal('voided'), lease: id16, reason: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,64}$/)) }),
  /** To a checker. It opens the leaves at `workerPeer`, who holds them until settled. */
  v.strictObject({
    type: v.literal('check'),
    lease: LeaseSchema,
    order: JobOrderSchema,
    root: hex32,
    segments: count(Number.MAX_SAFE_INTEGER),
    nonceCommitment: hex32,
    beacon: hex32,
    /** How many leaves are drawn (trust/draw), with this chance all of them. */
    leaves: count(LEAVES_PER_TILE_MAX),
    auditPpm: count(1_000_000),
    /** What the worker said each leaf can tell; null where it said nothing. */
    weights: v.nullable(leafWeights),
    workerPeer: peerId,
    sources: v.pipe(v.array(peerId), v.maxLength(16)),
    capability,
    /** Must it trace before leaves are opened to it, whatever is drawn or when all of them are (trust/retrace)? */
    traceFirst: v.picklist(TRACE_FIRST),
    /** Lets it open as many leaves; null where it must trace first whatever is drawn. */
    permit: v.nullable(permit),
    deadlineMs: count(Number.MAX_SAFE_INTEGER),
  }),
  /** To a checker whose `check.retrace` stands in the log: it may open all leaves now, and shows the one that this beacon says. */
  v.strictObject({ type: v.literal('retraced'), lease: id16, nonceCommitment: hex32, beacon: hex32, permit }),
  CheckpointMessageSchema,
  /** To a checker: no longer needed. */
  v.strictObject({ type: v.literal('check-withdrawn'), lease: id16 }),
  /** To a reviewer, with which it asks for the light at `workerPeer` (film.open) and traces it again. */
  v.strictObject({
    type: v.literal('case'),
    lease: LeaseSchema,
    order: JobOrderSchema,
    root: hex32,
    workerPeer: peerId,
    sources: v.pipe(v.array(peerId), v.maxLength(16)),
    capability,
  }),
]);
export type ServerMessage = v.InferOutput<typeof ServerMessageSchema>;

const HELLO_DOMAIN = 'pictor hello v1';

/** What a client signs to prove its key to this coordinator, for this peer id and this connection. */
export const helloBytes = (network: string, challenge: string, peer: string): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${HELLO_DOMAIN}\n${network}\n${challenge}\n${peer}\n`) as Uint8Array<ArrayBuffer>;

function parse<T>(schema: v.GenericSchema<unknown, T>, text: string): T | null {
  if (text.length > CONTROL_MESSAGE_BYTES_MAX) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const result = v.safeParse(schema, value);
  return result.success ? result.output : null;
}

/** @returns null for anything that is not exactly one known message; the caller drops and counts it. */
export const parseClientMessage = (text: string): ClientMessage | null => parse(ClientMessageSchema, text);
export const parseServerMessage = (text: string): ServerMessage | null => parse(ServerMessageSchema, text);
