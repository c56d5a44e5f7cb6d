/** The market in the coordinator: rounds, the price a lease keeps, own work, and what is answered over HTTP. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchLog } from '#lib/ledger/client.ts';
import { decodeLeaf, encodeLeaf, type Leaf, type LogLeaf } from '#lib/ledger/leaf.ts';
import { Replay } from '#lib/ledger/replay.ts';
import { MARKET_ROUND_MS } from '#lib/protocol/limits.ts';
import type { MarketView } from '#lib/server/market-api.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { oneLease, road, testOrder, world, type Client, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world();
}, 120_000);
afterAll(() => w.coordinator.close());

const get = async (path: string): Promise<Response> => (await w.coordinator.http(new Request(`http://c${path}`)))!;

async function leaves(): Promise<LogLeaf[]> {
  await w.pass(1_500);
  const log = await fetchLog(new AbortController().signal, 'http://c', async (url) => (await w.coordinator.http(new Request(url)))!);
  if (!log.ok) throw new Error(JSON.stringify(log));
  expect(await verifyLog(log.checkpoint, w.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
  return log.leaves.map((bytes) => decodeLeaf(bytes)!);
}

const rounds = (all: readonly LogLeaf[]): Leaf<'round'>[] => all.filter((leaf): leaf is Leaf<'round'> => leaf.type === 'round');

async function buyer(priceMaxMicro: string): Promise<{ creator: Client; job: string }> {
  const creator = await w.join(['creator']);
  await creator.grant();
  return { creator, job: await creator.order(testOrder({ priceMaxMicro, capMicro: '1000000' })) };
}

describe('a market of two', () => {
  test('trades at the operator’s price at once, and the log says so', async () => {
    const { creator, worker, checker } = await road(w);
    await oneLease(creator, worker, checker);
    const all = await leaves();
    const round = rounds(all).at(-1)!;
    expect(round).toMatchObject({ tier: 'any-s', rule: 'posted', buyMicro: '1000000', sellMicro: '1000000', askOwners: 1, bidOwners: 1 });
    expect(all.findLast((leaf) => leaf.type === 'commitment')).toMatchObject({ round: round.round });
    await w.leave();
  });

  test('does not trade where the worker asks more than the job bids, and does once it asks less', async () => {
    const { creator } = await buyer('1000000');
    const worker = await w.join(['worker']);
    await worker.ask(1, '1500000');
    expect(worker.last('grant')).toBeUndefined();
    await worker.ask(1, '900000');
    await w.pass(MARKET_ROUND_MS + 1_000);
    expect(worker.last('grant')).toBeDefined();
    expect(creator.closed).toBe(false);
    await w.leave();
  });
});

describe('a market of three a side', () => {
  test('makes its own price, which every lease keeps that it admits; whoever bids below it waits', async () => {
    const asks = ['1100000', '1300000', '2500000'];
    const bids = new Map<string, bigint>();
    for (const bid of ['3000000', '2000000', '1200000']) bids.set((await buyer(bid)).job, BigInt(bid));
    const before = rounds(await leaves()).length;
    const workers: Client[] = [];
    for (const ask of asks) {
      const worker = await w.join(['worker']);
      await worker.ask(1, ask);
      workers.push(worker);
    }
    await w.pass(MARKET_ROUND_MS + 1_000);
    const all = await leaves();
    const made = rounds(all).slice(before);
    const full = made.find(({ askOwners }) => askOwners === 3)!;
    expect(full.rule).toBe('mcafee');
    const granted = workers.filter((worker) => worker.last('grant'));
    expect(granted.length).toBeGreaterThan(0);
    const grant = granted[0]!.last('grant')!;
    await granted[0]!.commit(grant);
    const commitment = (await leaves()).findLast((leaf) => leaf.type === 'commitment')!;
    const price = made.find(({ round }) => round === commitment.round)!;
    expect(BigInt(price.buyMicro)).toBeLessThanOrEqual(bids.get(commitment.job)!);
    expect(BigInt(price.sellMicro)).toBeGreaterThanOrEqual(BigInt(asks[workers.indexOf(granted[0]!)]!));
    expect(workers[2]!.last('grant')).toBeUndefined();
    await w.leave();
  });
});

describe('own work', () => {
  test('runs on own machines first, unchecked and for nothing, and says nothing of the worker', async () => {
    const { creator, job } = await buyer('1000000');
    const other = await w.join(['creator']);
    await other.grant();
    await other.order(testOrder({ capMicro: '1000000', seed: 7 }));
    const own = await w.join(['worker'], creator.identity);
    await own.ask(2);
    expect(own.all('grant').map(({ lease }) => lease.job)).toEqual([job, job]);
    await own.commit(own.all('grant')[0]!);
    await creator.receipt(creator.last('committed')!);
    expect(own.last('settled')).toMatchObject({ paidMicro: '0' });
    expect((await (await get(`/api/jobs/${job}`)).json()) as { settled: number; spentMicro: string }).toMatchObject({
      settled: 1,
      spentMicro: '0',
    });
    expect(((await (await get(`/api/standing/${own.key}`)).json()) as { worker: unknown }).worker).toMatchObject({ passes: 0 });
    await leaves();
    await w.leave();
  });
});

describe('a replay', () => {
  test('finds a round whose price, volume, rule or reference is another than its book makes', async () => {
    const all = await leaves();
    const at = all.findIndex((leaf) => leaf.type === 'round');
    const first = rounds(all)[0]!;
    const said = (over: Partial<Leaf<'round'>>): string | null => {
      const replay = new Replay(w.coordinator.key);
      for (const leaf of all.slice(0, at)) expect(replay.step(leaf)).toBeNull();
      const leaf = decodeLeaf(encodeLeaf({ ...first, ...over }));
      return replay.step(leaf!);
    };
    expect(said({})).toBeNull();
    expect(said({ buyMicro: '1000001' })).toMatch(/price/);
    expect(said({ units: '0' })).toMatch(/volume/);
    expect(said({ rule: 'uniform' })).toMatch(/rule/);
    expect(said({ referenceMicro: '2000000' })).toMatch(/reference/);
    expect(said({ round: first.round + 1 })).toMatch(/numbered/);
    expect(said({ asks: [...first.asks, ['1', '1']] })).toMatch(/order/);
  });

  test('finds a lease at the price of a round of another market, or of none', async () => {
    const all = await leaves();
    const at = all.findIndex((leaf) => leaf.type === 'commitment');
    const said = (round: number): string | null => {
      const replay = new Replay(w.coordinator.key);
      for (const leaf of all.slice(0, at)) expect(replay.step(leaf)).toBeNull();
      return replay.step({ ...(all[at] as Leaf<'commitment'>), round });
    };
    expect(said((all[at] as Leaf<'commitment'>).round!)).toBeNull();
    expect(said(999)).toMatch(/round/);
  });
});

// ---- HTTP against its description --------------------------------------------------------------

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly additionalProperties?: boolean;
}

const api = JSON.parse(readFileSync(join(import.meta.dirname, '../../../static/openapi.json'), 'utf8')) as {
  readonly paths: Record<string, { get: { responses: Record<string, { content: { 'application/json': { schema: Schema } } }> } }>;
  readonly components: { readonly schemas: Record<string, Schema> };
};

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;

/** What of a value is not as described, with where; empty when all is. */
function faults(value: unknown, schema: Schema, at = '$'): string[] {
  if (schema.$ref) return faults(value, api.components.schemas[schema.$ref.split('/').at(-1)!]!, at);
  const kinds = schema.type === undefined ? [] : [schema.type].flat();
  const kind = kindOf(value);
  if (kinds.length > 0 && !kinds.includes(kind) && !(kind === 'integer' && kinds.includes('number')))
    return [`${at} is ${kind}, not ${kinds.join()}`];
  if (schema.enum && !schema.enum.includes(value)) return [`${at} is ${String(value)}`];
  if (schema.pattern && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) return [`${at} is ${value}`];
  if (kind === 'array')
    return (value as unknown[]).flatMap((item, i) => {
      const of = schema.prefixItems?.[i] ?? schema.items;
      return of ? faults(item, of, `${at}[${i}]`) : [];
    });
  if (kind !== 'object') return [];
  const known = schema.properties ?? {};
  const lacking = (schema.required ?? []).filter((name) => !(name in (value as object))).map((name) => `${at} lacks ${name}`);
  const more = schema.additionalProperties === false ? Object.keys(value as object).filter((name) => !(name in known)) : [];
  return [
    ...lacking,
    ...more.map((name) => `${at}.${name} is not described`),
    ...Object.entries(value as object).flatMap(([name, item]) => (known[name] ? faults(item, known[name], `${at}.${name}`) : [])),
  ];
}

async function described(path: string, template: string): Promise<unknown> {
  const response = await get(path);
  const value: unknown = await response.json();
  const schema = api.paths[template]?.get.responses[String(response.status)]?.content['application/json'].schema;
  expect(schema, `${template} ${response.status}`).toBeDefined();
  expect(faults(value, schema!)).toEqual([]);
  return value;
}

describe('over HTTP, as static/openapi.json describes it', () => {
  test('the market, a quote, a job and a worker', async () => {
    const { creator, worker, checker, job } = await road(w);
    await oneLease(creator, worker, checker);
    const view = (await described('/api/market', '/api/market')) as MarketView;
    const tier = view.tiers.find((one) => one.tier === 'any-s')!;
    expect(tier.history.length).toBeGreaterThan(0);
    expect(tier.bids.length).toBeGreaterThan(0);
    await described('/api/quote?width=640&height=480&samples=64', '/api/quote');
    await described('/api/quote?width=0', '/api/quote');
    await described(`/api/jobs/${job}`, '/api/jobs/{job}');
    await described('/api/jobs/none', '/api/jobs/{job}');
    await described(`/api/jobs/${'0'.repeat(32)}`, '/api/jobs/{job}');
    await described(`/api/workers/${worker.key}`, '/api/workers/{key}');
    await described('/api/workers/none', '/api/workers/{key}');
    await w.leave();
  });

  test('a quote grows with the work and the spread, and its parts sum to it', async () => {
    const quote = async (more: string) =>
      (await (await get(`/api/quote?width=640&height=480&samples=64${more}`)).json()) as Record<
        'estimateMicro' | 'lowMicro' | 'highMicro' | 'worstMicro',
        string
      > & { split: Record<string, string> };
    const plain = await quote('');
    const sum = Object.values(plain.split).reduce((a, b) => a + BigInt(b), 0n);
    expect(sum).toBe(BigInt(plain.estimateMicro));
    expect(BigInt(plain.lowMicro) < BigInt(plain.estimateMicro) && BigInt(plain.estimateMicro) < BigInt(plain.highMicro)).toBe(true);
    const dear = await quote('&costPerMille=3000');
    const [three, one] = [BigInt(dear.estimateMicro), BigInt(plain.estimateMicro)];
    expect(three >= 3n * one - 3n && three <= 3n * one + 3n).toBe(true);
    expect(BigInt((await quote('&spread=0.5')).highMicro) > BigInt(plain.highMicro)).toBe(true);
  });

  test('the control: an answer that is not as described is told apart', () => {
    const market = api.paths['/api/market']!.get.responses['200']!.content['application/json'].schema;
    expect(faults({ tiers: 'none' }, market).length).toBeGreaterThan(3);
  });
});
