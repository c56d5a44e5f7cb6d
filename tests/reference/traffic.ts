/**
 * Bytes of state that each stage of the wavefront reads and writes for one path, taken from the WGSL
 * of its kernels: every access to a row in all that an entry point calls. What stands under a
 * condition in the code is listed here by name with that condition, and counted apart.
 */
import { shaderModules } from '#shaders/index.ts';
import { ROW_BYTES, STATE_ROWS } from '#shaders/wavefront/layout.ts';

export interface Access {
  /** A row of the state, or a queue. */
  readonly row: string;
  readonly way: 'read' | 'write';
  readonly bytes: number;
  /** null: for every path that comes by. */
  readonly when: string | null;
}

const MODULES = ['wavefront/state', 'wavefront/extend', 'wavefront/shade', 'wavefront/shadow', 'wavefront/sort', 'wavefront/ends'];
const STAGES = { extend: 'extend_rays', classify: 'classify', shade: 'shade', compact: 'compact', shadow: 'trace_shadows' } as const;
export type StageName = keyof typeof STAGES;

/** By function and row; '*' is any row. */
const CONDITIONS: Readonly<Record<string, string>> = {
  'keep_way *': 'rays that were tinted or passed something',
  'note_fault *': 'faults',
  'extend_rays shadow_light': 'instances',
  'extend_rays crossing': 'volumes',
  'load_ray media': 'volumes',
  'load_crossing shadow_light': 'instances',
  'load_crossing crossing': 'volumes',
  'load_receiver *': 'many emitters',
  'store_receiver *': 'many emitters',
  'load_open_guide *': 'until the guide is done',
  'store_open_guide *': 'until the guide is done',
  'shade light': 'surfaces that shine, and ends',
  'store_rays media': 'volumes',
  'trace_shadows media': 'volumes',
};
/** Accesses that exclude each other with one that is counted. */
const EITHER: Readonly<Record<string, string>> = {
  'store_rays core.w': 'instead of the whole row, when the path ends',
  'trace_shadows light': 'lights that are seen',
  'trace_shadows shadow_light': 'lights that are seen',
};

interface Body {
  readonly name: string;
  readonly text: string;
}

function bodies(): ReadonlyMap<string, Body> {
  const found = MODULES.flatMap((module) => [...shaderModules[module]!.matchAll(/^fn (\w+)\([^]*?\n}$/gm)]);
  // Sorting has its own way to say which path waits.
  return new Map(found.map(([text, name]) => [`${name}`, { name: name!, text }]));
}

const condition = (body: string, row: string, part: string): string | null =>
  EITHER[`${body} ${row}${part}`] ?? CONDITIONS[`${body} ${row}`] ?? CONDITIONS[`${body} *`] ?? null;

function own({ name, text }: Body, outer: string | null): Access[] {
  const rows = [...text.matchAll(/state\[at\(ROW_(\w+), path\)\](\.[xyzw]+)?\s*(\+=|\|=|=(?!=))?/g)];
  const accesses = rows.flatMap(([, upper, part = '', operator = '']): Access[] => {
    const row = upper!.toLowerCase();
    if (!(STATE_ROWS as readonly string[]).includes(row)) throw new Error(`no row ${row}`);
    const bytes = part === '' ? ROW_BYTES : (part.length - 1) * 4;
    const when = outer ?? condition(name, row, part);
    const access = (way: Access['way']): Access => ({ row, way, bytes, when });
    if (operator === '') return [access('read')];
    return operator === '=' ? [access('write')] : [access('read'), access('write')];
  });
  const words: Access[] = [
    ...[...text.matchAll(/(?<!fn )\bqueued\(|return words\[/g)].map((): Access => ({ row: 'queue', way: 'read', bytes: 4, when: outer })),
    ...[...text.matchAll(/\bwords\[[^;]*\] = path/g)].map((): Access => ({ row: 'queue', way: 'write', bytes: 4, when: outer })),
  ];
  return [...accesses, ...words];
}

/** All accesses of one stage. */
export function traffic(stage: StageName): readonly Access[] {
  const known = bodies();
  const out: Access[] = [];
  const visit = (name: string, outer: string | null): void => {
    const body = known.get(name)!;
    out.push(...own(body, outer));
    for (const [, called] of body.text.slice(body.text.indexOf('{')).matchAll(/\b(\w+)\(/g)) {
      if (!known.has(called!) || called === name || called === 'queued') continue;
      visit(called!, outer ?? CONDITIONS[`${name} *`] ?? null);
    }
  };
  visit(STAGES[stage], null);
  return out;
}

export const sumBytes = (accesses: readonly Access[]): number => accesses.reduce((sum, { bytes }) => sum + bytes, 0);
export const STAGE_NAMES = Object.keys(STAGES) as readonly StageName[];
