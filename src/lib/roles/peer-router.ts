/**
 * Several roles of one tab share one PeerNet, which has one handler: this one, which hands each
 * kind of request to the role that answers it. A request nobody answers is `stopped`; a body is
 * taken in only of a film, no larger than a film can be, and only if the role that takes films
 * expects it.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { FILM_DELIVERY_BYTES_MAX } from '../protocol/limits.ts';
import type { PeerFault, PeerRequest } from '../protocol/peer.ts';
import type { PeerAnswer, PeerNet } from '../p2p/peer-net.ts';

type Kind = PeerRequest['type'];
type RequestOf<K extends Kind> = Extract<PeerRequest, { type: K }>;
type Handler<K extends Kind> = (from: string, request: RequestOf<K>, body: Bytes) => Promise<PeerAnswer>;
type Expectation<K extends Kind> = (from: string, request: RequestOf<K>) => PeerFault | null;

interface Route {
  readonly handle: (from: string, request: PeerRequest, body: Bytes) => Promise<PeerAnswer>;
  readonly expects: (from: string, request: PeerRequest) => PeerFault | null;
}

export class PeerRouter {
  readonly #routes = new Map<Kind, Route>();

  constructor(net: PeerNet) {
    net.serve(
      async (from, request, body) => (await this.#routes.get(request.type)?.handle(from, request, body)) ?? { ok: false, fault: 'stopped' },
      (from, request, bodyBytes) => this.#bodyFault(from, request, bodyBytes),
    );
  }

  /**
   * Replaces the handler of this kind.
   * @param expects asked before a body is taken in; null takes it.
   */
  on<K extends Kind>(kind: K, handler: Handler<K>, expects: Expectation<K> = () => null): void {
    this.#routes.set(kind, {
      handle: (from, request, body) => handler(from, request as RequestOf<K>, body),
      expects: (from, request) => expects(from, request as RequestOf<K>),
    });
  }

  #bodyFault(from: string, request: PeerRequest, bodyBytes: number): PeerFault | null {
    if (request.type !== 'film.deliver' || bodyBytes > FILM_DELIVERY_BYTES_MAX) return 'malformed';
    const route = this.#routes.get(request.type);
    return route ? route.expects(from, request) : 'stopped';
  }
}
