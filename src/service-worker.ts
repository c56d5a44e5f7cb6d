/// <reference types="@sveltejs/kit" />
/// <reference lib="webworker" />
/**
 * The offline shell: keeps the built files and the five pages of this version, and answers from them
 * when the network does not. Never touches `/api`, `/log`, `/control` or `/peerjs`: the ledger and
 * the state of the network must be fresh or absent. Takes over only when a person says so.
 */
import { build, files, version } from '$service-worker';

const worker = globalThis as unknown as ServiceWorkerGlobalScope;

const SHELLS = 'pictor-shell-';
const CACHE = `${SHELLS}${version}`;
const PAGES = ['/', '/create', '/work', '/review', '/ledger'];
const LIVE = /^\/(api|log|control|peerjs)(\/|$)/;
const KEPT = new Set([...build, ...files]);
/** Sample scenes, the decoders of a rare compression and the denoiser's weights are kept once they were used: the site opens without. */
const isLater = (path: string): boolean => path.startsWith('/samples/') || path.includes('/draco_') || path.endsWith('.tza');
const SHELL = [...KEPT].filter((path) => !isLater(path));

worker.addEventListener('install', (event) => {
  event.waitUntil(precache());
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(dropOldVersions());
});

worker.addEventListener('message', (event) => {
  if ((event.data as { type?: unknown } | null)?.type === 'SKIP_WAITING') void worker.skipWaiting();
});

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== worker.location.origin || LIVE.test(url.pathname)) return;
  if (KEPT.has(url.pathname)) event.respondWith(fromCacheFirst(event.request, url.pathname));
  else if (event.request.mode === 'navigate') event.respondWith(fromNetworkFirst(event.request, url.pathname));
});

async function precache(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...SHELL, ...PAGES]);
}

async function dropOldVersions(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(SHELLS) && name !== CACHE) await caches.delete(name);
}

async function fromCacheFirst(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(path);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.status === 200) await cache.put(path, response.clone());
  return response;
}

/** Pages: fresh when the network answers, the kept one when it does not. */
async function fromNetworkFirst(request: Request, path: string): Promise<Response> {
  try {
    return await fetch(request);
  } catch (cause) {
    const cache = await caches.open(CACHE);
    const kept = (await cache.match(path)) ?? (await cache.match('/'));
    if (kept) return kept;
    throw cause;
  }
}
