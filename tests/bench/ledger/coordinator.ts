/**
 * Entry of a coordinator's own process in the bench: it connects what its parent says to a coordinator, and
 * tells what that cost. Texts of one turn travel together, so that little of the time is the bench's own.
 */
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { openUrl } from '#lib/server/store/open.ts';
import { TEST_POLICY, TEST_RULES } from '../../unit/server/harness.ts';

const PROOFS = 100;

export type Texts = readonly (readonly [link: number, text: string])[];
export type ToCoordinator =
  | { readonly type: 'start'; readonly url: string; readonly shared: boolean }
  | { readonly type: 'texts'; readonly texts: Texts }
  | { readonly type: 'open' | 'close'; readonly link: number }
  | { readonly type: 'usage' | 'proofs' | 'end' };
export type FromCoordinator =
  | { readonly type: 'started' | 'ended' }
  | { readonly type: 'texts'; readonly texts: Texts }
  | { readonly type: 'usage'; readonly cpuSeconds: number }
  | { readonly type: 'proofs'; readonly ms: readonly number[] };

interface Link {
  hear: (text: string) => void;
  gone: () => void;
}

class Host {
  readonly #coordinator: Coordinator;
  readonly #links = new Map<number, Link>();
  #texts: (readonly [link: number, text: string])[] = [];

  constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  open(id: number): void {
    const listeners: Link = { hear: () => {}, gone: () => {} };
    this.#links.set(id, listeners);
    this.#coordinator.connect({
      send: (text) => this.#send(id, text),
      onMessage: (listener) => (listeners.hear = listener),
      onClose: (listener) => (listeners.gone = listener),
      close: () => {},
    });
  }

  #send(id: number, text: string): void {
    if (this.#texts.length === 0) setImmediate(() => tell({ type: 'texts', texts: this.#texts.splice(0) }));
    this.#texts.push([id, text]);
  }

  hear(texts: Texts): void {
    // One may have been closed in the turn in which it spoke.
    for (const [id, text] of texts) this.#links.get(id)?.hear(text);
  }

  close(id: number): void {
    this.#links.get(id)!.gone();
    this.#links.delete(id);
  }

  /** Milliseconds that proofs take, one after the other. */
  async proofs(): Promise<number[]> {
    const status = await this.#coordinator.http(new Request('http://c/api/status'));
    const { logSize } = (await status!.json()) as { logSize: number };
    const times: number[] = [];
    for (let i = 0; i < PROOFS; i++) {
      const at = performance.now();
      const answer = await this.#coordinator.http(new Request(`http://c/log/proof/${(i * 7_919) % (logSize - 50)}`));
      await answer!.text();
      times.push(performance.now() - at);
    }
    return times;
  }

  end(): Promise<void> {
    return this.#coordinator.close();
  }
}

const tell = (message: FromCoordinator): void => void process.send!(message);

let host: Host | null = null;
async function handle(message: ToCoordinator): Promise<void> {
  switch (message.type) {
    case 'start': {
      const store = await openUrl({ url: message.url, description: 'bench', shared: message.shared, log: () => {} });
      host = new Host(await createCoordinator({ store, network: 'bench', policy: TEST_POLICY, rules: TEST_RULES }));
      return tell({ type: 'started' });
    }
    case 'open':
      return host!.open(message.link);
    case 'texts':
      return host!.hear(message.texts);
    case 'close':
      return host!.close(message.link);
    case 'usage': {
      const { user, system } = process.cpuUsage();
      return tell({ type: 'usage', cpuSeconds: (user + system) / 1e6 });
    }
    case 'proofs':
      return tell({ type: 'proofs', ms: await host!.proofs() });
    case 'end':
      await host!.end();
      process.send!({ type: 'ended' } satisfies FromCoordinator, () => process.disconnect());
  }
}
process.on('message', (message) => void handle(message as ToCoordinator));
