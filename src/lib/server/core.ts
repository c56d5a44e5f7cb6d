/**
 * What every part of the coordinator shares. Durable state is in the store; what hangs here may be
 * lost at any moment without losing anything that was acknowledged.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { Policy, ServerMessage } from '../protocol/control.ts';
import type { Identity } from '../protocol/envelope.ts';
import type { Beacon } from './beacon.ts';
import type { Clock } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Lists } from './lists.ts';
import type { LogService } from './log.ts';
import type { Sessions } from './sessions.ts';
import type { Store } from './store/store.ts';
import type { TrustRules } from '../trust/rules.ts';
import type { Witnesses } from './witnesses.ts';

export type IceServers = Extract<ServerMessage, { type: 'welcome' }>['iceServers'];

export interface Core {
  readonly network: string;
  readonly identity: Identity;
  readonly policy: Policy;
  readonly rules: TrustRules;
  /** Whom the operator bars, and whose word it takes. */
  readonly lists: Lists;
  readonly iceServers: IceServers;
  readonly clock: Clock;
  readonly store: Store;
  readonly log: LogService;
  readonly witnesses: Witnesses;
  readonly beacon: Beacon;
  readonly counters: Counters;
  readonly sessions: Sessions;
  readonly random: (count: number) => Bytes;
  readonly logger: (line: string) => void;
  /** When this coordinator came up: whoever held a lease then has until the silence bound to come back. */
  readonly startedMs: number;
  readonly wake: Wake;
  /** Does this instance match and reap? Of those that share a database one does. */
  readonly leads: () => boolean;
  /** Aborts when the coordinator closes. */
  readonly closing: AbortSignal;
}

/** Marks that something may be possible or worth telling now; the work itself is done soon after, once. */
export interface Wake {
  /** Leases may be granted, checks drawn. */
  match(): void;
  job(job: string): void;
  balance(key: string): void;
  /** Tell this peer again what it holds. */
  resend(peer: string): void;
  network(): void;
}

/** A request that can't be served: answered to its one caller, and nothing has changed. */
export interface Refusal {
  readonly ok: false;
  /** Machine-readable, lower-case words joined by hyphens. */
  readonly reason: string;
  /** One sentence for people. */
  readonly text: string;
}

export const refuse = (reason: string, text: string): Refusal => ({ ok: false, reason, text });
