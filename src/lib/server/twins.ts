/**
 * Two leases of one slot, at the end of a job. The one that was committed first is checked first, and the
 * other only if that one fails; the one that passes is paid, and the other ends then without blame or pay.
 * Nobody chooses between them: neither a creator by its receipt, nor who copies a film that was committed
 * before its own.
 */
import type { LeaseRow } from './store/schema.ts';
import type { Tx } from './store/store.ts';

type LiveLease = LeaseRow & { readonly state: 'granted' | 'committed' };
const isLive = (lease: LeaseRow): lease is LiveLease => lease.state === 'granted' || lease.state === 'committed';

/** Why a lease ended whose slot another one was quicker with. */
export const TWIN_PASSED = 'twin-passed';

/** The other live lease of the same slot. */
export async function twinOf({ rows }: Pick<Tx, 'rows'>, { twin }: Pick<LeaseRow, 'twin'>): Promise<LiveLease | null> {
  const other = twin === null ? null : await rows.leases.get(twin);
  return other && isLive(other) ? other : null;
}

/** Was another of its slot committed before it, and is that one undecided? Then it is not this one's turn to be checked. */
export async function isBehind(tx: Pick<Tx, 'rows'>, lease: LeaseRow): Promise<boolean> {
  const twin = await twinOf(tx, lease);
  return twin?.state === 'committed' && twin.committedMs! < lease.committedMs!;
}
