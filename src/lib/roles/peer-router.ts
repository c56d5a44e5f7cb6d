/**
 * Several roles of one tab share one PeerNet, which has one handler: this one, which hands each
 * kind of request to the role that answers it. A request nobody answers is `stopped`.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { PeerRequest } from '../protocol/peer.ts';
import type { PeerAnswer, PeerNet } from '../p2p/peer-net.ts';

type Kind = PeerRequest['type'];
type RequestOf<K extends Kind> = Extract<PeerRequest, { type: K }>;
type Handler<K extends Kind> = (from: string, request: RequestOf<K>, body: Bytes) => Promise<PeerAnswer>;

export class PeerRouter {
  readonly #handlers = new Map<Kind, (from: string, request: PeerRequest, body: Bytes) => Promise<PeerAnswer>>();

  constructor(net: PeerNet) {
    net.serve(
      async (from, request, body) => (await this.#handlers.get(request.type)?.(from, request, body)) ?? { ok: false, fault: 'stopped' },
    );
  }

  /** Replaces the handler of this kind. */
  on<K extends Kind>(kind: K, handler: Handler<K>): void {
    this.#handlers.set(kind, (from, request, body) => handler(from, request as RequestOf<K>, body));
  }
}
