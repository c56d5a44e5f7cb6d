/**
 * Puts WGSL modules together: a line `//#import common/math` is replaced by that module, once per
 * program and before its importer. Refuses unknown modules and cycles, and does nothing else: no
 * macros, no renaming.
 */

const IMPORT = /^\/\/#import\s+(\S+)\s*$/;

/** Module name (`common/math`) → WGSL. */
export type ShaderModules = Readonly<Record<string, string>>;

/** @throws Error naming the module and who imports it when a module is missing or imports itself. */
export function link(modules: ShaderModules, entry: string): string {
  const parts: string[] = [];
  const done = new Set<string>();
  const add = (name: string, chain: readonly string[]): void => {
    if (chain.includes(name)) throw new Error(`shader import cycle: ${[...chain, name].join(' -> ')}`);
    if (done.has(name)) return;
    const source = modules[name];
    if (source === undefined) throw new Error(`no shader module '${name}'${chain.length > 0 ? `, imported by '${chain.at(-1)}'` : ''}`);
    const body: string[] = [];
    for (const line of source.split('\n')) {
      const found = IMPORT.exec(line);
      if (found) add(found[1]!, [...chain, name]);
      else body.push(line);
    }
    done.add(name);
    parts.push(body.join('\n').trim());
  };
  add(entry, []);
  return `${parts.join('\n\n')}\n`;
}
