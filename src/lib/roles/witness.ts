/**
 * A witness: verifies that each checkpoint of the coordinator's log extends the last one it cosigned,
 * remembers it, and only then cosigns. Part of every checker. What it once saw it never forgets: a
 * log that shows another history gets no cosignature any more, and both of its signed words are kept.
 */
import * as v from 'valibot';
import { cosign } from '../ledger/cosignature.ts';
import { signatureLine } from '../ledger/note.ts';
import { judgeCheckpoint, parseAddCheckpoint, type SplitView, type WitnessedLog, type WitnessStatus } from '../ledger/witnessing.ts';
import { checkpointText, contradicts, parseCheckpoint } from '../ledger/checkpoint.ts';
import type { Identity, Verify } from '../protocol/envelope.ts';
import { hex32 } from '../protocol/schema.ts';
import type { CosignedMessage } from '../protocol/witness.ts';
import type { Clock, RoleContext } from './types.ts';

/** What a witness must not forget. A failed `save` is a cosignature not given. */
export interface WitnessStore {
  load(origin: string): Promise<WitnessMemory | null>;
  /** Durable when resolved. */
  save(origin: string, memory: WitnessMemory): Promise<void>;
}

export interface WitnessMemory {
  /** The log's key, hex: another one under the same name is another log. */
  readonly key: string;
  /** The checkpoint cosigned last, as the log signed it. */
  readonly note: string;
  /** Two roots of one size: proof that stands by itself. Nothing is cosigned any more. */
  readonly split: SplitView | null;
  /**
   * Signed by the log and not shown to extend what was cosigned, oldest first. The proof that fails is
   * not signed, so this accuses nobody yet: the log's root at that size, read from its tiles, decides.
   */
  readonly doubts: readonly SplitView[];
}

const DOUBTS_MAX = 8;

const SplitSchema = v.strictObject({ seen: v.string(), shown: v.string() });
const MemorySchema = v.strictObject({ key: hex32, note: v.string(), split: v.nullable(SplitSchema), doubts: v.array(SplitSchema) });

/** What a store kept as JSON. @throws Error when it is damaged: a witness that has lost its memory must not start afresh unasked. */
export const parseMemory = (bytes: Uint8Array): WitnessMemory => v.parse(MemorySchema, JSON.parse(new TextDecoder().decode(bytes)));

export class MemoryWitnessStore implements WitnessStore {
  readonly #memories = new Map<string, WitnessMemory>();

  load(origin: string): Promise<WitnessMemory | null> {
    return Promise.resolve(this.#memories.get(origin) ?? null);
  }

  save(origin: string, memory: WitnessMemory): Promise<void> {
    this.#memories.set(origin, memory);
    return Promise.resolve();
  }
}

export type WitnessAnswer = Omit<CosignedMessage, 'type' | 'id'>;

export class Witness {
  readonly #identity: Identity;
  readonly #store: WitnessStore;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #verify: Verify | undefined;
  /** One request at a time: what is checked against memory must still be there when memory changes. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Leaves of the checkpoint cosigned last; null before the first. */
  size: number | null = null;
  cosigned = 0;
  split: SplitView | null = null;
  doubts: readonly SplitView[] = [];

  constructor(options: { identity: Identity; store: WitnessStore; clock: Pick<Clock, 'nowMs'>; verify?: Verify }) {
    this.#identity = options.identity;
    this.#store = options.store;
    this.#clock = options.clock;
    this.#verify = options.verify;
  }

  /** @param body of an `add-checkpoint` request. */
  add(log: WitnessedLog, body: string): Promise<WitnessAnswer> {
    const done = this.#turn.then(() => this.#add(log, body));
    this.#turn = done.catch(() => {});
    return done;
  }

  async #add(log: WitnessedLog, body: string): Promise<WitnessAnswer> {
    const request = parseAddCheckpoint(body);
    if (!request) return { status: 400, body: '' };
    const memory = await this.#store.load(log.origin);
    this.#tell(memory);
    // Nothing more for a log that was caught, and nothing for one that took over another's name.
    if (memory?.split) return { status: 422, body: '' };
    if (memory && memory.key !== log.key) return { status: 403, body: '' };
    const { status, checkpoint, split } = await judgeCheckpoint(request, log, memory?.note ?? null, this.#verify);
    const caught = memory && (await this.#suspect(log, memory, request.note, status, split));
    if (caught) return { status: 422, body: '' };
    if (status === 409) return { status, body: `${this.size ?? 0}\n` };
    if (!checkpoint) return { status, body: '' };
    const kept = { key: log.key, note: request.note, split: null, doubts: memory?.doubts ?? [] };
    await this.#store.save(log.origin, kept);
    this.#tell(kept);
    this.cosigned++;
    const line = await cosign(this.#identity, checkpointText(checkpoint), Math.floor(this.#clock.nowMs() / 1000));
    return { status, body: signatureLine(line) };
  }

  /** Keeps what contradicts, or might. @returns whether the log is caught now. */
  async #suspect(log: WitnessedLog, memory: WitnessMemory, note: string, status: WitnessStatus, split: SplitView | null): Promise<boolean> {
    const genuine = status === 200 || status === 409 || status === 422;
    const shown = genuine ? parseCheckpoint(note) : null;
    const doubted = shown && memory.doubts.map((doubt) => doubt.shown).find((other) => contradicts(parseCheckpoint(other)!, shown));
    const hard = (split && status === 409 ? split : null) ?? (doubted ? { seen: doubted, shown: note } : null);
    if (!hard && !split) return false;
    const doubts = split && !hard ? [...memory.doubts, split].slice(-DOUBTS_MAX) : memory.doubts;
    const kept = { ...memory, split: hard, doubts };
    await this.#store.save(log.origin, kept);
    this.#tell(kept);
    return hard !== null;
  }

  #tell(memory: WitnessMemory | null): void {
    this.size = memory ? parseCheckpoint(memory.note)!.size : null;
    this.split = memory?.split ?? null;
    this.doubts = memory?.doubts ?? [];
  }
}

/** A witness that answers this context's coordinator while `active`. */
export function witnessFor(context: RoleContext, active: () => boolean): Witness {
  const { identity, clock, control } = context;
  const witness = new Witness({ identity, clock, store: context.witness ?? new MemoryWitnessStore() });
  control.on((event) => {
    if (event.type !== 'checkpoint' || !active()) return;
    const log = { origin: control.network, key: control.coordinatorKey };
    // A store that fails is a cosignature not given: the coordinator asks again.
    witness.add(log, event.body).then(
      (answer) => control.request({ type: 'cosigned', ...answer }),
      () => {},
    );
  });
  return witness;
}
