/**
 * Who may import whom. The table in README.md ("Import rules") is the rule; this test reads it and
 * every import of src, workers and shaders, and names each file that breaks it.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../../..');

/** Longest prefix first. */
const AREAS = [
  'shaders',
  'workers',
  ...['protocol', 'job', 'ledger', 'trust', 'market', 'image', 'p2p', 'gpu', 'embed', 'roles', 'state', 'components', 'server'].map(
    (name) => `src/lib/${name}`,
  ),
  'src/cli',
  'src/routes',
];

/** Rows `| area | may import |` between the heading "Import rules" and the next heading. */
function readRules(): Map<string, Set<string>> {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const section = readme.split(/^#+ Import rules$/m)[1]?.split(/^#/m)[0] ?? '';
  const rows = [...section.matchAll(/^\| `([^`]+)` \| (.*) \|$/gm)];
  return new Map(rows.map(([, area, may]) => [area!, new Set([...may!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!))]));
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|svelte|mjs)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)));
}

const areaOf = (path: string): string | null => AREAS.find((area) => path === area || path.startsWith(`${area}/`)) ?? null;

/** Repository paths a file imports, with `type` when the import is erased; packages are left out. */
function importsOf(file: string): { readonly path: string; readonly erased: boolean }[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const found = text.matchAll(/^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|import\(\s*'([^']+)'\s*\)/gm);
  return [...found].flatMap(([, erased, statical, dynamic]) => {
    const path = resolveSpecifier(file, (statical ?? dynamic)!.replace(/\?.*$/, ''));
    return path ? [{ path, erased: erased !== undefined }] : [];
  });
}

function resolveSpecifier(file: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(file), specifier));
  const alias = { '#lib/': 'src/lib/', '$lib/': 'src/lib/', '#workers/': 'workers/', '#shaders/': 'shaders/', '#cli/': 'src/cli/' };
  const hit = Object.entries(alias).find(([prefix]) => specifier.startsWith(prefix));
  return hit ? hit[1] + specifier.slice(hit[0].length) : null;
}

/** @returns the sentence of the breach, or null. */
function breach(file: string, target: { path: string; erased: boolean }, rules: Map<string, Set<string>>): string | null {
  const from = areaOf(file);
  const to = areaOf(target.path);
  if (!from || !to || from === to) return null;
  const may = rules.get(from);
  if (may?.has(to) || (target.erased && may?.has(`${to} (types)`))) return null;
  return `${file} imports ${target.path}: ${from} may import ${[...(may ?? [])].join(', ') || 'nothing'}`;
}

describe('import rules', () => {
  const rules = readRules();

  it('has a row in README.md for every area', () => {
    expect([...rules.keys()].toSorted()).toEqual(AREAS.toSorted());
  });

  it('catches a breach (control)', () => {
    const file = 'src/lib/job/plan.ts';
    expect(breach(file, { path: 'src/lib/server/store.ts', erased: true }, rules)).toContain('src/lib/job may import');
  });

  it('hold in every file', () => {
    const files = ['src', 'workers', 'shaders'].flatMap(sourceFiles);
    expect(files.length).toBeGreaterThan(10);
    const breaches = files.flatMap((file) => importsOf(file).map((target) => breach(file, target, rules))).filter((text) => text !== null);
    expect(breaches).toEqual([]);
  });
});
