/**
 * The last picture this browser finished, for its front door: a PNG with its title and date in the
 * browser's own cache. The coordinator never sees pixels, so no other picture could be shown there.
 */

const CACHE = 'pictor-pictures';
const URL_KEPT = '/last-picture';

export interface LastPicture {
  readonly title: string;
  readonly atMs: number;
  readonly file: Blob;
}

export async function keepLastPicture({ title, atMs, file }: LastPicture): Promise<void> {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(
      URL_KEPT,
      new Response(file, { headers: { 'content-type': 'image/png', 'x-title': encodeURIComponent(title), 'x-at': String(atMs) } }),
    );
  } catch {
    // Storage is blocked or full: the front door then shows a shipped picture.
  }
}

export async function lastPicture(): Promise<LastPicture | null> {
  try {
    const kept = await (await caches.open(CACHE)).match(URL_KEPT);
    if (!kept) return null;
    return {
      title: decodeURIComponent(kept.headers.get('x-title') ?? ''),
      atMs: Number(kept.headers.get('x-at')),
      file: await kept.blob(),
    };
  } catch {
    return null;
  }
}
