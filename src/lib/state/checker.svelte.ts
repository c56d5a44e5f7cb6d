/** The desk of someone who checks: present or not, what was found, and the record that is looked at now. */
import { problem, type Problem } from './problem.ts';
import { isLit } from './review-image.ts';
import type { Connection } from './connection.svelte.ts';
import type { CheckerRole } from '../roles/checker.ts';
import type { CheckerStatus, CheckRecord } from '../roles/types.ts';

const OFF: CheckerStatus = {
  state: 'off',
  reason: 'You are not checking. Nothing is traced here.',
  passed: 0,
  failed: 0,
  unavailable: 0,
  records: [],
};

const WORDS: Readonly<Record<CheckerStatus['state'], string>> = {
  off: 'Off',
  connecting: 'Connecting',
  waiting: 'Waiting for results',
  fetching: 'Fetching scene',
  checking: 'Re-tracing',
};

export class CheckerDesk {
  status = $state.raw<CheckerStatus>(OFF);
  trouble = $state.raw<Problem | null>(null);
  /** Lease of the record a person picked; null follows the newest doubt, else the newest with light in it. */
  picked = $state<string | null>(null);
  readonly on = $derived(this.status.state !== 'off');
  readonly word = $derived(WORDS[this.status.state]);
  readonly shown: CheckRecord | null = $derived(toShow(this.status.records, this.picked));
  readonly #connection: Connection;
  #role: CheckerRole | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async start(): Promise<void> {
    if (this.on) return;
    this.trouble = null;
    this.status = { ...this.status, state: 'connecting', reason: 'Getting the GPU ready and finding the network.' };
    try {
      const role = await this.#open();
      if (!this.on) return;
      const device = await role.start();
      if (!device.ok) this.trouble = problem(device.text, 'Nothing was begun.', 'Reload the page; if it stays, restart the browser.');
    } catch (cause) {
      this.status = { ...this.status, state: 'off', reason: OFF.reason };
      this.trouble = problem(
        'This tab could not start checking.',
        'Nothing was begun.',
        'Check the connection and press Start again.',
        cause,
      );
    }
  }

  async stop(): Promise<void> {
    if (this.#role) await this.#role.stop();
    this.status = { ...this.status, state: 'off', reason: OFF.reason };
  }

  async #open(): Promise<CheckerRole> {
    if (this.#role) return this.#role;
    const [context, { CheckerRole: Role }] = await Promise.all([this.#connection.open(), import('../roles/checker.ts')]);
    const role = new Role(context);
    role.onStatus((status) => (this.status = status.state === 'off' ? { ...status, reason: OFF.reason } : status));
    this.#role = role;
    return role;
  }
}

function toShow(records: readonly CheckRecord[], picked: string | null): CheckRecord | null {
  const asked = records.find((record) => record.lease === picked);
  const doubted = records.find((record) => record.verdict === 'fail');
  const lit = records.find(({ sample }) => sample && isLit(sample.traced));
  return asked ?? doubted ?? lit ?? records[0] ?? null;
}
