/**
 * What peers ask of each other over a data channel. A request is a small canonical-CBOR head and a
 * body of bytes; so is the reply. Framing, back-pressure and deadlines are p2p's business.
 */
import * as v from 'valibot';
import { BLOB_BYTES_MAX, BLOB_CHUNK_BYTES, LEAVES_PER_TILE_MAX } from './limits.ts';
import { count, hex32, id16 } from './schema.ts';

/** The coordinator's word that the asker works on the job (trust/capability). */
const capability = v.pipe(v.string(), v.maxLength(600));
/** The coordinator's word that the asker may have leaves opened (trust/capability). */
const permit = v.pipe(v.string(), v.maxLength(600));

export const PeerRequestSchema = v.variant('type', [
  /** Body of the reply: the manifest, 40 bytes of header and 32 bytes per chunk. */
  v.strictObject({ type: v.literal('blob.manifest'), blob: hex32, job: id16, capability }),
  /** Body of the reply: the chunk's bytes. */
  v.strictObject({ type: v.literal('blob.chunk'), blob: hex32, job: id16, capability, index: count(BLOB_BYTES_MAX / BLOB_CHUNK_BYTES) }),
  /** Body of the request: the film's light, then 32 bytes of signature hash per leaf. */
  v.strictObject({ type: v.literal('film.deliver'), lease: id16, root: hex32 }),
  /**
   * Leaves ascend, each at most once. Body of the reply: the film's light, 32 bytes of signature hash per
   * leaf, then the signatures of each asked leaf in order. With the whole light a checker recounts every segment that is billed.
   */
  v.strictObject({
    type: v.literal('film.open'),
    lease: id16,
    root: hex32,
    job: id16,
    capability,
    /** For as many different leaves in all, however often it is asked; null where none are asked for. */
    permit: v.nullable(permit),
    leaves: v.pipe(v.array(count(0xffff)), v.maxLength(LEAVES_PER_TILE_MAX)),
  }),
]);
export type PeerRequest = v.InferOutput<typeof PeerRequestSchema>;

export const PEER_FAULTS = ['malformed', 'unknown-blob', 'unknown-lease', 'not-yours', 'corrupt', 'busy', 'stopped'] as const;
export type PeerFault = (typeof PEER_FAULTS)[number];

export const PeerReplySchema = v.variant('ok', [
  v.strictObject({ ok: v.literal(true) }),
  v.strictObject({ ok: v.literal(false), fault: v.picklist(PEER_FAULTS) }),
]);
