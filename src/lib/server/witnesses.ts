/**
 * The log's side of witnessing (c2sp.org/tlog-witness over the control socket): every checker that is
 * here is shown the newest checkpoint with a proof from what it cosigned last, and what it answers is
 * kept and served with the checkpoint. A witness that refuses is reported, never argued with.
 */
import { desc, eq, inArray, lt, sql } from 'drizzle-orm';
import { openCosignature, witnessKey, witnessName } from '../ledger/cosignature.ts';
import { parseCheckpoint, withSignatures } from '../ledger/checkpoint.ts';
import { parseNote, parseSignatureLine, signaturesBy, signatureLine } from '../ledger/note.ts';
import { formatAddCheckpoint } from '../ledger/witnessing.ts';
import {
  CHECKPOINT_INTERVAL_MS,
  CHECKPOINTS_KEPT_MS,
  NOTE_SIGNATURES_MAX,
  WITNESS_TIMEOUT_MS,
  WITNESSES_PER_ROUND_MAX,
} from '../protocol/limits.ts';
import type { CosignedMessage } from '../protocol/witness.ts';
import type { Clock } from './clock.ts';
import type { Counters } from './counters.ts';
import { nodeVerify } from './keys.ts';
import type { LogService, SignedCheckpoint } from './log.ts';
import type { Session, Sessions } from './sessions.ts';
import { checkpoints, cosignatures, witnesses } from './store/schema.ts';
import type { Store } from './store/store.ts';

interface Parts {
  readonly store: Store;
  readonly log: LogService;
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly logger: (line: string) => void;
}

interface Asked {
  readonly peer: string;
  readonly note: string;
  readonly size: number;
  readonly atMs: number;
}

export class Witnesses {
  readonly #parts: Parts;
  /** Witness key → what it was shown and has not answered. */
  readonly #asked = new Map<string, Asked>();
  /** Offered last, so that every witness has its turn. */
  readonly #turns = new Map<string, number>();
  #round = 0;
  /** The newest cosigned checkpoint as it is being or was read last. */
  #newest: { readonly note: Promise<string | null>; readonly atMs: number } | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Signs what is new and shows it to witnesses that have not cosigned it yet. */
  async round(): Promise<void> {
    const { sessions, log, clock, store } = this.#parts;
    const nowMs = clock.nowMs();
    for (const [key, { atMs }] of this.#asked) if (nowMs - atMs > WITNESS_TIMEOUT_MS) this.#asked.delete(key);
    const here = new Map(sessions.with('checker').map((session) => [session.key, session]));
    for (const key of this.#turns.keys()) if (!here.has(key)) this.#turns.delete(key);
    const free = [...here.values()].filter(({ key }) => !this.#asked.has(key));
    if (free.length === 0) return;
    const checkpoint = await log.checkpoint();
    const known = await this.#known(free.map(({ key }) => key));
    const due = free.filter(({ key }) => (known.get(key) ?? 0) < checkpoint.size);
    if (due.length === 0) return;
    await keep(store, checkpoint, nowMs);
    this.#round++;
    due.sort((a, b) => (this.#turns.get(a.key) ?? 0) - (this.#turns.get(b.key) ?? 0));
    for (const session of due.slice(0, WITNESSES_PER_ROUND_MAX)) await this.#show(session, checkpoint, known.get(session.key) ?? 0);
  }

  async #show(session: Session, { note, size }: SignedCheckpoint, old: number): Promise<void> {
    const proof = await this.#parts.log.consistency(old, size);
    this.#turns.set(session.key, this.#round);
    this.#asked.set(session.key, { peer: session.peer, note, size, atMs: this.#parts.clock.nowMs() });
    session.send({ type: 'checkpoint', body: formatAddCheckpoint({ old, proof, note }) });
  }

  async #known(keys: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#parts.store.db.select().from(witnesses).where(inArray(witnesses.key, keys));
    return new Map(rows.map((row) => [row.key, row.size]));
  }

  /** A witness's answer to what it was shown last; others are passed over. */
  async answer(session: Session, { status, body }: CosignedMessage): Promise<void> {
    const asked = this.#asked.get(session.key);
    if (asked?.peer !== session.peer) return;
    this.#asked.delete(session.key);
    if (status === 200) return this.#cosigned(session.key, asked, body);
    this.#parts.counters.count(`witness-${status}`);
    if (status === 409 && /^(0|[1-9][0-9]{0,15})\n$/.test(body)) return this.#elsewhere(session.key, Number(body));
    this.#parts.logger(`witness ${session.key.slice(0, 16)} refuses the checkpoint of ${asked.size} leaves (${status})`);
  }

  async #cosigned(key: string, { note, size }: Asked, body: string): Promise<void> {
    const { counters, store, clock } = this.#parts;
    const line = parseSignatureLine(body.replace(/\n$/, ''));
    const text = parseNote(note)!.text;
    const [signature] = line ? signaturesBy({ text, signatures: [line] }, witnessKey(key)) : [];
    if (!line || !signature || (await openCosignature(text, signature, witnessKey(key), nodeVerify)) === null)
      return counters.count('cosignature-false');
    counters.count('cosigned');
    const atMs = clock.nowMs();
    await store.db
      .insert(cosignatures)
      .values({ size, witness: witnessName(key), line: signatureLine(line), atMs })
      .onConflictDoNothing();
    this.#newest = null;
    await remember(store, key, size, atMs);
  }

  /** It cosigned another size last: of this log, and then the proof starts there; or of one that was longer than this is. */
  async #elsewhere(key: string, size: number): Promise<void> {
    const { log, store, clock, logger } = this.#parts;
    const now = await log.size();
    if (size > now) return logger(`witness ${key.slice(0, 16)} has cosigned ${size} leaves and this log has ${now}: it is an older copy`);
    await remember(store, key, size, clock.nowMs());
  }

  /** The newest checkpoint with the cosignatures that it has so far. */
  async latest(): Promise<string> {
    return this.#withCosignatures(await this.#parts.log.checkpoint());
  }

  /** The newest checkpoint that a witness cosigned, null while none was: at most CHECKPOINT_INTERVAL_MS late where another coordinator was told. */
  cosigned(): Promise<string | null> {
    const atMs = this.#parts.clock.nowMs();
    if (this.#newest && atMs - this.#newest.atMs < CHECKPOINT_INTERVAL_MS) return this.#newest.note;
    const read = { note: this.#readCosigned(), atMs };
    this.#newest = read;
    read.note.catch(() => {
      if (this.#newest === read) this.#newest = null;
    });
    return read.note;
  }

  async #readCosigned(): Promise<string | null> {
    const [row] = await this.#parts.store.db
      .select({ size: checkpoints.size, note: checkpoints.note })
      .from(checkpoints)
      .where(sql`exists (select 1 from cosignatures c where c.size = ${checkpoints.size})`)
      .orderBy(desc(checkpoints.size))
      .limit(1);
    return row ? this.#withCosignatures(row) : null;
  }

  /** As `cosigned`, when it counts this leaf. */
  async covering(index: number): Promise<string | null> {
    const note = await this.cosigned();
    return note !== null && parseCheckpoint(note)!.size > index ? note : null;
  }

  async #withCosignatures({ size, note }: Pick<SignedCheckpoint, 'size' | 'note'>): Promise<string> {
    const rows = await this.#parts.store.db
      .select({ line: cosignatures.line })
      .from(cosignatures)
      .where(eq(cosignatures.size, size))
      .orderBy(cosignatures.atMs, cosignatures.witness)
      .limit(NOTE_SIGNATURES_MAX - 1);
    return withSignatures(
      note,
      rows.map(({ line }) => parseSignatureLine(line.trimEnd())!),
    );
  }
}

async function keep({ db }: Store, { size, note }: SignedCheckpoint, nowMs: number): Promise<void> {
  await db.insert(checkpoints).values({ size, note, atMs: nowMs }).onConflictDoNothing();
  // Receipts bring theirs along; the log itself can show any older root.
  await db.delete(checkpoints).where(lt(checkpoints.atMs, nowMs - CHECKPOINTS_KEPT_MS));
}

async function remember({ db }: Store, key: string, size: number, atMs: number): Promise<void> {
  await db.insert(witnesses).values({ key, size, atMs }).onConflictDoUpdate({ target: witnesses.key, set: { size, atMs } });
}
