/**
 * What an order through a network may say beside the picture: the most it pays for a work unit, the noise at which a
 * tile has had enough, and what happens once its limit pays too little for the work.
 */
import type { JobOrder } from '#lib/protocol/order.ts';
import { readNumber, UsageError } from './command.ts';

export type Terms = Pick<JobOrder, 'priceMaxMicro' | 'noisePpm' | 'proven' | 'atCap'>;

interface TermWords {
  readonly price?: string | undefined;
  readonly noise?: string | undefined;
  readonly proven: boolean;
  readonly 'at-cap'?: string | undefined;
  readonly network?: string | undefined;
}

/** @throws UsageError */
export function readTerms({ price, noise, proven, 'at-cap': atCap, network }: TermWords): Terms {
  if (!network && (price !== undefined || noise !== undefined || proven || atCap !== undefined))
    throw new UsageError('--price, --noise, --proven and --at-cap are for --network');
  if (atCap !== undefined && atCap !== 'finish' && atCap !== 'cancel')
    throw new UsageError(`--at-cap takes finish or cancel, not '${atCap}'`);
  return {
    ...(price === undefined ? {} : { priceMaxMicro: String(Math.round(readNumber('price', price, 1e-6, 1e9) * 1e6)) }),
    ...(noise === undefined ? {} : { noisePpm: Math.round(readNumber('noise', noise, 0.01, 100) * 1e4) }),
    ...(proven ? { proven } : {}),
    ...(atCap === undefined ? {} : { atCap }),
  };
}
