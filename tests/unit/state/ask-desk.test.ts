/** What a page's worker asks for a work unit: said in halves, kept between visits, and what an hour leaves. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DEFAULT_POLICY } from '#lib/server/policy.ts';
import { AskDesk } from '#lib/state/ask-desk.svelte.ts';

let kept: Map<string, string>;
beforeEach(() => {
  kept = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
});
afterEach(() => vi.unstubAllGlobals());

it('asks the operator’s price until something whole is said, and tells of each change', () => {
  const told: unknown[] = [];
  const desk: AskDesk = new AskDesk(() => told.push(desk.ask(0.1)));
  expect(desk.ask(0.1)).toEqual({});
  desk.kind = 'power';
  desk.watts = '360';
  expect(desk.fault).toMatch(/Say the watts/);
  expect([desk.ask(0.1), told]).toEqual([{}, []]);
  desk.kwh = '0.3';
  expect([desk.fault, desk.ask(0.1), told]).toEqual(['', { priceMicro: '375' }, [{ priceMicro: '375' }]]);
  desk.kwh = '0.3 or so';
  expect(desk.ask(0.1)).toEqual({ priceMicro: '375' });
  desk.kind = 'price';
  desk.price = '2.5';
  expect(desk.ask(0.1)).toEqual({ priceMicro: '2500000' });
});

it('is remembered by this browser', () => {
  const desk = new AskDesk(() => {});
  desk.kind = 'price';
  desk.price = '7';
  const later = new AskDesk(() => {});
  expect(later.ask(1)).toEqual({});
  later.recall();
  expect([later.kind, later.price, later.ask(1)]).toEqual(['price', '7', { priceMicro: '7000000' }]);
  kept.set('pictor.ask-kind', 'whatever');
  later.recall();
  expect(later.kind).toBe('operator');
});

it('says what an hour leaves once a speed is known, less electricity', () => {
  const desk = new AskDesk(() => {});
  expect(desk.remains(DEFAULT_POLICY, 0)).toBeNull();
  expect(desk.remains(DEFAULT_POLICY, 0.001)).toBeCloseTo(100e6 * 0.9 * 3.6, 0);
  desk.kind = 'power';
  desk.watts = '1000';
  desk.kwh = '1';
  // Asked: a quarter above electricity; nine tenths of that come in.
  expect(desk.remains(DEFAULT_POLICY, 0.001)).toBeCloseTo(1e6 * (1.25 * 0.9 - 1), -4);
});
