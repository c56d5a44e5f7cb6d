/**
 * A whole network in one process: the real coordinator on an in-memory store, real roles over the
 * in-memory peer network, virtual time. Tests kill and restart its parts. Every random draw comes
 * from the seed: delays, keys, ids, nonces, beacons and back-off. What a seed does not fix is which of two
 * signatures under way at once Web Crypto's threads finish first.
 */
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import type { Engine } from '#lib/gpu/engine.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import { MemoryNetwork } from '#lib/p2p/memory-net.ts';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import type { Policy } from '#lib/protocol/control.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { ControlClient } from '#lib/roles/control-client.ts';
import type { ControlSocket, ControlSocketEvents } from '#lib/roles/control-socket.ts';
import { MemoryJobStore, type JobStore } from '#lib/roles/job-store.ts';
import { MemoryOutbox } from '#lib/roles/outbox.ts';
import type { RoleContext } from '#lib/roles/types.ts';
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import * as tables from '#lib/server/store/schema.ts';
import { Store, type Db } from '#lib/server/store/store.ts';
import type { TrustRules } from '#lib/trust/rules.ts';
import { ArithmeticEngine } from './arithmetic-engine.ts';
import { seededRandom, turns, VirtualClock } from './virtual-clock.ts';

/** What survives a reload of a tab. */
export interface Disk {
  readonly identity: Identity;
  readonly blobs: MemoryBlobStore;
  readonly jobs: JobStore;
  readonly outbox: MemoryOutbox;
}

export interface Tab extends RoleContext {
  readonly disk: Disk;
  readonly control: ControlClient;
  /** Gone without a word, as a killed tab is. */
  kill(): Promise<void>;
}

/** Product code draws ids and nonces from these two; here they replay. A stream of their own, so that a draw shifts no delay. */
function seedGlobals(seed: number): void {
  const random = seededRandom(seed ^ 0x5eed);
  Math.random = random;
  crypto.getRandomValues = <T extends ArrayBufferView | null>(into: T): T => {
    if (into) new Uint8Array(into.buffer, into.byteOffset, into.byteLength).forEach((_, i, bytes) => (bytes[i] = random() * 256));
    return into;
  };
}

let database: Promise<PGlite> | null = null;

export class World {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly peers: MemoryNetwork;
  coordinator: Coordinator | null = null;
  readonly #db: PGlite;
  readonly #rules: Partial<TrustRules>;
  readonly #policy: Partial<Policy>;
  readonly #links = new Set<() => void>();
  readonly #tabs: Tab[] = [];

  private constructor(seed: number, db: PGlite, rules: Partial<TrustRules>, policy: Partial<Policy>) {
    this.#rules = rules;
    this.#policy = policy;
    this.random = seededRandom(seed);
    this.#db = db;
    this.peers = new MemoryNetwork({ clock: this.clock, random: this.random, delayMs: [1, 30] });
  }

  /** @param rules of trust; no lease is a drill unless they say so. */
  static async create(seed: number, rules: Partial<TrustRules> = {}, policy: Partial<Policy> = {}): Promise<World> {
    // One server for all runs of a file: starting it takes longer than most runs.
    database ??= PGlite.create();
    const db = await database;
    await db.exec('drop schema public cascade; create schema public');
    const world = new World(seed, db, { drillPpm: 0, ...rules }, policy);
    seedGlobals(seed);
    await world.startCoordinator();
    return world;
  }

  get db(): Db {
    return drizzle(this.#db, { schema: tables }) as unknown as Db;
  }

  async startCoordinator(): Promise<void> {
    // Closing a coordinator closes its store; the database stays, as it does under a killed process.
    const store = new Store(this.db, 'PGlite in memory', async () => {});
    await store.migrate();
    const policy = { pricePerWorkUnitMicro: '1000000', grantMicro: '100000000', grantWorkBits: 4, leavesPerCheck: 4, ...this.#policy };
    this.coordinator = await createCoordinator({ store, clock: this.clock, policy, rules: this.#rules, network: 'sim' });
  }

  /** All connections break at once and nothing more is answered. */
  async killCoordinator(): Promise<void> {
    const { coordinator } = this;
    this.coordinator = null;
    for (const cut of [...this.#links]) cut();
    await coordinator?.close();
  }

  async disk(): Promise<Disk> {
    const secret = Uint8Array.from({ length: 32 }, () => Math.floor(this.random() * 256));
    return {
      identity: await identityFromSecret(secret),
      blobs: new MemoryBlobStore(),
      jobs: new MemoryJobStore(),
      outbox: new MemoryOutbox(),
    };
  }

  /** A tab (or agent) on this disk, on a new disk when none is given. */
  async tab(options: { disk?: Disk; engine?: Engine } = {}): Promise<Tab> {
    const disk = options.disk ?? (await this.disk());
    const { identity, blobs, jobs, outbox } = disk;
    const peer = `${identity.key}-${toHex(randomBytes(4))}`;
    const net = this.peers.join(peer);
    const { clock, random } = this;
    const control = new ControlClient({ connect: (events) => this.#connect(events), identity, peer, clock, outbox, random });
    const kill = async (): Promise<void> => {
      await net.close();
      await control.close();
    };
    const tab: Tab = { identity, control, net, engine: options.engine ?? new ArithmeticEngine(clock), blobs, jobs, clock, disk, kill };
    this.#tabs.push(tab);
    return tab;
  }

  async until(what: string, holds: () => boolean, limitMs = 300_000): Promise<void> {
    const settle = async (): Promise<void> => {
      await turns();
      await this.coordinator?.idle();
      await turns();
    };
    if (!(await this.clock.run(holds, limitMs, settle))) throw new Error(`after ${limitMs / 1000} s of virtual time still not so: ${what}`);
  }

  /** A promise's value, with as much virtual time as it takes. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    void promise.finally(() => (over = true));
    await this.until('the promise is kept', () => over);
    return promise;
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.clock.nowMs() + ms;
    void this.clock.sleep(new AbortController().signal, ms);
    await this.until('time passes', () => this.clock.nowMs() >= endMs, ms + 1);
  }

  async close(): Promise<void> {
    for (const tab of this.#tabs) await tab.kill();
    await this.killCoordinator();
  }

  #connect(events: ControlSocketEvents): ControlSocket {
    const over = new AbortController();
    const cut = (): void => {
      if (over.signal.aborted) return;
      over.abort();
      this.#links.delete(cut);
      onServerClose();
      events.closed();
    };
    let onServerMessage: (text: string) => void = () => {};
    let onServerClose: () => void = () => {};
    const up = this.#pipe(over.signal, (text) => onServerMessage(text));
    const down = this.#pipe(over.signal, (text) => events.message(text));
    this.#links.add(cut);
    if (this.coordinator) {
      this.coordinator.connect({
        send: down,
        onMessage: (listener) => void (onServerMessage = listener),
        onClose: (listener) => void (onServerClose = listener),
        close: cut,
      });
    } else {
      queueMicrotask(cut);
    }
    return { send: up, close: cut };
  }

  /** Delayed, in order, until the connection is over. */
  #pipe(over: AbortSignal, deliver: (text: string) => void): (text: string) => void {
    let last: Promise<void> = Promise.resolve();
    return (text) => {
      const flight = this.clock.sleep(over, 1 + this.random() * 20);
      const earlier = last;
      last = flight
        .then(() => earlier)
        .then(() => {
          if (!over.aborted) deliver(text);
        });
    };
  }
}
