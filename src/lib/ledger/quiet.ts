/**
 * Tiles of which a creator wants no more: who may say so, when a job is complete without their other
 * passes, and how long what was leased before may still come.
 */
import { tileCount } from '../job/plan.ts';
import { LEASE_DEADLINE_MAX_MS, SCENE_ALLOWANCE_MS } from '../protocol/limits.ts';
import type { Leaf } from './leaf.ts';
import type { JobState } from './postings.ts';

export function quietFault(leaf: Leaf<'quiet'>, job: JobState | undefined): string | null {
  if (!job || job.closed) return 'Tiles are called quiet of a job that is not open.';
  if (leaf.signed.key !== job.leaf.creator) return 'Tiles are called quiet by somebody else than their creator.';
  const tiles = tileCount(job.order);
  for (const tile of leaf.tiles) {
    if (tile >= tiles) return 'A tile is called quiet that its job does not have.';
    if (!job.quiet.has(tile)) job.quiet.set(tile, leaf.atMs);
  }
  return null;
}

/** Is everything settled that is still wanted? */
export function isComplete({ order, slots, settled, taken, quiet }: JobState): boolean {
  if (settled === slots) return true;
  if (quiet.size === 0 || taken.size > settled) return false;
  const tiles = tileCount(order);
  for (let slot = 0; slot < slots; slot++) if (!taken.has(slot) && !quiet.has(slot % tiles)) return false;
  return true;
}

/** A commitment to a pass that nobody can have been leased any more. */
export function unwantedFault({ slot, atMs }: Leaf<'commitment'>, { order, quiet }: JobState): string | null {
  const since = quiet.get(slot % tileCount(order));
  const late = since !== undefined && atMs > since + LEASE_DEADLINE_MAX_MS + SCENE_ALLOWANCE_MS;
  return late ? 'A commitment to a pass of a tile that was quiet long before.' : null;
}
