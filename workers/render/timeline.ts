/**
 * Stretches of work by name on the host's own performance timeline (W3C User Timing), where developer
 * tools and the bench read them. Keeps one entry per name, the latest; decides nothing by them.
 */

const PREFIX = 'pictor ';

/** The stretch from `start` until now. @param start performance.now() of its begin. @returns now: where the next one begins. */
export function stretch(name: string, start: number): number {
  const end = performance.now();
  performance.clearMeasures(PREFIX + name);
  performance.measure(PREFIX + name, { start, end });
  return end;
}

export interface Stretch {
  readonly name: string;
  /** Milliseconds on the timeline. */
  readonly startMs: number;
  readonly ms: number;
}

/** What is on this realm's timeline, in order of begin. */
export const stretches = (): Stretch[] =>
  performance
    .getEntriesByType('measure')
    .filter(({ name }) => name.startsWith(PREFIX))
    .map(({ name, startTime, duration }) => ({ name: name.slice(PREFIX.length), startMs: startTime, ms: duration }))
    .toSorted((a, b) => a.startMs - b.startMs);
