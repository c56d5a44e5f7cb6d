/** What an order through a network may say beside the picture: the most it pays for a work unit, and the noise at which a tile has had enough. */
import type { JobOrder } from '#lib/protocol/order.ts';
import { readNumber, UsageError } from './command.ts';

export type Terms = Pick<JobOrder, 'priceMaxMicro' | 'noisePpm' | 'proven'>;

interface TermWords {
  readonly price?: string | undefined;
  readonly noise?: string | undefined;
  readonly proven: boolean;
  readonly network?: string | undefined;
}

/** @throws UsageError */
export function readTerms({ price, noise, proven, network }: TermWords): Terms {
  if (!network && (price !== undefined || noise !== undefined || proven))
    throw new UsageError('--price, --noise and --proven are for --network');
  return {
    ...(price === undefined ? {} : { priceMaxMicro: String(Math.round(readNumber('price', price, 1e-6, 1e9) * 1e6)) }),
    ...(noise === undefined ? {} : { noisePpm: Math.round(readNumber('noise', noise, 0.01, 100) * 1e4) }),
    ...(proven ? { proven } : {}),
  };
}
