/**
 * Fetches a coordinator's checkpoint and leaves. Says what could not be had instead of
 * throwing; believes nothing: `verifyLog` does the judging.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { LOG_TILE_HASHES } from '../protocol/limits.ts';
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

export type FetchedCheckpoint =
  | { readonly ok: true; readonly checkpoint: string; readonly size: number }
  | { readonly ok: false; readonly reason: string };

export async function fetchCheckpoint(signal: AbortSignal, baseUrl: string, fetch: Fetch): Promise<FetchedCheckpoint> {
  const url = `${baseUrl.replace(/\/+$/, '')}/log/checkpoint`;
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) return { ok: false, reason: `${url} answered ${response.status}.` };
    const checkpoint = await response.text();
    const size = parseCheckpoint(checkpoint)?.size;
    return size === undefined ? { ok: false, reason: 'The checkpoint is malformed.' } : { ok: true, checkpoint, size };
  } catch (error) {
    return { ok: false, reason: signal.aborted ? 'Stopped.' : `The log could not be fetched: ${messageOf(error)}.` };
  }
}

/** Entry bundles of a log of `size` leaves. They throw when one can't be had. */
export function httpBundles(
  signal: AbortSignal,
  baseUrl: string,
  fetch: Fetch,
  size: number,
): (index: number) => Promise<readonly Bytes[]> {
  const base = `${baseUrl.replace(/\/+$/, '')}/log/tile`;
  return async (index) => {
    const width = Math.min(LOG_TILE_HASHES, size - index * LOG_TILE_HASHES);
    const part = await fetch(`${base}/${formatTilePath({ level: 'entries', index, width })}`, { signal });
    // A part that has grown whole meanwhile may be gone.
    const response =
      part.ok || width === LOG_TILE_HASHES
        ? part
        : await fetch(`${base}/${formatTilePath({ level: 'entries', index, width: LOG_TILE_HASHES })}`, { signal });
    const leaves = response.ok ? parseBundle(new Uint8Array(await response.arrayBuffer())) : null;
    if (!leaves || leaves.length < width) throw new Error(`the log could not be read from leaf ${index * LOG_TILE_HASHES} on`);
    return leaves.slice(0, width);
  };
}

/** The checkpoint and every leaf it counts. `progress` is told leaves fetched and to fetch. */
export async function fetchLog(
  signal: AbortSignal,
  baseUrl: string,
  fetch: Fetch,
  progress?: (done: number, all: number) => void,
): Promise<FetchedLog> {
  const head = await fetchCheckpoint(signal, baseUrl, fetch);
  if (!head.ok) return head;
  const bundle = httpBundles(signal, baseUrl, fetch, head.size);
  const leaves: Bytes[] = [];
  try {
    while (leaves.length < head.size) {
      progress?.(leaves.length, head.size);
      leaves.push(...(await bundle(leaves.length / LOG_TILE_HASHES)));
    }
  } catch (error) {
    return { ok: false, reason: signal.aborted ? 'Stopped.' : `The log could not be fetched: ${messageOf(error)}.` };
  }
  progress?.(head.size, head.size);
  return { ok: true, checkpoint: head.checkpoint, leaves };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

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
