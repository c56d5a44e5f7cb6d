/** The tables of trust: what workers and checkers have shown, known answers, appeals and what people say of them. */
import { boolean, doublePrecision, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { micro, safe } from './columns.ts';

/** Workers' records (trust/standing). */
export const standings = pgTable('standings', {
  worker: text('worker').primaryKey(),
  passes: integer('passes').notNull().default(0),
  faults: integer('faults').notNull().default(0),
  doubts: integer('doubts').notNull().default(0),
  topMicro: micro('top_micro').notNull().default(0n),
  /** Running bets of the sequential test (trust/aggregate). */
  differing: doublePrecision('differing').notNull().default(1),
  brighter: doublePrecision('brighter').notNull().default(1),
  darker: doublePrecision('darker').notNull().default(1),
  /** When it was last paid. */
  lastMs: safe('last_ms').notNull().default(0),
});
/** What checks said of a worker since its last doubt or fault, in the order of the log. */
export const observations = pgTable('observations', {
  /** Index of the verdict's leaf. */
  leaf: safe('leaf').primaryKey(),
  worker: text('worker').notNull(),
  checker: text('checker').notNull(),
  paths: safe('paths').notNull(),
  pathsEqual: safe('paths_equal').notNull(),
  biasPpm: integer('bias_ppm').notNull(),
});
/** Checkers' records (trust/grading). */
export const grades = pgTable('grades', {
  checker: text('checker').primaryKey(),
  good: integer('good').notNull(),
  goodRight: integer('good_right').notNull(),
  bad: integer('bad').notNull(),
  badRight: integer('bad_right').notNull(),
  answered: integer('answered').notNull(),
  missed: integer('missed').notNull(),
});

/** Drills under seal: the worker's envelope, until a checker has spoken (trust/drill). */
export const drills = pgTable('drills', {
  lease: text('lease').primaryKey(),
  root: text('root').notNull(),
  tells: text('tells').notNull(),
  request: text('request').notNull(),
  payload: text('payload').notNull(),
  key: text('key').notNull(),
  sig: text('sig').notNull(),
});
export type DrillRow = typeof drills.$inferSelect;

export const appeals = pgTable('appeals', {
  lease: text('lease').primaryKey(),
  text: text('text').notNull(),
  atMs: safe('at_ms').notNull(),
  outcome: text('outcome', { enum: ['open', 'granted', 'denied'] })
    .notNull()
    .default('open'),
});
/** What people say of cases. */
export const words = pgTable(
  'words',
  {
    lease: text('lease').notNull(),
    reviewer: text('reviewer').notNull(),
    word: text('word', { enum: ['accept', 'reject', 'unsure'] }).notNull(),
    house: boolean('house').notNull(),
    /** Said while an appeal was open. */
    heard: boolean('heard').notNull(),
    atMs: safe('at_ms').notNull(),
  },
  (t) => [primaryKey({ columns: [t.lease, t.reviewer] })],
);
