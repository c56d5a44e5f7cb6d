/**
 * What all roles of one tab or agent share: the peer router, the blob exchange (which announces to
 * the coordinator what it can serve), and the scenes compiled so far. One per RoleContext.
 */
import { BlobExchange } from '../p2p/blob-exchange.ts';
import { PEER_CLOCK_SKEW_MS_MAX } from '../protocol/limits.ts';
import type { Adapter, Role } from '../protocol/control.ts';
import type { JobOrder } from '../protocol/order.ts';
import { capabilityHolds, permitIn, type Permit } from '../trust/capability.ts';
import { PeerRouter } from './peer-router.ts';
import { SceneLoader } from './scene-loader.ts';
import type { RoleContext } from './types.ts';

/** Most blobs one `have` may name (protocol/control). */
const BLOBS_ANNOUNCED_MAX = 64;

export const blobsOf = (order: JobOrder): string[] => [order.scene.hash, ...(order.environment ? [order.environment.hash] : [])];

/** The key part of a peer id; signalling vouches for it. */
export const keyOfPeer = (peer: string): string => peer.slice(0, 64);

export class Shared {
  readonly router: PeerRouter;
  readonly exchange: BlobExchange;
  readonly scenes: SceneLoader;
  readonly #context: RoleContext;
  readonly #roles = new Set<Role>();
  /** Job → its blobs, oldest first. */
  readonly #serving = new Map<string, readonly string[]>();

  constructor(context: RoleContext) {
    this.#context = context;
    this.router = new PeerRouter(context.net);
    this.exchange = new BlobExchange({ ...context, allows: (from, job, capability) => this.allows(from, job, capability) });
    this.scenes = new SceneLoader(context, this);
    for (const kind of ['blob.manifest', 'blob.chunk'] as const)
      this.router.on(kind, (from, request) => this.exchange.answer(from, request));
    context.control.on((event) => {
      if (event.type === 'welcome') this.#announce();
    });
  }

  /** Tells the coordinator of a role that begins; the device, when the role has one. */
  play(role: Role, adapter?: Adapter): void {
    this.#roles.add(role);
    this.#context.control.setRoles([...this.#roles], adapter);
  }

  rest(role: Role): void {
    if (this.#roles.delete(role)) this.#context.control.setRoles([...this.#roles]);
  }

  /** Serves a job's blobs from now on, and says so. */
  serve(job: string, order: JobOrder): void {
    this.exchange.attach(job, blobsOf(order));
    if (this.#serving.has(job)) return;
    this.#serving.set(job, blobsOf(order));
    this.#announce();
  }

  unserve(job: string): void {
    this.exchange.detach(job);
    if (this.#serving.delete(job)) this.#announce();
  }

  allows(from: string, job: string, capability: string): Promise<boolean> {
    const { control, clock } = this.#context;
    const use = { coordinatorKey: control.coordinatorKey, network: control.network, job, key: keyOfPeer(from) };
    return capabilityHolds(capability, { ...use, nowMs: clock.nowMs() - PEER_CLOCK_SKEW_MS_MAX });
  }

  /** What this peer may have opened of the lease's film; null when it may nothing. */
  async permitted(from: string, lease: string, permit: string | null): Promise<Permit | null> {
    const { coordinatorKey, network } = this.#context.control;
    return permit === null ? null : permitIn(permit, { coordinatorKey, network, lease, key: keyOfPeer(from) });
  }

  #announce(): void {
    const blobs = [...new Set([...this.#serving.values()].flat())].slice(-BLOBS_ANNOUNCED_MAX);
    void this.#context.control.request({ type: 'have', blobs });
  }
}

const sharedByNet = new WeakMap<RoleContext['net'], Shared>();

export function sharedOf(context: RoleContext): Shared {
  const known = sharedByNet.get(context.net);
  if (known) return known;
  const shared = new Shared(context);
  sharedByNet.set(context.net, shared);
  return shared;
}
