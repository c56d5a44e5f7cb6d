/**
 * Blobs between peers: fetched chunk by chunk from several sources at once, every chunk verified on
 * arrival, resumed at the next chunk when a source is lost; served only for jobs this peer knows,
 * and only to holders of a capability for that job.
 */
import { equalBytes, type Bytes } from '../protocol/bytes.ts';
import { BLOB_CHUNK_BYTES, BLOB_REQUESTS_PER_SOURCE_MAX, RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN } from '../protocol/limits.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import type { BlobStore, Clock } from '../roles/types.ts';
import { chunkAt, chunkCount, chunkLength, manifestOf, parseManifest, sha256Fast, type Manifest } from './blob.ts';
import type { PeerAnswer, PeerNet } from './peer-net.ts';

export interface BlobWant {
  readonly hash: string;
  /** Length the order promises. */
  readonly bytes: number;
  readonly job: string;
  readonly capability: string;
  /** Peers that hold it whole, the creator first. */
  readonly sources: readonly string[];
}

export type BlobOutcome =
  | { readonly ok: true; readonly blob: Bytes }
  | { readonly ok: false; readonly reason: 'aborted' | 'unavailable' | 'mismatch' };

type BlobRequest = Extract<PeerRequest, { type: 'blob.manifest' | 'blob.chunk' }>;

/** Rounds over all sources before a blob counts as unavailable. */
const ROUNDS_MAX = 4;
/** Strikes (no answer, wrong bytes) before a source is left alone for the round. */
const STRIKES_MAX = 2;

export interface ExchangeOptions {
  readonly net: PeerNet;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  /** Does `from` hold the coordinator's word for this job? */
  readonly allows: (from: string, job: string, capability: string) => Promise<boolean>;
}

interface OpenBlob {
  readonly hash: string;
  readonly blob: Bytes;
  readonly manifest: Promise<Bytes>;
}

export class BlobExchange {
  readonly #options: ExchangeOptions;
  readonly #jobs = new Map<string, ReadonlySet<string>>();
  /** Bytes served per job, kept after the job ended. */
  readonly #served = new Map<string, number>();
  /** The blob asked for last: chunks of one blob come in a row. */
  #open: OpenBlob | null = null;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** From now on serves these blobs of this job. */
  attach(job: string, blobs: readonly string[]): void {
    this.#jobs.set(job, new Set(blobs));
  }

  detach(job: string): void {
    this.#jobs.delete(job);
  }

  bytesServed(job: string): number {
    return this.#served.get(job) ?? 0;
  }

  async answer(from: string, request: BlobRequest): Promise<PeerAnswer> {
    if (!this.#jobs.get(request.job)?.has(request.blob)) return { ok: false, fault: 'unknown-blob' };
    if (!(await this.#options.allows(from, request.job, request.capability))) return { ok: false, fault: 'not-yours' };
    const open = await this.#load(request.blob);
    if (!open) return { ok: false, fault: 'unknown-blob' };
    if (request.type === 'blob.chunk' && request.index >= chunkCount(open.blob.length)) return { ok: false, fault: 'malformed' };
    const body = request.type === 'blob.manifest' ? await open.manifest : chunkAt(open.blob, request.index);
    this.#served.set(request.job, this.bytesServed(request.job) + body.length);
    return { ok: true, body };
  }

  /**
   * The blob from the own store, else from the sources; stored and returned. Never throws: a store
   * that fails (no room, say) costs the next fetch, not this one.
   */
  async fetch(signal: AbortSignal, want: BlobWant, onBytes: (bytes: number) => void = () => {}): Promise<BlobOutcome> {
    const { clock, net } = this.#options;
    const held = await this.#held(want.hash);
    if (held) return { ok: true, blob: held };
    const download = new Download(net, want, onBytes);
    for (let round = 0; round < ROUNDS_MAX; round++) {
      if (round > 0) await clock.sleep(signal, Math.min(RECONNECT_BACKOFF_MS_MAX, RECONNECT_BACKOFF_MS_MIN * 4 ** round));
      const blob = await download.round(signal);
      if (signal.aborted) return { ok: false, reason: 'aborted' };
      if (download.mismatch) return { ok: false, reason: 'mismatch' };
      if (!blob) continue;
      await this.#keep(want.hash, blob);
      return { ok: true, blob };
    }
    return { ok: false, reason: 'unavailable' };
  }

  async #load(hash: string): Promise<OpenBlob | null> {
    if (this.#open?.hash === hash) return this.#open;
    const blob = await this.#held(hash);
    if (!blob) return null;
    this.#open = { hash, blob, manifest: manifestOf(blob) };
    return this.#open;
  }

  async #held(hash: string): Promise<Bytes | null> {
    if (this.#open?.hash === hash) return this.#open.blob;
    try {
      return await this.#options.blobs.get(hash);
    } catch {
      return null;
    }
  }

  async #keep(hash: string, blob: Bytes): Promise<void> {
    try {
      await this.#options.blobs.put(hash, blob);
    } catch {
      // No room: it is served from memory until another blob is asked for.
      this.#open = { hash, blob, manifest: manifestOf(blob) };
    }
  }
}

/** One blob on its way; what has arrived survives from round to round. */
class Download {
  /** The manifest is genuine, but not of the length that the order promises. */
  mismatch = false;
  readonly #net: PeerNet;
  readonly #want: BlobWant;
  readonly #onBytes: (bytes: number) => void;
  #manifest: Manifest | null = null;
  #blob: Bytes = new Uint8Array();
  #missing: number[] = [];
  /** Chunks asked for and not yet here. */
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(net: PeerNet, want: BlobWant, onBytes: (bytes: number) => void) {
    this.#net = net;
    this.#want = want;
    this.#onBytes = onBytes;
  }

  /** @returns the blob when it is whole, null when every source failed first. */
  async round(signal: AbortSignal): Promise<Bytes | null> {
    // The creator comes last: its uplink is the one that everybody needs.
    const sources = this.#want.sources.filter((source) => source !== this.#net.id).toReversed();
    for (const source of sources) if (!this.#manifest) await this.#askManifest(signal, source);
    if (!this.#manifest) return null;
    await Promise.all(sources.map((source, i) => this.#drain(signal, source, i === sources.length - 1 && sources.length > 2)));
    return this.#missing.length === 0 && !signal.aborted ? this.#blob : null;
  }

  async #askManifest(signal: AbortSignal, source: string): Promise<void> {
    const { hash, job, capability, bytes } = this.#want;
    const outcome = await this.#net.request(signal, source, { type: 'blob.manifest', blob: hash, job, capability });
    const manifest = outcome.status === 'answered' ? parseManifest(hash, outcome.body) : null;
    if (!manifest) return;
    this.mismatch = manifest.bytes !== bytes;
    if (this.mismatch) return;
    this.#manifest = manifest;
    this.#blob = new Uint8Array(bytes);
    // A random start spreads the load when many peers fetch one blob at once.
    const start = Math.floor(Math.random() * manifest.chunks.length);
    this.#missing = manifest.chunks.map((_, i) => (start + i) % manifest.chunks.length);
  }

  /** Several requests to one source at a time, until nothing is missing or the source has failed too often. */
  async #drain(signal: AbortSignal, source: string, sparing: boolean): Promise<void> {
    let strikes = 0;
    const one = async (): Promise<void> => {
      while (strikes < STRIKES_MAX && !signal.aborted) {
        const index = this.#missing.shift();
        if (index !== undefined) {
          if (!(await this.#take(signal, source, index))) strikes++;
        } else if (this.#underWay > 0) {
          // Another source may fail with a chunk that this one has.
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        } else return;
      }
    };
    await Promise.all(Array.from({ length: sparing ? 1 : BLOB_REQUESTS_PER_SOURCE_MAX }, one));
  }

  async #take(signal: AbortSignal, source: string, index: number): Promise<boolean> {
    this.#underWay++;
    const taken = await this.#chunk(signal, source, index);
    this.#underWay--;
    if (!taken) this.#missing.unshift(index);
    for (const wake of this.#waiting.splice(0)) wake();
    return taken;
  }

  async #chunk(signal: AbortSignal, source: string, index: number): Promise<boolean> {
    const { hash, job, capability, bytes } = this.#want;
    const outcome = await this.#net.request(signal, source, { type: 'blob.chunk', blob: hash, job, capability, index });
    if (outcome.status !== 'answered' || outcome.body.length !== chunkLength(bytes, index)) return false;
    const expected = this.#manifest?.chunks[index];
    if (!expected || !equalBytes(await sha256Fast(outcome.body), expected)) return false;
    this.#blob.set(outcome.body, index * BLOB_CHUNK_BYTES);
    this.#onBytes(outcome.body.length);
    return true;
  }
}
