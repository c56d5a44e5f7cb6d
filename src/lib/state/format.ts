/**
 * Numbers as people read them: with units, with few digits, and with "about" where they are
 * estimates. Refuses to round money: micro-tokens are integers and stay exact to the last digit.
 */

/** Micro-tokens as tokens, exact, at most six decimals, thin groups: `1 204.05`. */
export function tokens(micro: bigint | string): string {
  const value = typeof micro === 'bigint' ? micro : BigInt(micro);
  const sign = value < 0n ? '−' : '';
  const size = value < 0n ? -value : value;
  const decimals = (size % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${group((size / 1_000_000n).toString())}${decimals ? `.${decimals}` : ''}`;
}

/** An estimate in tokens, two significant digits. */
export function aboutTokens(micro: bigint | string): string {
  const value = Number(micro) / 1e6;
  if (value === 0) return '0';
  if (value < 1e-6) return 'under 0.000001';
  return trimmed(value, 2);
}

/** Two ends of an estimate, in as many digits as it takes to tell them apart, four at most. */
export function tokenRange(lowMicro: bigint, highMicro: bigint): string {
  const [low, high] = rangeOf(Number(lowMicro) / 1e6, Number(highMicro) / 1e6);
  return `${low} to ${high}`;
}

/** Two ends of a time. */
export function durationRange(low: number, high: number): string {
  const unit = high < 60 ? { name: 's', seconds: 1 } : high < 5400 ? { name: 'min', seconds: 60 } : { name: 'h', seconds: 3600 };
  return `${rangeOf(low / unit.seconds, high / unit.seconds).join(' to ')} ${unit.name}`;
}

function rangeOf(low: number, high: number): readonly [string, string] {
  for (let digits = 2; digits < 4; digits++) {
    const [a, b] = [trimmed(low, digits), trimmed(high, digits)];
    if (a !== b) return [a, b];
  }
  return [trimmed(low, 4), trimmed(high, 4)];
}

/** Whole numbers with thin-space groups. */
export const whole = (value: number): string => group(Math.round(value).toString());

/** Rates and sizes in three digits: `12.4 M`. */
export function scaled(value: number, unit = ''): string {
  const steps = ['', 'k', 'M', 'G', 'T'] as const;
  let step = 0;
  let rest = value;
  while (rest >= 999.5 && step < steps.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = rest >= 99.5 || step === 0 ? 0 : rest >= 9.95 ? 1 : 2;
  return [rest.toFixed(digits), `${steps[step]}${unit}`].filter(Boolean).join(' ');
}

export const bytes = (value: number): string => scaled(value, 'B');

/** `4 s`, `2 min 10 s`, `3 h 05 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${String(total % 60).padStart(2, '0')} s`;
  return `${whole(Math.floor(total / 3600))} h ${String(Math.floor((total % 3600) / 60)).padStart(2, '0')} min`;
}

/** An estimate of time: coarse steps, so that it does not flicker. */
export function aboutDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'measuring…';
  if (seconds < 1) return 'under a second';
  if (seconds < 60) return `about ${Math.ceil(seconds / (seconds < 10 ? 1 : 5)) * (seconds < 10 ? 1 : 5)} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return `about ${trimmed(seconds / 3600, 2)} h`;
}

/** Local wall-clock time, `12:04:31`. */
export const clockTime = (ms: number): string => new Date(ms).toLocaleTimeString('en-GB');

/** `22 Nov 2026, 12:04`. */
export const dateTime = (ms: number): string =>
  new Date(ms).toLocaleString('en-GB', { day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' });

/** `1 lease`, `3 leases`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${whole(n)} ${n === 1 ? one : many}`;

/** First digits of an id or key; the whole one belongs in a title or a copy. */
export const short = (hex: string): string => (hex.length > 12 ? `${hex.slice(0, 8)}…` : hex);

const group = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, '\u202f');

function trimmed(value: number, digits: number): string {
  const text = Number(value.toPrecision(digits));
  return text >= 1000 ? group(text.toString()) : text.toLocaleString('en-GB', { maximumFractionDigits: 6 });
}
