/**
 * The coordinator: leases, checks, ledger, signalling. One object that an http server, a test or the
 * simulator connects to; it never sees scenes or pixels. Everything it acknowledges is durable first,
 * so that killing it at any moment loses nothing but connections.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { eq, inArray } from 'drizzle-orm';
import { randomBytes, type Bytes } from '../protocol/bytes.ts';
import type { Policy } from '../protocol/control.ts';
import { Background, Marks } from './background.ts';
import { Beacon } from './beacon.ts';
import { systemClock, type Clock } from './clock.ts';
import { Connection } from './control.ts';
import type { Core, IceServers } from './core.ts';
import { Counters } from './counters.ts';
import { founding } from './founding.ts';
import { answerHttp } from './http.ts';
import { listsFromEnvironment, listsOf, type ListsInput } from './lists.ts';
import { Instances } from './instances.ts';
import { LogService } from './log.ts';
import { DEFAULT_POLICY, iceServersFromEnvironment } from './policy.ts';
import { Scheduler } from './scheduler.ts';
import { Sessions, type ControlLink } from './sessions.ts';
import { Signalling, type SignalLink } from './signal.ts';
import { attachSockets } from './sockets.ts';
import { openEmbedded, openMemory, openUrl } from './store/open.ts';
import { DEFAULT_RULES, type TrustRules } from '../trust/rules.ts';
import type { Store } from './store/store.ts';
import { checks, leases } from './store/schema.ts';
import { Witnesses } from './witnesses.ts';

export interface CoordinatorOptions {
  /** Folder of the embedded PostgreSQL; made when absent. */
  readonly dataDir?: string;
  /** Any other PostgreSQL; wins over `dataDir`. */
  readonly databaseUrl?: string;
  /** An open store, closed with the coordinator; wins over both. With none of the three, memory (tests). */
  readonly store?: Store;
  readonly clock?: Clock;
  readonly policy?: Partial<Policy>;
  /** What trust turns on; logged when it changes. */
  readonly rules?: Partial<TrustRules>;
  /** The network's id; by default made from the coordinator's key at the first start, and kept. */
  readonly network?: string;
  /** By default from the file that PICTOR_LISTS names, else nobody. */
  readonly lists?: ListsInput;
  /** By default from PICTOR_ICE (JSON), else none. */
  readonly iceServers?: IceServers;
  readonly logger?: (line: string) => void;
  /** Fixed only by tests and the simulator. */
  readonly random?: (count: number) => Bytes;
}

export interface Coordinator {
  readonly network: string;
  /** Public key, hex: signs checkpoints and capabilities. */
  readonly key: string;
  readonly description: string;
  /** Routes the server's `upgrade` events for `/control` and `/peerjs/peerjs`; leaves all others alone. @returns undoes it. */
  attach(server: Server): () => void;
  /** The same routing for a caller that has its own. @returns false when the path is not ours. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean;
  /** A control connection over anything. */
  connect(link: ControlLink): void;
  /** A signalling connection over anything; refused connections are told why and closed. */
  signal(link: SignalLink, query: URLSearchParams): void;
  /** Answers the HTTP surface; null when the path is not ours. */
  http(request: Request): Promise<Response | null>;
  /** Resolves when everything received so far is handled, as far as it can be without time passing. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error with one sentence when the store can't be opened. */
export async function createCoordinator(options: CoordinatorOptions = {}): Promise<Coordinator> {
  const logger = options.logger ?? (() => {});
  const store = options.store ?? (await openStore(options, logger));
  try {
    return await raise(store, options, logger);
  } catch (error) {
    await store.close();
    throw error;
  }
}

function openStore(options: CoordinatorOptions, logger: (line: string) => void): Promise<Store> {
  if (options.databaseUrl)
    return openUrl({ url: options.databaseUrl, description: 'PostgreSQL at DATABASE_URL', shared: true, log: logger });
  return options.dataDir ? openEmbedded(options.dataDir, logger) : openMemory();
}

async function raise(store: Store, options: CoordinatorOptions, logger: (line: string) => void): Promise<Coordinator> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? randomBytes;
  const beacon = new Beacon(random);
  const rules = { ...DEFAULT_RULES, ...options.rules };
  const { identity, network } = await founding(store, { beacon, random, nowMs: clock.nowMs(), network: options.network, rules });
  const marks = new Marks();
  const log = new LogService({ store, identity, origin: network, clock });
  const closing = new AbortController();
  const [counters, sessions] = [new Counters(), new Sessions()];
  const core: Core = {
    network,
    identity,
    policy: { ...DEFAULT_POLICY, ...options.policy },
    rules,
    lists: options.lists ? listsOf(options.lists) : listsFromEnvironment(),
    iceServers: options.iceServers ?? iceServersFromEnvironment(),
    clock,
    store,
    log,
    beacon,
    witnesses: new Witnesses({ store, log, sessions, counters, clock, logger }),
    counters,
    sessions,
    random,
    logger,
    startedMs: clock.nowMs(),
    wake: marks,
    leads: () => store.link?.leads() ?? true,
    closing: closing.signal,
  };
  store.onUnknown = () => {
    // Whoever it concerned may hold a lease or a check that was never told: all come back and are told what they have.
    counters.count('commit-unknown');
    for (const session of sessions.all()) {
      marks.resend(session.peer);
      session.close();
    }
    marks.match();
  };
  await expectHolders(core);
  const scheduler = new Scheduler(core);
  const background = new Background(core, marks, scheduler);
  const instances = store.link ? new Instances(core, store.link, () => expectHolders(core)) : null;
  if (instances) marks.onChange = () => instances.soon();
  background.start();
  return surface(core, scheduler, background, closing, instances);
}

/** Whoever held work when the last coordinator went has the usual time to come back. */
async function expectHolders(core: Core): Promise<void> {
  const { db } = core.store;
  const workers = await db
    .selectDistinct({ peer: leases.workerPeer })
    .from(leases)
    .where(inArray(leases.state, ['granted', 'committed']));
  const checkers = await db.selectDistinct({ peer: checks.checkerPeer }).from(checks).where(eq(checks.state, 'drawn'));
  for (const { peer } of [...workers, ...checkers]) core.sessions.expect(peer, core.startedMs);
}

function surface(
  core: Core,
  scheduler: Scheduler,
  background: Background,
  closing: AbortController,
  instances: Instances | null,
): Coordinator {
  const signalling = new Signalling(core);
  instances?.attach(signalling);
  if (instances) signalling.elsewhere = (peer, text) => instances.forwardSignal(peer, text);
  const sharing = instances?.run();
  const working = new Set<Promise<void>>();
  const connect = (link: ControlLink): void => {
    new Connection(core, scheduler, link, (work) => {
      working.add(work);
      void work.finally(() => working.delete(work));
    });
  };
  const sockets = attachSockets(core, connect, (link, query) => signalling.connect(link, query));
  return {
    network: core.network,
    key: core.identity.key,
    description: core.store.description,
    attach: (server) => {
      const listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => void sockets.upgrade(request, socket, head);
      server.on('upgrade', listener);
      return () => void server.off('upgrade', listener);
    },
    upgrade: sockets.upgrade,
    connect,
    signal: (link, query) => signalling.connect(link, query),
    http: (request) => answerHttp(core, scheduler.market, request),
    idle: async () => {
      do {
        await Promise.all(working);
        await background.idle();
        await core.store.idle();
      } while (working.size > 0);
    },
    close: async () => {
      closing.abort();
      await sharing;
      await background.stop();
      sockets.close();
      for (const session of core.sessions.all()) session.close();
      await Promise.all(working);
      await core.store.close();
    },
  };
}
