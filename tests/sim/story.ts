/**
 * What the tests of the whole network tell their stories with: hands that work and check, an order,
 * and what must hold when a job is done.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { afterEach, expect } from 'vitest';
import type { Engine } from '#lib/gpu/engine.ts';
import { FILM_BYTES_PER_PIXEL, filmLight, readPixel, viewOfFilm, writePixel, type Film } from '#lib/job/film.ts';
import { tileCount } from '#lib/job/plan.ts';
import { decodeLeaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { fetchLog } from '#lib/ledger/client.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import type { Policy } from '#lib/protocol/control.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import type { TrustRules } from '#lib/trust/rules.ts';
import { CheckerRole } from '#lib/roles/checker.ts';
import { CreatorRole, type SubmitOutcome } from '#lib/roles/creator.ts';
import type { ShelfBounds } from '#lib/roles/film-shelf.ts';
import { WorkerRole } from '#lib/roles/worker.ts';
import type { CreatorJob, JobChoice } from '#lib/roles/types.ts';
import { entries, jobs, leases, postings } from '#lib/server/store/schema.ts';
import { ArithmeticEngine, arithmeticFilm, summaryOf } from './arithmetic-engine.ts';
import { World, type Tab } from './world.ts';

const CAMERA = { eye: [0, 0, 5], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null } satisfies JobOrder['camera'];
export const never = new AbortController().signal;

/** The world of the test at hand. */
export let world: World;
afterEach(() => world.close());

/** Every test begins with this. */
export async function begin(seed: number, rules: Partial<TrustRules> = {}, policy: Partial<Policy> = {}): Promise<void> {
  world = await World.create(seed, rules, policy);
}

function choice(changes: Partial<JobChoice>): JobChoice {
  const files = {
    scene: Uint8Array.from({ length: 1_500_000 }, () => world.random() * 256),
    environment: null,
    frameTimeS: 0,
    variant: null,
  };
  return {
    title: 'still life',
    files,
    summary: summaryOf(files),
    camera: CAMERA,
    transparent: false,
    width: 64,
    height: 64,
    samples: 8,
    bounces: 4,
    seed: 5,
    capMicro: 1_000_000n,
    ...changes,
  };
}

/** The picture that one honest engine renders alone. */
function alone(order: JobOrder): Float32Array {
  const rect = { x: 0, y: 0, width: order.width, height: order.height };
  const film = arithmeticFilm({ sceneRoot: order.sceneRoot, frame: order, rect, pass: { first: 0, count: order.samples } });
  return filmLight(film.light).map((sum) => sum / order.samples);
}

export async function worker(engine?: Engine, shelf?: ShelfBounds): Promise<{ tab: Tab; role: WorkerRole }> {
  const tab = await world.tab(engine ? { engine } : {});
  const role = new WorkerRole(tab, shelf);
  await role.start();
  return { tab, role };
}

export async function checker(engine?: Engine): Promise<{ tab: Tab; role: CheckerRole }> {
  const tab = await world.tab(engine ? { engine } : {});
  const role = new CheckerRole(tab);
  await role.start();
  return { tab, role };
}

export async function submitted(tab: Tab, changes: Partial<JobChoice> = {}): Promise<{ role: CreatorRole; job: string }> {
  const role = new CreatorRole(tab);
  const outcomes: SubmitOutcome[] = [];
  void role.submit(never, choice(changes)).then((outcome) => outcomes.push(outcome));
  await world.until('the order is answered', () => outcomes.length > 0);
  const [outcome] = outcomes;
  if (!outcome?.ok) throw new Error(`the order was refused: ${outcome?.text}`);
  return { role, job: outcome.job };
}

export const viewOf = (role: CreatorRole, job: string): CreatorJob => role.job(job)!;

/** Picture, payments and money, after a job. */
export async function expectWell(role: CreatorRole, job: string): Promise<void> {
  await world.until('the job is done', () => viewOf(role, job).view.state === 'done');
  const { order, image, tileSamples } = viewOf(role, job);
  expect(tileSamples).toEqual(Array.from({ length: tileCount(order) }, () => order.samples));
  expect(Buffer.compare(Buffer.from(image.buffer), Buffer.from(alone(order).buffer))).toBe(0);
  await expectPaidOnce(job);
}

/** Every leaf, after all of them were verified. */
export async function verifiedLog(): Promise<LogLeaf[]> {
  const { coordinator } = world;
  const log = await world.wait(fetchLog(never, 'http://sim', async (url) => (await coordinator!.http(new Request(url)))!));
  if (!log.ok) throw new Error(log.reason);
  const verdict = await world.wait(verifyLog(log.checkpoint, coordinator!.key, log.leaves));
  if (!verdict.ok) throw new Error(`leaf ${verdict.line}: ${verdict.reason}`);
  return log.leaves.map((bytes) => decodeLeaf(bytes)!);
}

async function expectPaidOnce(job: string): Promise<void> {
  const { db } = world;
  const settled = await db
    .select({ id: leases.id, slot: leases.slot })
    .from(leases)
    .where(sql`${leases.job} = ${job} and ${leases.state} = 'settled'`);
  const paid = await db
    .select({ lease: entries.lease })
    .from(entries)
    .where(sql`${entries.job} = ${job} and ${entries.kind} = 'settle'`);
  expect(paid.map((row) => row.lease).sort()).toEqual(settled.map((row) => row.id).sort());
  expect(new Set(settled.map((row) => row.slot)).size).toBe(settled.length);
  const [row] = await db.select().from(jobs).where(eq(jobs.id, job));
  expect(settled.length).toBe(row!.slots);
  const [sum] = await db.select({ micro: sql<string>`coalesce(sum(${postings.micro}), 0)` }).from(postings);
  expect(Number(sum!.micro)).toBe(0);
  await verifiedLog();
}

/** Ways to cheat, each with the reason its check fails for. */
export const LIES = {
  /** Every other path traced, and sold as all of them. */
  paths: 'signatures',
  /** Honest paths, their light half again as bright. */
  light: 'light',
  /** Honest paths and light, one segment more for every pixel. */
  segments: 'light',
  /** Honest paths and light, everything at half its distance. */
  depth: 'light',
} as const;
export type Lie = keyof typeof LIES;

function forged(film: Film, lie: Lie): Film {
  const light = film.light.slice();
  const signatures = film.signatures.slice();
  const view = viewOfFilm(light);
  for (let pixel = 0; pixel < film.width * film.height; pixel++) {
    const sums = readPixel(view, pixel);
    if (lie === 'segments') writePixel(view, pixel, { ...sums, segments: sums.segments + 1 });
    if (lie === 'light') writePixel(view, pixel, { ...sums, light: sums.light.map((c) => c * 1.5) as [number, number, number] });
    if (lie === 'depth') writePixel(view, pixel, { ...sums, depth: sums.depth / 2 });
    if (lie !== 'paths' || pixel % 2 === 0) continue;
    light.copyWithin(pixel * FILM_BYTES_PER_PIXEL, (pixel - 1) * FILM_BYTES_PER_PIXEL, pixel * FILM_BYTES_PER_PIXEL);
    signatures.copyWithin(pixel * film.samples, (pixel - 1) * film.samples, pixel * film.samples);
  }
  return { ...film, light, signatures };
}

/** Every film that this engine makes is a lie. */
export function lying(honest: Engine, lie: Lie = 'paths'): Engine {
  return {
    shader: honest.shader,
    probe: () => honest.probe(),
    compile: (signal, files) => honest.compile(signal, files),
    denoise: (signal, request) => honest.denoise(signal, request),
    setPace: (pace) => honest.setPace(pace),
    dispose: () => honest.dispose(),
    trace: async (signal, request, onProgress) => {
      const outcome = await honest.trace(signal, request, onProgress);
      return outcome.ok ? { ...outcome, film: forged(outcome.film, lie) } : outcome;
    },
  };
}

/** Honest for so many films, then a liar. */
export function turning(after: number, lie: Lie = 'paths'): Engine {
  const honest = new ArithmeticEngine(world.clock);
  const liar = lying(honest, lie);
  let traced = 0;
  return { ...liar, trace: (signal, request, onProgress) => (traced++ < after ? honest : liar).trace(signal, request, onProgress) };
}

/** A tab whose word the operator trusts: named where the coordinator starts. */
export async function trusted(): Promise<Tab> {
  const tab = await world.tab();
  const folder = mkdtempSync(join(tmpdir(), 'pictor-lists-'));
  process.env.PICTOR_LISTS = join(folder, 'lists.json');
  writeFileSync(process.env.PICTOR_LISTS, JSON.stringify({ reviewers: [tab.identity.key] }));
  await world.killCoordinator();
  await world.startCoordinator();
  delete process.env.PICTOR_LISTS;
  rmSync(folder, { recursive: true });
  return tab;
}
