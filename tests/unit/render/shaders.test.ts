/** The linked WGSL: what the linker refuses, and that reflection sees the layouts of layout.ts. */
import { describe, expect, it } from 'vitest';
import { WgslReflect } from 'wgsl_reflect/wgsl_reflect.module.js';
import * as layout from '#shaders/layout.ts';
import {
  pixelSources,
  reduceProgram,
  shaderModules,
  traceProgram,
  traceProgramOver,
  treeModules,
  wavefrontPrograms,
} from '#shaders/index.ts';
import * as tables from '#shaders/bsdf/tables.ts';
import { toHex, sha256 } from '#lib/protocol/bytes.ts';
import { link } from '#shaders/linker.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import type { StructLayout } from '#shaders/struct.ts';

const layouts: StructLayout[] = Object.values(layout).flatMap((value) => (typeof value === 'object' ? [value as StructLayout] : []));

describe('linker', () => {
  it('puts imports before their importer, each once', () => {
    const modules = { a: '//#import b\n//#import c\nA', b: '//#import c\nB', c: 'C' };
    expect(link(modules, 'a').split('\n').filter(Boolean)).toEqual(['C', 'B', 'A']);
  });

  it('names a missing module and who wants it', () => {
    expect(() => link({ a: '//#import common/maths' }, 'a')).toThrow("no shader module 'common/maths', imported by 'a'");
  });

  it('names a cycle in full', () => {
    expect(() => link({ a: '//#import b', b: '//#import a' }, 'a')).toThrow('a -> b -> a');
  });
});

describe('linked programs', () => {
  const seen = new Map(
    [traceProgram, reduceProgram].flatMap((code) => new WgslReflect(code).structs.map((struct) => [struct.name, struct] as const)),
  );

  it.each(layouts.map((one) => [one.name, one] as const))('lay %s out as TypeScript does', (name, one) => {
    const struct = seen.get(name);
    expect(struct, `${name} is in a program`).toBeDefined();
    expect(struct!.size).toBe(one.size);
    expect(Object.fromEntries(struct!.members.map((member) => [member.name, member.offset]))).toEqual(one.offsets);
  });

  it('decide nothing with built-in functions whose precision is the driver’s', () => {
    const code = Object.values(shaderModules)
      .join('\n')
      .replace(/\/\/.*$/gm, '');
    expect(code.match(/(?<![\w.])(sin|cos|tan|asin|acos|atan|atan2|pow|exp|exp2|log|log2)\(/g)).toBeNull();
  });

  it('keep files and functions short', () => {
    // `layout` is written by layout.ts, not by hand.
    for (const [name, code] of Object.entries(shaderModules).filter(([name]) => name !== 'layout')) {
      expect(code.split('\n').length, `lines of ${name}`).toBeLessThanOrEqual(200);
    }
  });
});

describe('the hash that a film is committed with', () => {
  const text = pixelSources();
  const lines = new Set(text.split('\n'));
  const uncovered = (program: string): string[] => program.split('\n').filter((line) => !lines.has(line));

  it('covers each line of every kernel over every tree, and the tables', () => {
    for (const tree of ['binary', 'wide', 'wide-texels'] as const) {
      expect(uncovered(traceProgramOver(tree)), tree).toEqual([]);
      for (const [stage, program] of Object.entries(wavefrontPrograms(tree))) expect(uncovered(program), `${tree}, ${stage}`).toEqual([]);
    }
    expect(uncovered(reduceProgram)).toEqual([]);
    for (const table of Object.values(tables)) if (typeof table === 'string') expect(text).toContain(table);
  });

  it('would miss a line that no kernel has: a control', () => {
    expect(uncovered(`${reduceProgram}// another`)).toEqual(['// another']);
    const other = link({ ...treeModules('wide'), 'common/random': `${shaderModules['common/random']}const OTHER = 1u;` }, 'wavefront/ends');
    expect(uncovered(other)).toEqual([expect.stringContaining('const OTHER = 1u;')]);
  });

  it('is the engine’s name for them', () => {
    expect(new RenderEngine(undefined).shader).toBe(toHex(sha256(new TextEncoder().encode(text))));
  });
});
