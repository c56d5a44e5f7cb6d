/**
 * Who signed a leaf. Jobs, commitments, receipts, retraces, verdicts and grants carry the envelope that caused
 * them; this opens it and holds the leaf to it, field by field. What a leaf must follow from besides
 * is the business of the replay.
 */
import * as v from 'valibot';
import { encodeCanonical, decodeCanonical } from '../protocol/canonical.ts';
import { fromBase64Url, sha256, toHex } from '../protocol/bytes.ts';
import {
  CheckRetraceBodySchema,
  CheckVerdictBodySchema,
  DrillSealBodySchema,
  FilmReceiptBodySchema,
  GrantBodySchema,
  JobQuietBodySchema,
  JobSubmitBodySchema,
  LeaseAppealBodySchema,
  LeaseCommitBodySchema,
  ReviewWordBodySchema,
} from '../protocol/bodies.ts';
import { open, type Envelope, type EnvelopeFault, type Purpose, type Verify } from '../protocol/envelope.ts';
import type { JobOrder } from '../protocol/order.ts';
import type { Leaf, LogLeaf } from './leaf.ts';

/** What a leaf claims that somebody signed. */
interface Claim {
  readonly envelope: Envelope;
  readonly request: string | null;
  readonly purpose: Purpose;
  /** Who must have signed, hex; null where only earlier leaves tell. */
  readonly key: string | null;
  /** Does the signed body say what the leaf says? */
  readonly agrees: (body: unknown) => boolean;
}

const FAULTS: Record<EnvelopeFault, string> = {
  'envelope-malformed': 'The signed request of the leaf is malformed.',
  'envelope-network': 'The request of the leaf was signed for another network.',
  'envelope-purpose': 'The request of the leaf was signed for another purpose.',
  'envelope-signature': 'The signature in the leaf does not match its request.',
};

/** @returns what is false about the leaf's signature, as a sentence, or null; leaves that nobody but the coordinator writes pass. */
export async function signatureFault(leaf: LogLeaf, network: string, verify?: Verify): Promise<string | null> {
  const claim = claimOf(leaf);
  if (!claim) return leaf.type === 'entry' && leaf.kind === 'grant' ? 'A grant that its key did not ask for.' : null;
  const { envelope, purpose } = claim;
  const opened = await open(envelope, { network, purpose }, verify);
  if (!opened.ok) return FAULTS[opened.reason];
  if (opened.hash !== claim.request) return 'The leaf names another request than the one it holds.';
  if (claim.key !== null && envelope.key !== claim.key) return 'The request of the leaf is signed by another key than the leaf names.';
  return claim.agrees(opened.payload.body) ? null : 'The leaf says something else than its signed request.';
}

/** The order that a job's creator signed, or null when there is none in the leaf; the signature is not looked at. */
export function orderIn(leaf: Leaf<'job'>): JobOrder | null {
  const bytes = fromBase64Url(leaf.signed.payload);
  const parsed = bytes && v.safeParse(v.object({ body: JobSubmitBodySchema }), decodeCanonical(bytes));
  return parsed?.success ? parsed.output.body.order : null;
}

/** What somebody signed, parsed; null when it is something else. The signature is not looked at. */
export function bodyIn<T>(signed: Envelope, schema: v.GenericSchema<unknown, T>): T | null {
  const bytes = fromBase64Url(signed.payload);
  const parsed = bytes && v.safeParse(v.object({ body: schema }), decodeCanonical(bytes));
  return parsed?.success ? (parsed.output as { body: T }).body : null;
}

function claimOf(leaf: LogLeaf): Claim | null {
  switch (leaf.type) {
    case 'job':
      return claim(leaf, 'job.submit', leaf.creator, JobSubmitBodySchema, ({ order }) => {
        return leaf.order === toHex(sha256(encodeCanonical(order))) && leaf.capMicro === order.capMicro;
      });
    case 'commitment':
      return claim(leaf, 'lease.commit', leaf.worker, LeaseCommitBodySchema, (body) =>
        same(leaf, body, ['lease', 'root', 'segments', 'sceneRoot', 'shader', 'adapterClass', 'weights']),
      );
    case 'quiet':
      return claim(leaf, 'job.quiet', null, JobQuietBodySchema, (body) => leaf.job === body.job && leaf.tiles.join() === body.tiles.join());
    case 'retraced':
      return claim(leaf, 'check.retrace', leaf.checker, CheckRetraceBodySchema, (body) =>
        same(leaf, body, ['lease', 'nonceCommitment', 'root']),
      );
    case 'verdict':
      return claim(leaf, 'check.verdict', leaf.checker, CheckVerdictBodySchema, (body) => {
        // Leaves from before held no kind of device.
        const known = leaf.adapterClass === undefined || leaf.adapterClass === body.adapterClass;
        const shows = (leaf.shows === true) === (body.shown !== undefined);
        return (
          known &&
          shows &&
          same(leaf, body, ['lease', 'root', 'nonce', 'verdict', 'reason', 'paths', 'pathsEqual', 'pixelsWrong', 'biasPpm'])
        );
      });
    case 'receipt':
      return claim(leaf, 'film.receipt', null, FilmReceiptBodySchema, (body) => same(leaf, body, ['lease', 'root', 'verdict']));
    case 'drill':
      return claim(leaf, 'drill.seal', null, DrillSealBodySchema, (body) => same(leaf, body, ['lease']));
    case 'appeal':
      return claim(leaf, 'lease.appeal', null, LeaseAppealBodySchema, (body) => same(leaf, body, ['lease']));
    case 'word':
      return claim(leaf, 'review.word', null, ReviewWordBodySchema, (body) => same(leaf, body, ['lease']));
    case 'entry':
      return leaf.signed && claim({ signed: leaf.signed, request: leaf.request }, 'grant', null, GrantBodySchema, () => true);
    default:
      return null;
  }
}

function claim<T>(
  leaf: { readonly signed: Envelope; readonly request: string | null },
  purpose: Purpose,
  key: string | null,
  schema: v.GenericSchema<unknown, T>,
  agrees: (body: T) => boolean,
): Claim {
  const check = (body: unknown): boolean => {
    const parsed = v.safeParse(schema, body);
    return parsed.success && agrees(parsed.output);
  };
  return { envelope: leaf.signed, request: leaf.request, purpose, key, agrees: check };
}

const same = <K extends string>(
  leaf: Readonly<Partial<Record<K, unknown>>>,
  body: Readonly<Partial<Record<K, unknown>>>,
  names: readonly K[],
): boolean => names.every((name) => leaf[name] === body[name]);
