/**
 * What this browser's worker asks for a work unit: the operator's price, a number, or what its
 * electricity costs and a margin. Kept between visits. Half of a sum, or words that are no number, ask
 * nothing new: the last thing that was whole goes on being asked.
 */
import { askOf, microOf, remainsPerHour, wattsOf, type Ask, type AskChoice } from '../market/ask.ts';
import type { Policy } from '../protocol/control.ts';
import { recall, remember } from './remember.ts';

export const ASK_KINDS = ['operator', 'price', 'power'] as const satisfies readonly AskChoice['kind'][];
export type AskKind = (typeof ASK_KINDS)[number];
const FIELDS = ['kind', 'price', 'watts', 'kwh'] as const;

export class AskDesk {
  #kind = $state<AskKind>('operator');
  #price = $state('');
  #watts = $state('');
  #kwh = $state('');
  #asked = $state.raw<AskChoice>({ kind: 'operator' });
  readonly #onask: () => void;

  /** What is said now; null while it is not whole. */
  readonly choice: AskChoice | null = $derived(choiceOf(this.#kind, this.#price, this.#watts, this.#kwh));
  /** What is missing, in a sentence; empty while nothing is. */
  readonly fault = $derived(this.choice ? '' : MISSING[this.#kind]);

  /** @param onask told when another price is asked. */
  constructor(onask: () => void) {
    this.#onask = onask;
  }

  get kind(): AskKind {
    return this.#kind;
  }
  set kind(kind: AskKind) {
    this.#kind = kind;
    this.#take('kind', kind);
  }

  get price(): string {
    return this.#price;
  }
  set price(text: string) {
    this.#price = text;
    this.#take('price', text);
  }

  get watts(): string {
    return this.#watts;
  }
  set watts(text: string) {
    this.#watts = text;
    this.#take('watts', text);
  }

  get kwh(): string {
    return this.#kwh;
  }
  set kwh(text: string) {
    this.#kwh = text;
    this.#take('kwh', text);
  }

  /** For RoleContext.ask: as it is at each call. */
  readonly ask: Ask = (workUnitsPerSecond) => askOf(this.#asked)(workUnitsPerSecond);

  /** Micro-tokens that an hour leaves at this speed and at what is asked; null before the speed is measured. */
  remains(policy: Policy, workUnitsPerSecond: number): number | null {
    if (!(workUnitsPerSecond > 0)) return null;
    const { priceMicro = policy.pricePerWorkUnitMicro } = this.ask(workUnitsPerSecond);
    return remainsPerHour(BigInt(priceMicro), workUnitsPerSecond, policy, this.#asked.kind === 'power' ? this.#asked : null);
  }

  /** What was chosen on an earlier visit. Called once the page runs in a browser. */
  recall(): void {
    const [kind, price, watts, kwh] = FIELDS.map((name) => recall('browser', `ask-${name}`) ?? '');
    this.#kind = ASK_KINDS.find((one) => one === kind) ?? 'operator';
    [this.#price, this.#watts, this.#kwh] = [price!, watts!, kwh!];
    this.#asked = this.choice ?? { kind: 'operator' };
  }

  #take(name: (typeof FIELDS)[number], text: string): void {
    remember('browser', `ask-${name}`, text);
    const { choice } = this;
    if (!choice) return;
    this.#asked = choice;
    this.#onask();
  }
}

const MISSING: Record<AskKind, string> = {
  operator: '',
  price: 'Say a number of tokens above 0, with at most six decimals. Until then the price before it is asked.',
  power: 'Say the watts and what a kilowatt hour costs in tokens, both above 0. Until then the price before it is asked.',
};

function choiceOf(kind: AskKind, price: string, wattsText: string, kwh: string): AskChoice | null {
  if (kind === 'operator') return { kind };
  if (kind === 'price') {
    const priceMicro = microOf(price.trim());
    return priceMicro === null ? null : { kind, priceMicro };
  }
  const [watts, kwhMicro] = [wattsOf(wattsText.trim()), microOf(kwh.trim())];
  return watts === null || kwhMicro === null ? null : { kind, watts, kwhMicro: Number(kwhMicro) };
}
