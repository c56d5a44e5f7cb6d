/**
 * Who is connected, and what they offer right now. Presence only: nothing here survives a restart,
 * and nothing durable depends on it but when a silent worker's lease moves on. One session per peer
 * id; a newer connection of the same peer replaces the older.
 */
import type { Adapter, NetworkView, Role, ServerMessage } from '../protocol/control.ts';
import { CONTROL_BUFFERED_BYTES_MAX, CONTROL_CONNECTIONS_MAX, PREFIXES_KEPT_MAX } from '../protocol/limits.ts';
import { addressPrefix } from '../trust/affinity.ts';
import type { Counters } from './counters.ts';

/** A control connection, whatever carries it. */
export interface ControlLink {
  send(text: string): void;
  onMessage(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
  close(): void;
  /** Of the other side, where there is one. */
  readonly address?: string;
  /** Bytes sent and not yet taken by the network; absent where nothing buffers. */
  bufferedBytes?(): number;
}

export class Session {
  readonly key: string;
  readonly peer: string;
  roles: ReadonlySet<Role> = new Set();
  adapter: Adapter | null = null;
  lastSeenMs: number;
  /** When it connected. */
  readonly sinceMs: number;
  /** A worker's standing ask: leases it still takes. */
  leasesWanted = 0;
  /** Asks that came in: a second one of the same number is another. */
  asks = 0;
  /** Micro-tokens per work unit that it asks; null: the operator's price. */
  askMicro: bigint | null = null;
  /** Has it a standing ask, though all of it may be granted now? */
  stands = false;
  /** Beyond its probation, as of its last ask. */
  provenWorker = false;
  bytesMax = 0;
  /** What its device holds of a compiled scene. */
  holds = { bytes: 0, bindingBytes: 0 };
  /** Checks it runs at once. */
  checksWanted = 0;
  blobs: ReadonlySet<string> = new Set();
  /** Nonce commitments of the last `check-ready`: said again with every one, logged when it is drawn. */
  commitments: ReadonlySet<string> = new Set();
  readonly watching = new Set<string>();
  /** Scene of the last lease that it was given, and how many leases of it in a row. */
  scene: { readonly root: string; readonly leases: number } | null = null;
  /** Jobs that its key was paid for since it connected: it holds their scenes. */
  readonly proven = new Set<string>();
  /** Closed from this side: what still arrives is not listened to. */
  gone = false;
  /** Of its network (trust/affinity); null where that says nothing. */
  readonly prefix: string | null;
  readonly #link: ControlLink;
  readonly #counters: Counters;

  constructor(link: ControlLink, counters: Counters, who: { key: string; peer: string; nowMs: number; prefix?: string | null }) {
    this.#link = link;
    this.#counters = counters;
    this.key = who.key;
    this.peer = who.peer;
    this.lastSeenMs = who.nowMs;
    this.sinceMs = who.nowMs;
    this.prefix = who.prefix === undefined ? addressPrefix(link.address ?? '') : who.prefix;
  }

  /** It was given a lease of this scene. */
  takes(root: string): void {
    this.scene = { root, leases: this.scene?.root === root ? this.scene.leases + 1 : 1 };
  }

  send(message: ServerMessage): void {
    sendOver(this.#link, this.#counters, message);
  }

  /** What another instance has to say to this peer, as it is. */
  pass(text: string): void {
    this.#counters.out('control', Buffer.byteLength(text));
    this.#link.send(text);
  }

  close(): void {
    this.gone = true;
    this.#link.close();
  }
}

/** A link that does not take what it is sent is closed: it will come back and be told again. */
export function sendOver(link: ControlLink, counters: Counters, message: ServerMessage): void {
  if ((link.bufferedBytes?.() ?? 0) > CONTROL_BUFFERED_BYTES_MAX) {
    counters.count('slow-consumer');
    link.close();
    return;
  }
  const text = JSON.stringify(message);
  counters.out('control', Buffer.byteLength(text));
  link.send(text);
}

export class Sessions {
  /** Every open connection, and since when it has not said who it is; null once it has. */
  readonly #links = new Map<ControlLink, number | null>();
  readonly #byPeer = new Map<string, Session>();
  readonly #byKey = new Map<string, Set<Session>>();
  /** When a peer was last heard, kept after it left until its leases are dealt with. */
  readonly #seen = new Map<string, number>();
  /** `<worker key>/<job>` → not to be offered before; by key, so that coming back under another session changes nothing. */
  readonly #pausedUntilMs = new Map<string, number>();

  /** Key → the network it was last heard from; in memory alone, and no more of an address than that. */
  readonly #prefixes = new Map<string, string>();

  /** Is this session in the network that a key was last heard from? */
  near(session: Session, key: string): boolean {
    return session.prefix !== null && this.#prefixes.get(key) === session.prefix;
  }

  pause(key: string, job: string, untilMs: number): void {
    this.#pausedUntilMs.set(`${key}/${job}`, Math.max(untilMs, this.#pausedUntilMs.get(`${key}/${job}`) ?? 0));
  }

  paused(key: string, job: string, nowMs: number): boolean {
    return (this.#pausedUntilMs.get(`${key}/${job}`) ?? 0) > nowMs;
  }

  /** Forgets pauses that are over. */
  endPauses(nowMs: number): void {
    for (const [name, untilMs] of this.#pausedUntilMs) if (untilMs <= nowMs) this.#pausedUntilMs.delete(name);
  }

  /** @returns false when there are as many connections as there may be. */
  open(link: ControlLink, nowMs: number): boolean {
    if (this.#links.size >= CONTROL_CONNECTIONS_MAX) return false;
    this.#links.set(link, nowMs);
    return true;
  }

  proven(link: ControlLink): void {
    if (this.#links.has(link)) this.#links.set(link, null);
  }

  closed(link: ControlLink): void {
    this.#links.delete(link);
  }

  /** Connections that opened before `ms` and still have not said who they are. */
  unprovenSince(ms: number): ControlLink[] {
    return [...this.#links].filter(([, since]) => since !== null && since < ms).map(([link]) => link);
  }

  add(session: Session): void {
    const older = this.#byPeer.get(session.peer);
    if (older && older !== session) this.#drop(older);
    this.#byPeer.set(session.peer, session);
    const same = this.#byKey.get(session.key);
    if (same) same.add(session);
    else this.#byKey.set(session.key, new Set([session]));
    this.#seen.delete(session.peer);
    this.#remember(session);
    if (older && older !== session) older.close();
  }

  /** Keys are free: the networks of those that have been away longest are forgotten. */
  #remember({ key, prefix }: Session): void {
    if (prefix === null) return;
    this.#prefixes.delete(key);
    this.#prefixes.set(key, prefix);
    for (const [oldest] of this.#prefixes) {
      if (this.#prefixes.size <= PREFIXES_KEPT_MAX) return;
      this.#prefixes.delete(oldest);
    }
  }

  remove(session: Session): void {
    if (this.#byPeer.get(session.peer) !== session) return;
    this.#drop(session);
    this.#seen.set(session.peer, session.lastSeenMs);
  }

  #drop(session: Session): void {
    this.#byPeer.delete(session.peer);
    const same = this.#byKey.get(session.key);
    same?.delete(session);
    if (same?.size === 0) this.#byKey.delete(session.key);
  }

  get size(): number {
    return this.#byPeer.size;
  }

  peer(peer: string): Session | undefined {
    return this.#byPeer.get(peer);
  }

  all(): Session[] {
    return [...this.#byPeer.values()];
  }

  ofKey(key: string): Session[] {
    return [...(this.#byKey.get(key) ?? [])];
  }

  with(role: Role): Session[] {
    return this.all().filter((session) => session.roles.has(role));
  }

  /** The tab that serves a job: its creator's newest session that watches it. */
  creatorOf(job: { id: string; creator: string }): Session | undefined {
    return this.ofKey(job.creator).findLast((session) => session.watching.has(job.id));
  }

  /** Peers not heard since `ms`, connected or not. */
  silentSince(ms: number): string[] {
    const left = [...this.#seen].filter(([, seen]) => seen < ms).map(([peer]) => peer);
    return [
      ...left,
      ...this.all()
        .filter((session) => session.lastSeenMs < ms)
        .map((session) => session.peer),
    ];
  }

  /** A peer that held something when this coordinator came up: it has the usual time to come back. */
  expect(peer: string, nowMs: number): void {
    if (!this.#byPeer.has(peer)) this.#seen.set(peer, nowMs);
  }

  /** Forgets peers that left before `ms`. */
  forgetBefore(ms: number): void {
    for (const [peer, seen] of this.#seen) if (seen < ms) this.#seen.delete(peer);
  }

  view(jobsOpen: number, leasesRunning: number): NetworkView {
    const keys = (role: Role): number => new Set(this.with(role).map((session) => session.key)).size;
    return { workers: this.with('worker').length, checkers: keys('checker'), creators: keys('creator'), jobsOpen, leasesRunning };
  }
}
