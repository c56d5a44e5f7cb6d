/**
 * The tables as drizzle sees them. Constraints, triggers and indexes live in migrations.ts, which
 * alone creates anything; a unit test compares the columns of both.
 */
import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { ENTRY_KINDS } from '../../ledger/leaf.ts';
import { bytea, micro, safe } from './columns.ts';

export const meta = pgTable('meta', { key: text('key').primaryKey(), value: text('value').notNull() });

export const requests = pgTable('requests', {
  hash: text('hash').primaryKey(),
  key: text('key').notNull(),
  purpose: text('purpose').notNull(),
  ref: text('ref').notNull(),
  payload: text('payload').notNull(),
  sig: text('sig').notNull(),
  atMs: safe('at_ms').notNull(),
});

export const logHead = pgTable('log_head', {
  one: boolean('one').primaryKey(),
  size: safe('size').notNull(),
  /** Which store wrote last (store.ts). */
  writer: text('writer').notNull().default(''),
});
export const logLeaves = pgTable('log_leaves', {
  index: safe('index').primaryKey(),
  bytes: bytea('bytes').notNull(),
  hash: bytea('hash').notNull(),
});
export const logTiles = pgTable(
  'log_tiles',
  { level: integer('level').notNull(), index: safe('index').notNull(), hashes: bytea('hashes').notNull() },
  (t) => [primaryKey({ columns: [t.level, t.index] })],
);

/** Checkpoints that were shown to witnesses, as the log signed them. */
export const checkpoints = pgTable('checkpoints', {
  size: safe('size').primaryKey(),
  note: text('note').notNull(),
  atMs: safe('at_ms').notNull(),
});
export const cosignatures = pgTable(
  'cosignatures',
  { size: safe('size').notNull(), witness: text('witness').notNull(), line: text('line').notNull(), atMs: safe('at_ms').notNull() },
  (t) => [primaryKey({ columns: [t.size, t.witness] })],
);
/** What each witness cosigned last: where its next proof starts. */
export const witnesses = pgTable('witnesses', {
  key: text('key').primaryKey(),
  size: safe('size').notNull(),
  atMs: safe('at_ms').notNull(),
});

export const balances = pgTable('balances', { account: text('account').primaryKey(), micro: micro('micro').notNull() });
export const entries = pgTable('entries', {
  /** Index of the entry's leaf in the log. */
  id: safe('id').primaryKey(),
  kind: text('kind', { enum: ENTRY_KINDS }).notNull(),
  account: text('account'),
  job: text('job'),
  lease: text('lease'),
  request: text('request'),
  atMs: safe('at_ms').notNull(),
});
export const postings = pgTable(
  'postings',
  { entry: safe('entry').notNull(), account: text('account').notNull(), micro: micro('micro').notNull() },
  (t) => [primaryKey({ columns: [t.entry, t.account] })],
);

export const jobs = pgTable('jobs', {
  id: text('id').primaryKey(),
  creator: text('creator').notNull(),
  orderJson: text('order_json').notNull(),
  orderHash: text('order_hash').notNull(),
  capMicro: micro('cap_micro').notNull(),
  priceMicro: micro('price_micro').notNull(),
  checkerShare: integer('checker_share').notNull(),
  feeShare: integer('fee_share').notNull(),
  leavesPerCheck: integer('leaves_per_check').notNull(),
  state: text('state', { enum: ['open', 'done', 'cancelled', 'failed'] }).notNull(),
  reason: text('reason').notNull(),
  slots: integer('slots').notNull(),
  nextSlot: integer('next_slot').notNull().default(0),
  settled: integer('settled').notNull().default(0),
  redone: integer('redone').notNull().default(0),
  checks: integer('checks').notNull().default(0),
  segments: safe('segments').notNull().default(0),
  spentMicro: micro('spent_micro').notNull().default(0n),
  /** What settled leases would have cost without the cap. */
  workMicro: micro('work_micro').notNull().default(0n),
  refunded: boolean('refunded').notNull().default(false),
  /** Tiles of which its creator wants no more, JSON. */
  quiet: text('quiet').notNull().default('[]'),
  createdMs: safe('created_ms').notNull(),
});
export type JobRow = typeof jobs.$inferSelect;

export const redo = pgTable(
  'redo',
  {
    job: text('job').notNull(),
    slot: integer('slot').notNull(),
    attempt: integer('attempt').notNull(),
    failures: integer('failures').notNull(),
  },
  (t) => [primaryKey({ columns: [t.job, t.slot] })],
);

export const leases = pgTable('leases', {
  id: text('id').primaryKey(),
  job: text('job').notNull(),
  slot: integer('slot').notNull(),
  attempt: integer('attempt').notNull(),
  failures: integer('failures').notNull(),
  /** Which of its slot's two places it takes: 0, or at the end of a job the one beside a slow lease. */
  place: integer('place').notNull().default(0),
  /** The lease that was issued for the same slot while this one ran; null for all but a few. */
  twin: text('twin'),
  worker: text('worker').notNull(),
  workerPeer: text('worker_peer').notNull(),
  state: text('state', { enum: ['granted', 'committed', 'settled', 'voided', 'released'] }).notNull(),
  grantedMs: safe('granted_ms').notNull(),
  deadlineMs: safe('deadline_ms').notNull(),
  root: text('root'),
  segments: safe('segments'),
  committedMs: safe('committed_ms'),
  adapterClass: text('adapter_class').notNull().default(''),
  /** What each leaf can tell (trust/weights); null in leases committed before that was asked. */
  weights: text('weights'),
  /** A second opinion is due after a first that passes. */
  second: boolean('second').notNull().default(false),
  received: boolean('received').notNull().default(false),
  corrupt: integer('corrupt').notNull().default(0),
  /** How often the creator said that the film never came. */
  missing: integer('missing').notNull().default(0),
  unavailable: integer('unavailable').notNull().default(0),
  verdict: text('verdict', { enum: ['pass', 'fail'] }),
  verdictMs: safe('verdict_ms'),
  endedMs: safe('ended_ms'),
  reason: text('reason'),
  /** What its worker is asked to spoil (trust/drill), as JSON; null asks for nothing. */
  drill: text('drill'),
  /** Voided over a fault of its worker. */
  faulted: boolean('faulted').notNull().default(false),
  shader: text('shader').notNull().default(''),
  /** The market's round at whose prices it was leased; null: at its job's. */
  round: safe('round'),
  buyMicro: micro('buy_micro'),
  sellMicro: micro('sell_micro'),
});
export type LeaseRow = typeof leases.$inferSelect;

/** Rounds of the market, as the log has them, and what they leave behind. */
export const rounds = pgTable('rounds', {
  round: safe('round').primaryKey(),
  tier: text('tier').notNull(),
  atMs: safe('at_ms').notNull(),
  /** RoundRecord, JSON. */
  record: text('record').notNull(),
  /** Reference after it, JSON. */
  reference: text('reference').notNull(),
  buyMicro: micro('buy_micro').notNull(),
  sellMicro: micro('sell_micro').notNull(),
  /** Thousandths of a work unit. */
  units: safe('units').notNull(),
});

export const beacons = pgTable('beacons', {
  chain: integer('chain').primaryKey(),
  seed: text('seed').notNull(),
  length: integer('length').notNull(),
  next: integer('next').notNull(),
});
export const nonces = pgTable('nonces', {
  commitment: text('commitment').primaryKey(),
  checker: text('checker').notNull(),
  /** The session that knows the nonce: another session of the same key does not. */
  checkerPeer: text('checker_peer').notNull(),
  used: boolean('used').notNull().default(false),
});
export type NonceRow = typeof nonces.$inferSelect;
export const checks = pgTable('checks', {
  nonceCommitment: text('nonce_commitment').primaryKey(),
  lease: text('lease').notNull(),
  checker: text('checker').notNull(),
  checkerPeer: text('checker_peer').notNull(),
  beacon: text('beacon').notNull(),
  state: text('state', { enum: ['drawn', 'pass', 'fail', 'unavailable', 'expired', 'withdrawn'] }).notNull(),
  deadlineMs: safe('deadline_ms').notNull(),
  /** How many leaves are drawn, and with which chance all of them. */
  leaves: integer('leaves').notNull(),
  auditPpm: integer('audit_ppm').notNull().default(0),
  /** What its checker committed to before it saw the film, and the beacon after that (trust/retrace). */
  retraceRoot: text('retrace_root'),
  retraceBeacon: text('retrace_beacon'),
  /** Of the device that judged. */
  adapterClass: text('adapter_class').notNull().default(''),
  reason: text('reason'),
  /** Were all leaves drawn? Known with the verdict. */
  whole: boolean('whole').notNull().default(false),
  /** Indices of the drawn leaves, joined by commas; known with the verdict, as what follows. */
  drawn: text('drawn').notNull().default(''),
  paths: safe('paths').notNull().default(0),
  pathsEqual: safe('paths_equal').notNull().default(0),
  pixelsWrong: safe('pixels_wrong').notNull().default(0),
  atMs: safe('at_ms').notNull().default(0),
});
export type CheckRow = typeof checks.$inferSelect;

export const faults = pgTable(
  'faults',
  { worker: text('worker').notNull(), job: text('job').notNull(), count: integer('count').notNull() },
  (t) => [primaryKey({ columns: [t.worker, t.job] })],
);
export const meters = pgTable('meters', {
  worker: text('worker').primaryKey(),
  segments: safe('segments').notNull(),
  traceMs: safe('trace_ms').notNull(),
});
export type MeterRow = typeof meters.$inferSelect;

export * from './schema-trust.ts';
