/** Capabilities (trust/capability) as they are told with work: issued once per job and key, and again when half of their time is over. */
import { issueCapability } from '../trust/capability.ts';
import type { Core } from './core.ts';

const CAPABILITY_MS = 24 * 3_600_000;
const KEPT_MAX = 20_000;

export class Capabilities {
  readonly #core: Core;
  readonly #issued = new Map<string, string>();

  constructor(core: Core) {
    this.#core = core;
  }

  async of(job: string, key: string): Promise<string> {
    const { clock, identity, network } = this.#core;
    const period = Math.floor((clock.nowMs() * 2) / CAPABILITY_MS);
    const name = `${period}/${job}/${key}`;
    const known = this.#issued.get(name);
    if (known) return known;
    if (this.#issued.size >= KEPT_MAX) this.#issued.clear();
    const untilMs = Math.round(((period + 2) * CAPABILITY_MS) / 2);
    const made = await issueCapability(identity, { network, job, key, untilMs });
    this.#issued.set(name, made);
    return made;
  }
}
