/**
 * What a worker asks for a work unit, from the command line: a number, or what its electricity costs at
 * the speed it was measured at. Refuses half of a sum.
 */
import { askOf, microOf, wattsOf, type Ask } from '#lib/market/ask.ts';
import { UsageError } from './command.ts';

interface AskWords {
  readonly ask?: string | undefined;
  readonly watts?: string | undefined;
  readonly kwh?: string | undefined;
}

/** @returns null: the operator's price. @throws UsageError */
export function readAsk({ ask, watts, kwh }: AskWords): Ask | null {
  if (ask !== undefined) {
    if (watts !== undefined || kwh !== undefined) throw new UsageError('--ask says the price itself: leave out --watts and --kwh');
    return askOf({ kind: 'price', priceMicro: micro('ask', ask) });
  }
  if (watts === undefined && kwh === undefined) return null;
  if (watts === undefined || kwh === undefined)
    throw new UsageError('--watts and --kwh go together: what it draws, and what a kilowatt hour costs');
  const drawn = wattsOf(watts);
  if (drawn === null) throw new UsageError(`--watts '${watts}': a number of watts is needed`);
  return askOf({ kind: 'power', watts: drawn, kwhMicro: Number(micro('kwh', kwh)) });
}

function micro(name: string, tokens: string): bigint {
  const value = microOf(tokens);
  if (value === null) throw new UsageError(`--${name} '${tokens}': tokens are needed, with at most six decimals`);
  return value;
}
