/**
 * The way to the network, made when a role first needs it and shared by all roles of the tab.
 * Mirrors what the control socket knows into values that screens draw. The engine comes apart from
 * it, so that a scene can be looked at with no network at all.
 */
import { remember } from './remember.ts';
import type { Engine } from '../gpu/engine.ts';
import type { Policy } from '../protocol/control.ts';
import type { RoleContext } from '../roles/types.ts';

export type Link = 'off' | 'connecting' | 'on' | 'lost';

const TRAFFIC_MS = 1_000;

export class Connection {
  link = $state<Link>('off');
  /** When the link was lost; null while it stands. */
  lostAtMs = $state<number | null>(null);
  /** Why there is none until something is updated; one sentence. */
  fault = $state<string | null>(null);
  key = $state<string | null>(null);
  balanceMicro = $state(0n);
  pendingMicro = $state(0n);
  policy = $state.raw<Policy | null>(null);
  bytesIn = $state(0);
  bytesOut = $state(0);
  peers = $state(0);
  #engine: Promise<Engine> | null = null;
  #context: Promise<RoleContext> | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  engine(): Promise<Engine> {
    this.#engine ??= import('../gpu/bridge.ts').then((bridge) => bridge.createEngine());
    return this.#engine;
  }

  open(): Promise<RoleContext> {
    this.#context ??= this.#connect().catch((cause: unknown) => {
      // The next person to ask may have better luck.
      this.#context = null;
      this.link = 'off';
      throw cause;
    });
    return this.#context;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const context = await this.#context?.catch(() => null);
    await context?.control.close();
    await context?.net.close();
    await (await this.#engine?.catch(() => null))?.dispose();
  }

  async #connect(): Promise<RoleContext> {
    this.link = 'connecting';
    const [{ createBrowserContext }, engine] = await Promise.all([import('../roles/browser-context.ts'), this.engine()]);
    const context = await createBrowserContext({ engine });
    this.key = context.identity.key;
    remember('browser', 'key', this.key);
    context.control.onChange(() => this.#mirror(context));
    this.#mirror(context);
    this.#timer = setInterval(() => {
      ({ bytesIn: this.bytesIn, bytesOut: this.bytesOut, peers: this.peers } = context.net.traffic);
    }, TRAFFIC_MS);
    return context;
  }

  #mirror({ control }: RoleContext): void {
    if (control.connected) this.lostAtMs = null;
    else if (this.link === 'on') this.lostAtMs = Date.now();
    this.link = control.connected ? 'on' : this.link === 'connecting' ? 'connecting' : 'lost';
    this.fault = control.fault;
    this.policy = control.policy;
    this.balanceMicro = control.balance.balanceMicro;
    this.pendingMicro = control.balance.pendingMicro;
  }
}
