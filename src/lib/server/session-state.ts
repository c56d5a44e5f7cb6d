/**
 * What other instances must know of a session to match, tell and reach it: presence only, as JSON in a
 * table that a crash may empty. Each says it again, so nothing durable hangs on it.
 */
import type { Session } from './sessions.ts';

export function stateOf(session: Session): string {
  const { key, roles, adapter, leasesWanted, asks, stands, bytesMax, holds, checksWanted, prefix } = session;
  return JSON.stringify({
    ...{ key, roles: [...roles], adapter, leasesWanted, asks, stands, bytesMax, holds, checksWanted, prefix },
    askMicro: session.askMicro === null ? null : String(session.askMicro),
    blobs: [...session.blobs],
    commitments: [...session.commitments],
    watching: [...session.watching],
    proven: [...session.proven],
  });
}

/** As `stateOf` wrote it, by an instance of the same release. */
export interface SessionState extends Pick<
  Session,
  'key' | 'adapter' | 'leasesWanted' | 'asks' | 'stands' | 'bytesMax' | 'holds' | 'checksWanted' | 'prefix'
> {
  readonly roles: Session['roles'] extends ReadonlySet<infer R> ? readonly R[] : never;
  readonly askMicro: string | null;
  readonly blobs: readonly string[];
  readonly commitments: readonly string[];
  readonly watching: readonly string[];
  readonly proven: readonly string[];
}

/** @param nowMs when its instance was last heard. */
export function applyState(session: Session, state: SessionState, nowMs: number): void {
  session.roles = new Set(state.roles);
  session.adapter = state.adapter;
  // What was granted since the last ask was taken off here, and not where the ask came in.
  if (session.asks !== state.asks) session.leasesWanted = state.leasesWanted;
  session.asks = state.asks;
  session.askMicro = state.askMicro === null ? null : BigInt(state.askMicro);
  const { stands, bytesMax, holds, checksWanted } = state;
  Object.assign(session, { stands, bytesMax, holds, checksWanted });
  session.blobs = new Set(state.blobs);
  session.commitments = new Set(state.commitments);
  for (const [mine, theirs] of [
    [session.watching, state.watching],
    [session.proven, state.proven],
  ] as const) {
    mine.clear();
    for (const job of theirs) mine.add(job);
  }
  session.lastSeenMs = nowMs;
}
