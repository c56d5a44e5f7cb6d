/**
 * The leaves of the transparency log: one closed union, canonical CBOR on the wire and in the tree.
 * Amounts are decimal strings of micro-tokens. A leaf that somebody asked for holds the envelope they
 * signed, so that replay can tell a coordinator's word from theirs; `request` is its hash. Leaves
 * name keys and hashes, never people or addresses; a signed order brings the title its creator chose.
 */
import * as v from 'valibot';
import { decodeCanonical, encodeCanonical } from '../protocol/canonical.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { EnvelopeSchema } from '../protocol/envelope.ts';
import {
  BEACON_CHAIN_LENGTH,
  CHECK_NONCES_PER_CHECKER_MAX,
  LEAVES_PER_CHALLENGE_MAX,
  LEAVES_PER_TILE_MAX,
  QUIET_TILES_MAX,
} from '../protocol/limits.ts';
import { count, hex32, id16, leafWeights, microTokens, shortText, signedPpm } from '../protocol/schema.ts';
import { RoundSchema } from '../market/rounds.ts';
import { TrustRulesSchema } from '../trust/rules.ts';

export const ENTRY_KINDS = ['grant', 'escrow', 'settle', 'refund', 'forfeit', 'release', 'drill', 'restore'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export const MINT = 'mint';
export const TREASURY = 'treasury';
/** Fees that checkers did not earn. */
export const CHECKERS = 'checkers';
export const escrowOf = (job: string): string => `escrow:${job}`;
/** A worker's earnings that are held back. */
export const heldOf = (worker: string): string => `held:${worker}`;

const account = v.pipe(v.string(), v.regex(/^(mint|treasury|checkers|escrow:[0-9a-f]{32}|(held:)?[0-9a-f]{64})$/));
const signedMicro = v.pipe(v.string(), v.regex(/^(0|-?[1-9][0-9]{0,18})$/));
const atMs = count(Number.MAX_SAFE_INTEGER);
const big = count(Number.MAX_SAFE_INTEGER);

export const LogLeafSchema = v.variant('type', [
  /** Leaf 0: whose log this is. */
  v.strictObject({ type: v.literal('genesis'), network: shortText, key: hex32, atMs }),
  /** What trust turns on from here; before the first such leaf, checks draw what their jobs say and nothing is held back. */
  v.strictObject({ type: v.literal('rules'), ...TrustRulesSchema.entries, atMs }),
  /** A round of the market: what stood, nameless, and what was made of it. */
  v.strictObject({ type: v.literal('round'), ...RoundSchema.entries, atMs }),
  /** A hash chain's end: later draws reveal its preimages one by one. */
  v.strictObject({ type: v.literal('beacon'), chain: count(0x7fffffff), end: hex32, length: count(BEACON_CHAIN_LENGTH) }),
  /** A checker's commitments to nonces, before any draw that uses them. */
  v.strictObject({
    type: v.literal('nonces'),
    checker: hex32,
    commitments: v.pipe(v.array(hex32), v.maxLength(CHECK_NONCES_PER_CHECKER_MAX)),
  }),
  /** A double entry; `request` is the hash of the signed envelope that caused it, held here by a grant and by its job for an escrow. */
  v.strictObject({
    type: v.literal('entry'),
    kind: v.picklist(ENTRY_KINDS),
    job: v.nullable(id16),
    lease: v.nullable(id16),
    request: v.nullable(hex32),
    signed: v.nullable(EnvelopeSchema),
    postings: v.pipe(v.array(v.strictTuple([account, signedMicro])), v.maxLength(16)),
    atMs,
  }),
  v.strictObject({
    type: v.literal('job'),
    job: id16,
    creator: hex32,
    /** SHA-256 of the order's canonical CBOR. */
    order: hex32,
    capMicro: microTokens,
    pricePerWorkUnitMicro: microTokens,
    checkerShare: count(1000),
    feeShare: count(1000),
    paths: big,
    /** How many leaves every check of this job draws. */
    leaves: count(LEAVES_PER_CHALLENGE_MAX),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  /** The creator wants no more samples of these tiles. */
  v.strictObject({
    type: v.literal('quiet'),
    job: id16,
    tiles: v.pipe(v.array(big), v.minLength(1), v.maxLength(QUIET_TILES_MAX)),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  v.strictObject({
    type: v.literal('commitment'),
    lease: id16,
    job: id16,
    slot: big,
    worker: hex32,
    root: hex32,
    /** Root of the scene it was traced from. */
    sceneRoot: hex32,
    segments: big,
    /** The market's round at whose price it was leased; absent where its job's terms say the price. */
    round: v.optional(big),
    paths: big,
    /** How many leaves `root` is over. */
    leaves: count(0xffff),
    shader: hex32,
    adapterClass: shortText,
    /** What each leaf can tell; absent in leaves from before it was committed to. */
    weights: v.optional(leafWeights),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  v.strictObject({
    type: v.literal('draw'),
    lease: id16,
    checker: hex32,
    nonceCommitment: hex32,
    chain: count(0x7fffffff),
    beacon: hex32,
    count: count(LEAVES_PER_TILE_MAX),
    /** Chance that all leaves are drawn. */
    auditPpm: v.optional(count(1_000_000)),
    /** Of a drill, its seal bound to this draw (trust/drill); random otherwise. */
    sealed: v.optional(hex32),
    atMs,
  }),
  /** A checker commits to its own trace before the film is opened to it; `beacon` says which leaf its pass must show (trust/retrace). */
  v.strictObject({
    type: v.literal('retraced'),
    lease: id16,
    checker: hex32,
    nonceCommitment: hex32,
    root: hex32,
    chain: count(0x7fffffff),
    beacon: hex32,
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  /** The seal of a drill is opened: the verdict that follows is graded by it, and the lease is void. */
  v.strictObject({ type: v.literal('drill'), lease: id16, request: hex32, signed: EnvelopeSchema, atMs }),
  /** A worker's appeal, what people say of it, and what comes of that. */
  v.strictObject({ type: v.literal('appeal'), lease: id16, request: hex32, signed: EnvelopeSchema, atMs }),
  v.strictObject({
    type: v.literal('word'),
    lease: id16,
    /** One of the operator's own reviewers: decides alone. */
    house: v.boolean(),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  v.strictObject({ type: v.literal('appealed'), lease: id16, outcome: v.picklist(['granted', 'denied']), atMs }),
  v.strictObject({
    type: v.literal('verdict'),
    lease: id16,
    checker: hex32,
    root: hex32,
    nonce: hex32,
    /** Indices of the leaves that beacon, nonce, lease and root imply. */
    drawn: v.pipe(v.array(count(0xffff)), v.maxLength(LEAVES_PER_TILE_MAX)),
    verdict: v.picklist(['pass', 'fail', 'unavailable']),
    reason: shortText,
    paths: big,
    pathsEqual: big,
    pixelsWrong: big,
    biasPpm: v.optional(signedPpm),
    adapterClass: v.optional(shortText),
    /** Its signed word shows a leaf of the checker's own trace (trust/retrace). */
    shows: v.optional(v.literal(true)),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  v.strictObject({
    type: v.literal('receipt'),
    lease: id16,
    root: hex32,
    verdict: v.picklist(['received', 'corrupt', 'missing']),
    request: hex32,
    signed: EnvelopeSchema,
    atMs,
  }),
  /** A verified lease is settled though its creator never said that it has the film: it said nothing, or closed the job. */
  v.strictObject({ type: v.literal('waiver'), lease: id16, atMs }),
  /** A drawn check was not answered in its time. */
  v.strictObject({ type: v.literal('missed'), lease: id16, checker: hex32, nonceCommitment: hex32, atMs }),
  /** A second audit was due and nobody was there to make it: the coordinator's word alone. */
  v.strictObject({ type: v.literal('alone'), lease: id16, atMs }),
  v.strictObject({ type: v.literal('void'), lease: id16, reason: shortText, atMs }),
  /** The job's last word; what is left in escrow goes back by a `refund` entry. */
  v.strictObject({ type: v.literal('closed'), job: id16, state: v.picklist(['done', 'cancelled', 'failed']), atMs }),
]);
export type LogLeaf = v.InferOutput<typeof LogLeafSchema>;
export type Leaf<T extends LogLeaf['type']> = Extract<LogLeaf, { type: T }>;

export const encodeLeaf = (leaf: LogLeaf): Bytes => encodeCanonical(leaf);

/** By the leaf's type: asking one kind after the other took as long as all else of the parsing. */
const schemas = new Map<unknown, v.GenericSchema<unknown, LogLeaf>>(
  LogLeafSchema.options.map((schema) => [schema.entries.type.literal, schema]),
);

/** @returns null unless `bytes` are the canonical form of exactly one known leaf. */
export function decodeLeaf(bytes: Uint8Array): LogLeaf | null {
  const value = decodeCanonical(bytes) as { readonly type?: unknown } | null | undefined;
  const schema = schemas.get(value?.type);
  const parsed = schema && v.safeParse(schema, value);
  return parsed?.success ? parsed.output : null;
}
