/**
 * The HTTP surface: status, jobs, balances, entries, receipts, proofs, and the log as C2SP tlog-tiles.
 * Read only: nothing here changes state, and everything is public but names.
 */
import { toHex } from '../protocol/bytes.ts';
import { parseCheckpoint, verifierKey } from '../ledger/checkpoint.ts';
import { formatProof } from '../ledger/proof.ts';
import { hex32, id16 } from '../protocol/schema.ts';
import { fromHex } from '../protocol/bytes.ts';
import { LOG_PAGE_ENTRIES_MAX, LOG_TILE_HASHES } from '../protocol/limits.ts';
import { formatBundle, parseTilePath } from '../ledger/tiles.ts';
import * as v from 'valibot';
import { networkView, pendingOf } from './background.ts';
import type { Core } from './core.ts';
import { viewJob } from './jobs.ts';
import { listEntries } from './ledger.ts';
import type { Market } from './market.ts';
import { marketView, QUOTE_HELP, quoteView, workerView } from './market-api.ts';
import { recordOf } from './records.ts';
import { jobReceipt } from './receipt.ts';
import { board, provenance, reviewQueue } from './review.ts';

/** The longest account is `escrow:` and a job. */
const QUERY_LENGTH_MAX = 80;
const NO_STORE = { 'cache-control': 'no-store', 'access-control-allow-origin': '*' };
const FOREVER = { 'cache-control': 'public, max-age=31536000, immutable', 'access-control-allow-origin': '*' };

const json = (value: unknown, status = 200): Response => Response.json(value, { status, headers: NO_STORE });
const missing = (text: string): Response => json({ error: text }, 404);
const bad = (text: string): Response => json({ error: text }, 400);

/** @returns null when the path is not the coordinator's. */
export async function answerHttp(core: Core, market: Market, request: Request): Promise<Response | null> {
  const url = new URL(request.url);
  const [, area, ...rest] = url.pathname.split('/');
  if (area !== 'api' && area !== 'log') return null;
  if (request.method !== 'GET' && request.method !== 'HEAD') return json({ error: 'This surface is read only.' }, 405);
  const response = await answer(core, market, area, rest, url.searchParams);
  core.counters.in('http', request.url.length);
  core.counters.out('http', Number(response.headers.get('content-length') ?? 0));
  return response;
}

/** A store that does not answer is the caller's bad luck, not ours: told so, with nothing of why. */
async function answer(core: Core, market: Market, area: 'api' | 'log', path: string[], query: URLSearchParams): Promise<Response> {
  try {
    return area === 'api' ? await api(core, market, path, query) : await log(core, path, query);
  } catch (error) {
    core.counters.count('http-failed');
    core.logger(`/${area}/${path.join('/')} failed: ${error instanceof Error ? error.message : String(error)}`);
    return json({ error: 'The coordinator’s store does not answer right now; try again.' }, 503);
  }
}

const ACCOUNT_PATTERN = /^(mint|treasury|checkers|(held:)?[0-9a-f]{64})$/;

async function api(core: Core, market: Market, path: string[], query: URLSearchParams): Promise<Response> {
  const [name, id, part] = path;
  switch (name) {
    case 'health':
      return json({ ok: true });
    case 'status':
      return json(await status(core));
    case 'jobs': {
      if (!v.is(id16, id)) return bad('A job id is 32 hex digits.');
      const value = part === 'receipt' ? await jobReceipt(core, id) : await viewJob(core, id);
      return value ? json(value) : missing('There is no such job.');
    }
    case 'balance':
      if (id === undefined || !ACCOUNT_PATTERN.test(id))
        return bad('An account is a public key of 64 hex digits, `held:` and one, `mint`, `treasury` or `checkers`.');
      return json({
        account: id,
        balanceMicro: String(await core.store.committed().balances.get(id)),
        pendingMicro: String((await pendingOf(core, [id])).get(id)),
      });
    case 'standing':
      return v.is(hex32, id) ? json(await recordOf(core, id)) : bad('A key is 64 hex digits.');
    case 'review':
      return review(core, id);
    case 'board':
      return json(await board(core.store.db));
    case 'market':
      return json(await marketView(core, market));
    case 'quote': {
      const value = await quoteView(core, market, query);
      return value ? json(value) : bad(QUOTE_HELP);
    }
    case 'workers':
      return v.is(hex32, id) ? json(await workerView(core, market, id)) : bad('A worker is a public key of 64 hex digits.');
    case 'entries':
      return entriesPage(core, query);
    case 'proof':
      return proof(core, query);
    default:
      return missing('There is nothing here.');
  }
}

async function review(core: Core, lease: string | undefined): Promise<Response> {
  if (lease === undefined) return json(await reviewQueue(core));
  if (!v.is(id16, lease)) return bad('A lease id is 32 hex digits.');
  const value = await provenance(core.store.db, lease);
  return value ? json(value) : missing('There is no such film.');
}

async function status(core: Core): Promise<unknown> {
  return {
    network: core.network,
    key: core.identity.key,
    verifier: verifierKey(core.network, fromHex(core.identity.key)),
    store: core.store.description,
    policy: core.policy,
    rules: core.rules,
    view: await networkView(core),
    connections: core.sessions.size,
    bytes: core.counters.bytes,
    counts: core.counters.counts,
    logSize: await core.log.size(),
    timeMs: core.clock.nowMs(),
  };
}

/** A whole number from the query, or the default; null when it is something else. */
function whole(query: URLSearchParams, name: string, fallback: number): number | null {
  const text = query.get(name);
  if (text === null) return fallback;
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}

async function entriesPage(core: Core, query: URLSearchParams): Promise<Response> {
  const offset = whole(query, 'offset', 0);
  const limit = whole(query, 'limit', 100);
  const q = query.get('q') ?? '';
  if (offset === null || limit === null || q.length > QUERY_LENGTH_MAX)
    return bad('`offset` and `limit` are whole numbers, and `q` is short.');
  return json(await listEntries(core.store.db, { q, offset, limit: Math.min(limit, LOG_PAGE_ENTRIES_MAX) }));
}

async function proof(core: Core, query: URLSearchParams): Promise<Response> {
  const leaf = whole(query, 'leaf', -1);
  const checkpoint = await core.log.checkpoint();
  if (leaf === null || leaf < 0 || leaf >= checkpoint.size)
    return bad(`\`leaf\` is a whole number below the checkpoint's size, ${checkpoint.size}.`);
  const hashes = await core.log.inclusion(leaf, checkpoint.size);
  return json({ leaf, checkpoint: checkpoint.note, proof: hashes.map(toHex) });
}

async function log(core: Core, path: string[], query: URLSearchParams): Promise<Response> {
  const [name, ...rest] = path;
  if (name === 'checkpoint' && rest.length === 0) {
    return plain(await core.witnesses.latest());
  }
  if (name === 'cosigned' && rest.length === 0) {
    const note = await core.witnesses.cosigned();
    return note === null ? missing('No witness has cosigned a checkpoint yet.') : plain(note);
  }
  if (name === 'proof') return tlogProof(core, rest);
  if (name === 'entries' && rest.length === 0) {
    const from = whole(query, 'from', 0);
    const limit = whole(query, 'limit', LOG_PAGE_ENTRIES_MAX);
    if (from === null || limit === null) return bad('`from` and `limit` are whole numbers.');
    return bytes(formatBundle(await core.log.leaves(from, from + Math.min(limit, LOG_PAGE_ENTRIES_MAX))), NO_STORE);
  }
  return name === 'tile' ? tile(core, rest.join('/')) : missing('There is nothing here.');
}

/** C2SP tlog-proof of one leaf, the leaf itself in its extra line. */
async function tlogProof(core: Core, [text, ...more]: string[]): Promise<Response> {
  if (text === undefined || more.length > 0 || !/^(0|[1-9][0-9]{0,15})$/.test(text)) return bad('Say /log/proof/<index of a leaf>.');
  const index = Number(text);
  const [[leaf], covering] = await Promise.all([core.log.leaves(index, index + 1), core.witnesses.covering(index)]);
  const note = covering ?? (await core.witnesses.latest());
  const size = parseCheckpoint(note)!.size;
  if (!leaf || index >= size) return missing('The log is not that long yet.');
  return plain(formatProof({ index, hashes: await core.log.inclusion(index, size), checkpoint: note, extra: leaf }));
}

const plain = (text: string): Response =>
  new Response(text, {
    headers: { ...NO_STORE, 'content-type': 'text/plain; charset=utf-8', 'content-length': String(Buffer.byteLength(text)) },
  });

/** C2SP tlog-tiles: `<level>/<index>[.p/<width>]`, or `entries/<index>…` for the leaves themselves. */
async function tile(core: Core, path: string): Promise<Response> {
  const wanted = parseTilePath(path);
  if (!wanted) return bad('This is not a tile path.');
  const { level, index, width } = wanted;
  if (level !== 'entries') {
    const hashes = await core.log.tile(level, index, width);
    return hashes ? bytes(hashes, FOREVER) : missing('The log is not that long yet.');
  }
  const from = index * LOG_TILE_HASHES;
  const leaves = await core.log.leaves(from, from + width);
  return leaves.length < width ? missing('The log is not that long yet.') : bytes(formatBundle(leaves), FOREVER);
}

function bytes(body: Uint8Array, headers: Record<string, string>): Response {
  return new Response(new Uint8Array(body), {
    headers: { ...headers, 'content-type': 'application/octet-stream', 'content-length': String(body.length) },
  });
}
