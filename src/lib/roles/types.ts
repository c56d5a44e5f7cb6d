/**
 * What every role is given and what it tells. A tab, an agent and the simulator run the same role
 * code with different adapters behind these interfaces; no role knows a screen.
 */
import type { Engine, SceneFiles, SceneSummary } from '../gpu/engine.ts';
import type { Rect } from '../job/plan.ts';
import type { Ask } from '../market/ask.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Adapter, JobView, Lease, NetworkView, Policy, Role, ServerMessage, ClientMessage } from '../protocol/control.ts';
import type { Envelope, Identity, Purpose } from '../protocol/envelope.ts';
import type { Camera, JobOrder } from '../protocol/order.ts';
import type { FrameStore } from './frame-store.ts';
import type { SequenceStore } from './frame-store.ts';
import type { FramePlace, JobStore } from './job-store.ts';
import type { PeerNet } from '../p2p/peer-net.ts';
import type { WitnessStore } from './witness.ts';

export interface Clock {
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  sleep(signal: AbortSignal, ms: number): Promise<void>;
}

type WithoutId<T> = T extends { id: number } ? Omit<T, 'id'> : never;
export type ControlRequest = WithoutId<Exclude<ClientMessage, { type: 'hello' }>>;
export type ControlEvent = Exclude<ServerMessage, { type: 'ack' | 'refused' | 'challenge' }>;

export type ControlOutcome =
  | { readonly status: 'ok'; readonly ref: string | null }
  | { readonly status: 'refused'; readonly reason: string; readonly text: string }
  | { readonly status: 'disconnected' };

/**
 * The control socket, re-made with back-off and jitter for ever until closed. `submit` keeps an
 * envelope and sends it again after every reconnect until it is acknowledged or refused: envelopes
 * are idempotent.
 */
export interface Control {
  readonly connected: boolean;
  /** Why there can be no connection until something is updated, in one sentence; null while none is known. */
  readonly fault: string | null;
  readonly network: string;
  readonly coordinatorKey: string;
  readonly policy: Policy | null;
  readonly balance: { readonly balanceMicro: bigint; readonly pendingMicro: bigint };
  readonly networkView: NetworkView | null;
  request(request: ControlRequest): Promise<ControlOutcome>;
  /** Resolves at once while connected, else at the next welcome. */
  whenConnected(): Promise<void>;
  submit(purpose: Purpose, body: unknown): Promise<ControlOutcome>;
  /** Signs without sending. */
  seal(purpose: Purpose, body: unknown): Promise<Envelope>;
  /** As `submit`, for an envelope sealed before. */
  submitSealed(envelope: Envelope): Promise<ControlOutcome>;
  on(listener: (event: ControlEvent) => void): () => void;
  /** Told on every change of `connected`, `fault`, `balance` and `networkView`, and after each re-connect. */
  onChange(listener: () => void): () => void;
  /** Says hello again with these roles; `adapter` stays as it was when left out. */
  setRoles(roles: readonly Role[], adapter?: Adapter | null): void;
  close(): Promise<void>;
}

/** Whole blobs by manifest hash; IndexedDB in a tab, files in an agent, a map in tests. */
export interface BlobStore {
  get(hash: string): Promise<Bytes | null>;
  put(hash: string, bytes: Bytes): Promise<void>;
  list(): Promise<readonly string[]>;
  delete(hash: string): Promise<void>;
}

export interface RoleContext {
  readonly identity: Identity;
  readonly control: Control;
  readonly net: PeerNet;
  readonly engine: Engine;
  readonly blobs: BlobStore;
  /** A creator's orders and films; in memory when absent. */
  readonly jobs?: JobStore;
  /** A creator's sequences, in a page. */
  readonly sequences?: SequenceStore;
  /** Finished frames of a creator's sequences; in memory when absent. */
  readonly frames?: FrameStore;
  /** What a witness must not forget; in memory when absent. */
  readonly witness?: WitnessStore;
  /** What a worker asks for a work unit, by its own measured speed; the operator's price when absent. */
  readonly ask?: Ask;
  readonly clock: Clock;
}

// ---- worker --------------------------------------------------------------------------------

/** The one word of state that screens and terminals show. */
export type WorkerState =
  | 'off'
  | 'connecting'
  | 'waiting'
  | 'fetching'
  | 'rendering'
  | 'delivering'
  | 'finishing'
  | 'paused'
  | 'restarting';

export interface WorkerStatus {
  readonly state: WorkerState;
  /** One sentence for people. */
  readonly reason: string;
  readonly lease: { readonly lease: Lease; readonly order: JobOrder; readonly rect: Rect; readonly done: number } | null;
  readonly leasesSettled: number;
  readonly leasesPending: number;
  readonly leasesVoided: number;
  /** Reasons of voided leases, newest first, at most 20. */
  readonly voided: readonly { readonly lease: string; readonly reason: string }[];
  readonly segments: number;
  readonly segmentsPerSecond: number;
  /** The same, weighted by what each lease's rays cost. */
  readonly workUnitsPerSecond: number;
}

/** Finished light of a lease, for the picture on the worker's screen. */
export interface FilmEvent {
  readonly lease: Lease;
  readonly order: JobOrder;
  readonly rect: Rect;
  readonly light: Bytes;
}

// ---- checker -------------------------------------------------------------------------------

export interface CheckRecord {
  readonly lease: string;
  readonly job: string;
  readonly title: string;
  readonly verdict: 'pass' | 'fail' | 'unavailable';
  readonly reason: string;
  readonly paths: number;
  readonly pathsEqual: number;
  readonly pixelsWrong: number;
  readonly atMs: number;
  /** Opened and re-traced light of the first drawn leaf that disagrees (or the first), for the review view. */
  readonly sample: { readonly rect: Rect; readonly samples: number; readonly claimed: Bytes; readonly traced: Bytes } | null;
}

export interface CheckerStatus {
  readonly state: 'off' | 'connecting' | 'waiting' | 'fetching' | 'checking';
  readonly reason: string;
  readonly passed: number;
  readonly failed: number;
  readonly unavailable: number;
  /** Newest first, at most 50. */
  readonly records: readonly CheckRecord[];
}

// ---- creator -------------------------------------------------------------------------------

export interface JobChoice {
  readonly title: string;
  readonly files: SceneFiles;
  readonly summary: SceneSummary;
  readonly camera: Camera;
  readonly transparent: boolean;
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly bounces: number;
  readonly seed: number;
  readonly capMicro: bigint;
  /** What else the order may say of price, noise and the end of its money. */
  readonly terms?: Pick<JobOrder, 'priceMaxMicro' | 'costPerMille' | 'noisePpm' | 'proven' | 'atCap'>;
  /** Absent: a picture by itself. */
  readonly place?: FramePlace;
}

export interface CreatorJob {
  readonly job: string;
  /** null: a picture by itself. */
  readonly place: FramePlace | null;
  readonly order: JobOrder;
  readonly view: JobView;
  /** Mean linear radiance, width × height × 3, of everything received and verified by hash so far. */
  readonly image: Float32Array<ArrayBuffer>;
  /** Share of paths that saw a surface, width × height: the alpha of a transparent order. */
  readonly coverage: Float32Array<ArrayBuffer>;
  /** Samples received, per tile. */
  readonly tileSamples: readonly number[];
  readonly bytesIn: number;
  readonly bytesOut: number;
}
