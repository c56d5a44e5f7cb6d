/**
 * What a worker asks for a work unit, from the command line: a number, or what its electricity costs at
 * the speed it was measured at. Refuses half of a sum.
 */
import { automaticAsk } from '#lib/market/ask.ts';
import { UsageError } from './command.ts';

export type Ask = (segmentsPerSecond: number) => { readonly priceMicro?: string };

interface AskWords {
  readonly ask?: string | undefined;
  readonly watts?: string | undefined;
  readonly kwh?: string | undefined;
}

/** @returns null: the operator's price. @throws UsageError */
export function readAsk({ ask, watts, kwh }: AskWords): Ask | null {
  if (ask !== undefined) {
    if (watts !== undefined || kwh !== undefined) throw new UsageError('--ask says the price itself: leave out --watts and --kwh');
    const priceMicro = String(micro('ask', ask));
    return () => ({ priceMicro });
  }
  if (watts === undefined && kwh === undefined) return null;
  if (watts === undefined || kwh === undefined)
    throw new UsageError('--watts and --kwh go together: what it draws, and what a kilowatt hour costs');
  const [drawn, kwhMicro] = [Number(watts), Number(micro('kwh', kwh))];
  if (!(drawn > 0 && drawn < 1e6)) throw new UsageError(`--watts '${watts}': a number of watts is needed`);
  // Before anything was measured, the operator's price.
  return (perSecond) =>
    perSecond > 0 ? { priceMicro: String(automaticAsk({ watts: drawn, kwhMicro, workUnitsPerSecond: perSecond / 1e9 })) } : {};
}

function micro(name: string, tokens: string): bigint {
  const value = Number(tokens);
  if (!/^[0-9]+(\.[0-9]{1,6})?$/.test(tokens) || value <= 0 || value > 1e9)
    throw new UsageError(`--${name} '${tokens}': tokens are needed, with at most six decimals`);
  return BigInt(Math.round(value * 1e6));
}
