/** A worker's appeals against rejections of this tab's leases: once per lease, with a sentence of its own. */
import { SvelteMap } from 'svelte/reactivity';
import type { Connection } from './connection.svelte.ts';

export type AppealState = 'sending' | 'sent' | 'refused';

export class Appeals {
  /** Lease → how its appeal stands, and why where it was refused. */
  readonly known = new SvelteMap<string, { readonly state: AppealState; readonly text: string }>();
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async send(lease: string, text: string): Promise<void> {
    const before = this.known.get(lease)?.state;
    if (before === 'sending' || before === 'sent') return;
    this.#note(lease, 'sending', '');
    try {
      const { control } = await this.#connection.open();
      const outcome = await control.submit('lease.appeal', { lease, text });
      if (outcome.status === 'refused') this.#note(lease, 'refused', outcome.text);
      else this.#note(lease, 'sent', outcome.status === 'ok' ? '' : 'It goes out when the coordinator is back.');
    } catch {
      this.#note(lease, 'refused', 'It could not be sent; try again.');
    }
  }

  #note(lease: string, state: AppealState, text: string): void {
    this.known.set(lease, { state, text });
  }
}

/** Only what checks rejected can be appealed against. */
export const appealable = (reason: string): boolean => reason.startsWith('check-');
