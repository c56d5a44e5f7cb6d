/** What the autotuner concludes from measurements, and what it believes of what it kept. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileTuneStore } from '#cli/tune-file.ts';
import { fastest, kernelsAndTrees, parseTuned, tuneKey, withWorkgroups, type Measure } from '#workers/render/autotune.ts';
import { LANE_PATHS_MAX } from '#workers/render/lane.ts';
import { DEFAULT_VARIANT, variantKey, type Variant } from '#workers/render/variant.ts';

const wide: Variant = { ...DEFAULT_VARIANT, tree: 'wide' };
const measure = (variant: Variant, raysPerMs: number, film = 'bits'): Measure => ({ variant, raysPerMs, film });

describe('the fastest', () => {
  it('is the one with most rays, wherever it stands', () => {
    expect(fastest([measure(DEFAULT_VARIANT, 100), measure(wide, 150)])?.variant).toBe(wide);
    expect(fastest([measure(DEFAULT_VARIANT, 150), measure(wide, 100)])?.variant).toBe(DEFAULT_VARIANT);
    expect(fastest([])).toBeNull();
  });

  it('is not changed for a gain within noise', () => {
    expect(fastest([measure(DEFAULT_VARIANT, 100), measure(wide, 104)])?.variant).toBe(DEFAULT_VARIANT);
  });

  it('is never one whose film differs by a bit, whatever its speed', () => {
    expect(fastest([measure(DEFAULT_VARIANT, 100), measure(wide, 1e6, 'other bits')])?.variant).toBe(DEFAULT_VARIANT);
  });
});

describe('variants', () => {
  it('are tried from the default on, each once, with every workgroup but their own', () => {
    expect(kernelsAndTrees[0]).toEqual(DEFAULT_VARIANT);
    const all = [...kernelsAndTrees, ...kernelsAndTrees.flatMap(withWorkgroups)].map(variantKey);
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBe(3 * kernelsAndTrees.length);
  });
});

describe('what was kept', () => {
  it('is read back as it was', () => {
    const tuned = { variant: wide, paths: 1 << 18 };
    expect(parseTuned(JSON.stringify(tuned))).toEqual(tuned);
  });

  it.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['no variant', '{"paths":65536}'],
    ['a variant that is no more', JSON.stringify({ variant: { ...wide, kernel: 'abacus' }, paths: 65_536 })],
    ['too many paths', JSON.stringify({ variant: wide, paths: LANE_PATHS_MAX * 2 })],
    ['half a path', JSON.stringify({ variant: wide, paths: 65_536.5 })],
  ])('is ignored when it is %s', (_, text) => {
    expect(parseTuned(text)).toBeNull();
  });

  it('belongs to one adapter and one kernel source', () => {
    const adapter = { class: 'a/b/tint', name: 'A', software: false };
    const keys = [tuneKey(adapter, 'f'.repeat(64)), tuneKey(adapter, 'e'.repeat(64)), tuneKey({ ...adapter, name: 'B' }, 'f'.repeat(64))];
    expect(new Set(keys).size).toBe(3);
  });
});

describe('a file of findings', () => {
  it('keeps several, and outlives the process', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pictor-tune-'));
    await new FileTuneStore(folder).set('a', '1');
    await new FileTuneStore(folder).set('b', '2');
    const store = new FileTuneStore(folder);
    expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual(['1', '2', null]);
  });

  it('is empty when it was spoilt, and can be written again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'pictor-tune-'));
    writeFileSync(join(folder, 'tuned.json'), '[["a", 1], 7, {');
    const store = new FileTuneStore(folder);
    expect(await store.get('a')).toBeNull();
    await store.set('a', '1');
    expect(await store.get('a')).toBe('1');
  });
});
