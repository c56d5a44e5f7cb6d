/**
 * What a person chose for the next order: size, quality, limits; and what that would cost, by the
 * preview's measurement at the market's price. Refuses to send anything: it only says what would be sent.
 */
import { NOISE_LEVELS, SIZES, type QualityName, type SizeName } from './choices.ts';
import type { MarketDesk } from './market.svelte.ts';
import type { Preview } from './preview.svelte.ts';
import { microOf } from '../market/ask.ts';
import { quoteOf, samplesWithin, workOf, type Quote, type Wanted } from '../market/estimate.ts';
import { tierOf } from '../market/tiers.ts';
import type { Policy } from '../protocol/control.ts';
import { PASS_SAMPLES_MAX } from '../protocol/limits.ts';
import { priceIn } from '../protocol/market.ts';
import type { DeviceRoom } from '../gpu/engine.ts';
import type { JobChoice } from '../roles/types.ts';

const BOUNCES = 8;

/** What a choice says to an order, beside scene and camera. */
export type Chosen = Pick<JobChoice, 'width' | 'height' | 'samples' | 'bounces' | 'transparent' | 'seed'> & {
  readonly terms: Pick<NonNullable<JobChoice['terms']>, 'noisePpm' | 'priceMaxMicro' | 'proven'>;
};

export class OrderChoice {
  sizeName = $state<SizeName>('screen');
  customWidth = $state(640);
  customHeight = $state(360);
  qualityName = $state<QualityName>('draft');
  customSamples = $state(32);
  /** What stands behind the scene becomes alpha. */
  transparent = $state(false);
  /** The most that a work unit may cost, as it was typed; empty: what the cap leaves. */
  priceText = $state('');
  /** Only workers beyond their probation. */
  proven = $state(false);
  readonly width = $derived(this.sizeName === 'custom' ? this.customWidth : SIZES[this.sizeName].width);
  readonly height = $derived(this.sizeName === 'custom' ? this.customHeight : SIZES[this.sizeName].height);
  readonly priceMaxMicro: bigint | null = $derived(microOf(this.priceText.trim()));
  /** What is wrong with what was typed, in a sentence; empty while nothing is. */
  readonly fault = $derived(
    this.priceText.trim() === '' || this.priceMaxMicro !== null
      ? ''
      : 'The limit for a work unit is a number of tokens above 0, with at most six decimals. Nothing is sent until it is, or is left empty.',
  );
  readonly bounces = BOUNCES;
  readonly #preview: Preview;
  readonly #market: MarketDesk;

  constructor(preview: Preview, market: MarketDesk) {
    this.#preview = preview;
    this.#market = market;
  }

  get chosen(): Chosen {
    const { width, height, transparent, bounces, proven, priceMaxMicro } = this;
    const { samples, noisePpm } = this.#wanted(this.qualityName);
    const terms = {
      ...(noisePpm === undefined ? {} : { noisePpm }),
      ...(priceMaxMicro === null ? {} : { priceMaxMicro: String(priceMaxMicro) }),
      ...(proven ? { proven } : {}),
    };
    return { width, height, samples, bounces, transparent, seed: 0, terms };
  }

  /** Mean samples per pixel that a quality takes in this picture; null before that is measured. */
  samplesOf(name: QualityName): number | null {
    const { regions } = this.#preview;
    const wanted = this.#wanted(name);
    if (wanted.noisePpm === undefined) return wanted.samples;
    return regions.length > 0 ? workOf(wanted, regions, wanted.noisePpm / 1e6).samples : null;
  }

  /** What a work unit costs in the market of such a scene; the operator's price where there is no market. */
  priceMicro(policy: Policy, sceneNeeds: DeviceRoom): bigint {
    const { view } = this.#market;
    return (view && priceIn(view, tierOf({ sceneNeeds, proven: this.proven }))) ?? BigInt(policy.pricePerWorkUnitMicro);
  }

  /** Of one picture. */
  quote(policy: Policy, sceneNeeds: DeviceRoom): Quote {
    const { regions } = this.#preview;
    return quoteOf(this.#wanted(this.qualityName), regions, { priceMicro: this.priceMicro(policy, sceneNeeds), policy });
  }

  #wanted(name: QualityName): Wanted {
    const { width, height, bounces } = this;
    const { costPerMille, regions } = this.#preview;
    const all = { width, height, bounces, passSamples: PASS_SAMPLES_MAX, costPerMille: costPerMille ?? undefined };
    if (name === 'custom') return { ...all, samples: this.customSamples };
    const { noisePpm, samplesMax } = NOISE_LEVELS[name];
    const order = { ...all, noisePpm, samples: samplesMax };
    return { ...order, samples: samplesWithin(order, regions, noisePpm / 1e6) };
  }
}
