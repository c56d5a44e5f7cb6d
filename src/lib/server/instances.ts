/**
 * Several coordinators on one database. Each tells the others who is connected to it and mirrors who is
 * connected to them; what one has to say to a peer of another goes through a table and a notification.
 * One of them leads: it alone matches, draws and reaps, over everybody's sessions. What changes money
 * or leases does not depend on any of this: every write takes the log's head lock, every claim is guarded.
 */
import { sql } from 'drizzle-orm';
import { toHex } from '../protocol/bytes.ts';
import { INSTANCE_SILENCE_MS_MAX, INSTANCE_TICK_MS } from '../protocol/limits.ts';
import type { Core } from './core.ts';
import { applyState, stateOf, type SessionState } from './session-state.ts';
import { Session } from './sessions.ts';
import type { InstanceLink } from './store/instance-link.ts';
import { rows } from './store/store.ts';

type Kind = 'control' | 'signal';

interface PresenceRow {
  readonly peer: string;
  readonly kind: Kind;
  readonly instance: string;
  readonly state: string;
}

interface Letter {
  readonly instance: string;
  readonly kind: Kind;
  readonly peer: string;
  readonly text: string;
}

/** Signalling, as far as other instances are concerned. */
export interface SignalSide {
  /** Peers whose signalling connection is here. */
  peers(): Iterable<string>;
  deliver(peer: string, text: string): void;
}

const PRESENCE = 'pictor_presence';
const channelOf = (instance: string): string => `pictor_${instance}`;

export class Instances {
  readonly #core: Core;
  readonly #id: string;
  #signal: SignalSide = { peers: () => [], deliver: () => {} };
  /** What the others were told: `<kind> <peer>` → state. */
  readonly #told = new Map<string, string>();
  readonly #mirrors = new Map<string, { readonly session: Session; readonly instance: string }>();
  /** What the others said last: only news wakes anybody. */
  #heard = '';
  #signalsElsewhere = new Map<string, string>();
  #letters: Letter[] = [];
  #sending: Promise<void> | null = null;
  #ticking: Promise<void> | null = null;
  #again = false;

  /** @param onLead called whenever this instance becomes the leader. */
  constructor(core: Core, link: InstanceLink, onLead: () => Promise<void>) {
    this.#core = core;
    this.#id = toHex(core.random(8));
    link.onLead = () => {
      core.logger('this instance leads now');
      void this.#guard(onLead().then(() => core.wake.match()));
    };
    link.listen(channelOf(this.#id), () => void this.#guard(this.#collect()));
    link.listen(PRESENCE, () => this.soon());
  }

  attach(signal: SignalSide): void {
    this.#signal = signal;
  }

  async run(): Promise<void> {
    const { clock, closing } = this.#core;
    while (!closing.aborted) {
      this.soon();
      await this.#ticking;
      await clock.sleep(closing, INSTANCE_TICK_MS);
    }
    await this.#ticking;
    await this.#collecting;
    await this.#guard(this.#leave());
  }

  /** Something changed here that others should know before the next tick. */
  soon(): void {
    if (this.#core.closing.aborted) return;
    this.#again = true;
    this.#ticking ??= this.#tickLoop();
  }

  /** Where is the signalling connection of a peer that is not here? */
  forwardSignal(peer: string, text: string): boolean {
    const instance = this.#signalsElsewhere.get(peer);
    if (instance === undefined) return false;
    this.#post({ instance, kind: 'signal', peer, text });
    return true;
  }

  async #tickLoop(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#guard(this.#tick());
    }
    this.#ticking = null;
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#core.counters.count('instances-failed');
      this.#core.logger(`instances: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #tick(): Promise<void> {
    const { db } = this.#core.store;
    const now = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
    const back = await rows<{ fresh: boolean }>(
      db,
      sql`insert into instances (id, seen_ms) values (${this.#id}, ${now})
        on conflict (id) do update set seen_ms = excluded.seen_ms returning (xmax = 0) as fresh`,
    );
    // Taken for dead, or a crash emptied the table: everything is said again.
    if (back[0]?.fresh) this.#told.clear();
    await db.execute(sql`delete from instances where seen_ms < ${now} - ${INSTANCE_SILENCE_MS_MAX}::bigint`);
    const others = await rows<PresenceRow>(
      db,
      sql`select peer, kind, instance, state from presence where instance <> ${this.#id} order by kind, peer`,
    );
    this.#mirror(others);
    if (await this.#tell()) await db.execute(sql`select pg_notify(${PRESENCE}, '')`);
    await this.#collect();
  }

  /** @returns whether there was anything new. */
  async #tell(): Promise<boolean> {
    const { sessions, store } = this.#core;
    const here = new Map<string, string>();
    for (const session of sessions.all()) if (!this.#mirrors.has(session.peer)) here.set(`control ${session.peer}`, stateOf(session));
    for (const peer of this.#signal.peers()) here.set(`signal ${peer}`, '{}');
    const gone = [...this.#told.keys()].filter((name) => !here.has(name));
    const changed = [...here].filter(([name, state]) => this.#told.get(name) !== state);
    const records = (of: readonly (readonly [name: string, state: string])[]): string =>
      JSON.stringify(of.map(([name, state]) => ({ kind: name.split(' ')[0], peer: name.split(' ')[1], instance: this.#id, state })));
    if (gone.length > 0)
      await store.db
        .execute(sql`delete from presence p using json_populate_recordset(null::presence, ${records(gone.map((name) => [name, '']))}::json) r
        where p.kind = r.kind and p.peer = r.peer and p.instance = r.instance`);
    for (const name of gone) this.#told.delete(name);
    if (changed.length > 0)
      await store.db.execute(sql`insert into presence select * from json_populate_recordset(null::presence, ${records(changed)}::json)
        on conflict (kind, peer) do update set instance = excluded.instance, state = excluded.state`);
    for (const [name, state] of changed) this.#told.set(name, state);
    return gone.length + changed.length > 0;
  }

  #mirror(others: readonly PresenceRow[]): void {
    const { sessions, clock, wake } = this.#core;
    this.#signalsElsewhere = new Map(others.filter(({ kind }) => kind === 'signal').map(({ peer, instance }) => [peer, instance]));
    const there = new Map(others.filter(({ kind }) => kind === 'control').map((row) => [row.peer, row]));
    for (const [peer, { session }] of this.#mirrors) {
      if (there.has(peer)) continue;
      this.#mirrors.delete(peer);
      sessions.remove(session);
    }
    for (const { peer, instance, state } of there.values()) {
      const known = this.#mirrors.get(peer);
      const local = sessions.peer(peer);
      // Not told yet, so it has just come here from there; told, and what is left of it here is the older connection.
      if (local && local !== known?.session && !this.#told.has(`control ${peer}`)) {
        this.#mirrors.delete(peer);
        continue;
      }
      if (known?.instance !== instance || local !== known.session) this.#adopt(peer, instance, state);
      else applyState(known.session, JSON.parse(state) as SessionState, clock.nowMs());
    }
    const heard = JSON.stringify(others);
    if (heard === this.#heard) return;
    this.#heard = heard;
    wake.network();
    wake.match();
  }

  #adopt(peer: string, instance: string, state: string): void {
    const { sessions, counters, clock } = this.#core;
    const parsed = JSON.parse(state) as SessionState;
    const link = {
      send: (text: string) => this.#post({ instance, kind: 'control', peer, text }),
      onMessage: () => {},
      onClose: () => {},
      close: () => {},
    };
    const session = new Session(link, counters, { key: parsed.key, peer, nowMs: clock.nowMs(), prefix: parsed.prefix });
    applyState(session, parsed, clock.nowMs());
    this.#mirrors.set(peer, { session, instance });
    this.#told.delete(`control ${peer}`);
    sessions.add(session);
  }

  #post(letter: Letter): void {
    this.#letters.push(letter);
    this.#sending ??= this.#send();
  }

  /** In order; a letter to an instance that has died is dropped with it, as a broken connection would. */
  async #send(): Promise<void> {
    while (this.#letters.length > 0) {
      const some = this.#letters.splice(0);
      await this.#guard(this.#mail(some));
    }
    this.#sending = null;
  }

  async #mail(letters: readonly Letter[]): Promise<void> {
    const { db } = this.#core.store;
    const values = sql.join(
      letters.map(({ instance, kind, peer, text }) => sql`(${instance}, ${kind}, ${peer}, ${text})`),
      sql`, `,
    );
    await db.execute(sql`insert into mail (instance, kind, peer, text) values ${values}`);
    for (const instance of new Set(letters.map((letter) => letter.instance)))
      await db.execute(sql`select pg_notify(${channelOf(instance)}, '')`);
  }

  #collecting: Promise<void> = Promise.resolve();

  /** One at a time, or two batches could overtake each other. */
  #collect(): Promise<void> {
    if (this.#core.closing.aborted) return Promise.resolve();
    return (this.#collecting = this.#collecting.then(() => this.#read()));
  }

  async #read(): Promise<void> {
    const found = await rows<Letter & { id: string }>(
      this.#core.store.db,
      sql`delete from mail where instance = ${this.#id} returning id::text, instance, kind, peer, text`,
    );
    found.sort((a, b) => Number(a.id) - Number(b.id));
    for (const { kind, peer, text } of found) {
      if (kind === 'signal') this.#signal.deliver(peer, text);
      else if (!this.#mirrors.has(peer)) this.#core.sessions.peer(peer)?.pass(text);
    }
  }

  async #leave(): Promise<void> {
    await this.#sending;
    await this.#core.store.db.execute(sql`delete from instances where id = ${this.#id}`);
    await this.#core.store.db.execute(sql`select pg_notify(${PRESENCE}, '')`);
  }
}
