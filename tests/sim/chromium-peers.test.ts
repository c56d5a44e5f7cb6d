/**
 * PeerJS in a real Chromium against the real signalling endpoint: tab to tab, tab to agent, agent to
 * tab. Speeds are printed, never asserted.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashOfBlob } from '#lib/p2p/blob.ts';
import { BlobExchange } from '#lib/p2p/blob-exchange.ts';
import { MemoryBlobStore } from '#lib/p2p/blob-store-memory.ts';
import { createNodeNet } from '#lib/p2p/node-net.ts';
import type { PeerNet } from '#lib/p2p/peer-net.ts';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { identityFromSecret } from '#lib/protocol/envelope.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { systemClock } from '#lib/roles/clock.ts';
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { chromiumArgs, chromiumPath } from '../chromium.ts';
import { seededBytes } from '../unit/p2p/support.ts';
import type { PeerPage } from './page/peer.ts';

declare const pictorPeer: PeerPage;

const JOB = '5'.repeat(32);
const BYTES = 8 * 1024 * 1024;
const never = new AbortController().signal;

let server: Server;
let coordinator: Coordinator;
let browser: Browser;
let agent: PeerNet;
let origin: string;

/** The page's script as the product's bundler makes it. */
async function script(): Promise<string> {
  const entry = fileURLToPath(new URL('./page/peer.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: false, lib: { entry, formats: ['es'] } },
  });
  const [output] = Array.isArray(built) ? built : [];
  const [chunk] = output?.output ?? [];
  if (chunk?.type !== 'chunk') throw new Error('the page did not build');
  return chunk.code;
}

beforeAll(async () => {
  const code = await script();
  coordinator = await createCoordinator();
  server = createServer((request, response) => {
    const isScript = request.url === '/peer.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? code : '<!doctype html><title>peer</title><script type="module" src="/peer.js"></script>');
  });
  coordinator.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: chromiumPath(), args: chromiumArgs });
  agent = await joinAgent();
});

afterAll(async () => {
  await browser?.close();
  await agent?.close();
  await coordinator?.close();
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
});

async function joinAgent(): Promise<PeerNet> {
  const identity = await identityFromSecret(randomBytes(32));
  const id = `${identity.key}-${toHex(randomBytes(4))}`;
  const token = (): Promise<string> => signalToken(identity, coordinator.network, id, Date.now());
  return createNodeNet({ id, origin, token, iceServers: () => [], clock: systemClock });
}

async function tab(): Promise<{ page: Page; id: string }> {
  const page = await browser.newPage();
  await page.goto(origin);
  await page.waitForFunction(() => 'pictorPeer' in globalThis);
  return { page, id: await page.evaluate((network) => pictorPeer.join(network), coordinator.network) };
}

const fetchIn = (page: Page, hash: string, source: string): Promise<number | null> =>
  page.evaluate(([h, bytes, s]) => pictorPeer.fetch(h, bytes, s), [hash, BYTES, source] as const);

const say = (what: string, seconds: number | null): void =>
  console.info(`${what}: ${BYTES / 1e6} MB in ${seconds?.toFixed(2)} s, set-up included`);

test('a blob goes from tab to tab', async () => {
  const [giver, taker] = [await tab(), await tab()];
  const hash = await giver.page.evaluate((bytes) => pictorPeer.serve(bytes), BYTES);
  const seconds = await fetchIn(taker.page, hash, giver.id);
  say('tab to tab', seconds);
  expect(seconds).not.toBeNull();
});

test('a blob goes from tab to agent, and from agent to tab', async () => {
  const { page, id } = await tab();
  const hash = await page.evaluate((bytes) => pictorPeer.serve(bytes), BYTES);
  const blobs = new MemoryBlobStore();
  const exchange = new BlobExchange({ net: agent, blobs, clock: systemClock, allows: async () => true });
  const atMs = performance.now();
  const outcome = await exchange.fetch(never, { hash, bytes: BYTES, job: JOB, capability: 'x', sources: [id] });
  say('tab to agent', (performance.now() - atMs) / 1000);
  expect(outcome.ok).toBe(true);

  const blob = seededBytes(BYTES);
  const back = await hashOfBlob(blob);
  await blobs.put(back, blob);
  exchange.attach(JOB, [back]);
  agent.serve(async (from, request) =>
    request.type === 'blob.manifest' || request.type === 'blob.chunk' ? exchange.answer(from, request) : { ok: false, fault: 'stopped' },
  );
  const other = await tab();
  const seconds = await fetchIn(other.page, back, agent.id);
  say('agent to tab', seconds);
  expect(seconds).not.toBeNull();
});
