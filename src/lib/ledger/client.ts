/**
 * Fetches a coordinator's checkpoint and leaves. Says what could not be had instead of
 * throwing; believes nothing: `verifyLog` does the judging.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { LOG_PAGE_ENTRIES_MAX, LOG_TILE_HASHES } from '../protocol/limits.ts';
import { parseCheckpoint } from './checkpoint.ts';
import type { TileSource } from './tile-tree.ts';
import { formatTilePath, parseBundle, parseTile, type TileName } from './tiles.ts';

/** Tiles of a coordinator's log. A partial tile that is gone is cut from the full one (C2SP tlog-tiles). */
export function httpTiles(signal: AbortSignal, baseUrl: string, fetch: Fetch): TileSource {
  const base = `${baseUrl.replace(/\/+$/, '')}/log/tile`;
  const read = async (name: TileName): Promise<Bytes | null> => {
    const response = await fetch(`${base}/${formatTilePath(name)}`, { signal });
    return response.ok ? new Uint8Array(await response.arrayBuffer()) : null;
  };
  return async (name) => {
    const part = await read(name);
    const bytes = part ?? (name.width < LOG_TILE_HASHES ? await read({ ...name, width: LOG_TILE_HASHES }) : null);
    const hashes = bytes && parseTile(bytes, part ? name.width : LOG_TILE_HASHES);
    if (!hashes) throw new Error(`tile ${formatTilePath(name)} could not be read`);
    return hashes.slice(0, name.width);
  };
}

export type Fetch = (url: string, init: { signal: AbortSignal }) => Promise<Response>;

export type FetchedLog =
  | { readonly ok: true; readonly checkpoint: string; readonly leaves: Bytes[] }
  | { readonly ok: false; readonly reason: string };

/** The checkpoint and every leaf it counts. `progress` is told leaves fetched and to fetch. */
export async function fetchLog(
  signal: AbortSignal,
  baseUrl: string,
  fetch: Fetch,
  progress?: (done: number, all: number) => void,
): Promise<FetchedLog> {
  const base = baseUrl.replace(/\/+$/, '');
  try {
    const response = await fetch(`${base}/log/checkpoint`, { signal });
    if (!response.ok) return { ok: false, reason: `${base}/log/checkpoint answered ${response.status}.` };
    const checkpoint = await response.text();
    const size = parseCheckpoint(checkpoint)?.size;
    if (size === undefined) return { ok: false, reason: 'The checkpoint is malformed.' };
    const leaves: Bytes[] = [];
    while (leaves.length < size) {
      progress?.(leaves.length, size);
      const limit = Math.min(LOG_PAGE_ENTRIES_MAX, size - leaves.length);
      const page = await fetch(`${base}/log/entries?from=${leaves.length}&limit=${limit}`, { signal });
      if (!page.ok) return { ok: false, reason: `${base}/log/entries answered ${page.status}.` };
      const got = parseBundle(new Uint8Array(await page.arrayBuffer()));
      if (!got || got.length === 0 || got.length > limit)
        return { ok: false, reason: `The log could not be read from leaf ${leaves.length} on.` };
      leaves.push(...got);
    }
    progress?.(size, size);
    return { ok: true, checkpoint, leaves };
  } catch (error) {
    return {
      ok: false,
      reason: signal.aborted ? 'Stopped.' : `The log could not be fetched: ${error instanceof Error ? error.message : String(error)}.`,
    };
  }
}

/** The coordinator's public key as its status tells it: to be compared with one known from elsewhere. */
export async function fetchCoordinatorKey(signal: AbortSignal, baseUrl: string, fetch: Fetch): Promise<string | null> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, '')}/api/status`, { signal });
    const value: unknown = response.ok ? await response.json() : null;
    const key = value && typeof value === 'object' && 'key' in value ? value.key : null;
    return typeof key === 'string' && /^[0-9a-f]{64}$/.test(key) ? key : null;
  } catch {
    return null;
  }
}
