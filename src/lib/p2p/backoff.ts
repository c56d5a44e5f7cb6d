/** Exponential back-off with jitter: attempt 0 waits up to `minMs`, later ones up to `maxMs`. */
export function backoffMs(attempt: number, minMs: number, maxMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 20));
  return minMs / 2 + random() * (ceiling - minMs / 2);
}
