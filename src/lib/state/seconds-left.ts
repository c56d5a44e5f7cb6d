/** When a picture will be done, by its pace so far. Refuses to say before there is one. */

/** Seconds left at the pace so far; null while too little has settled to tell. */
export function secondsLeft(done: number, total: number, elapsedSeconds: number): number | null {
  if (done < 1 || elapsedSeconds < 1) return null;
  return ((total - done) / done) * elapsedSeconds;
}
