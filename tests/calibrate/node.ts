/** The stack inside Node: a process of its own, because a process keeps the Vulkan driver it began with. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeGpu } from '#cli/node-gpu.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { traceShots, type Work } from './subject.ts';

const [stack = 'node', samples = '', shared = '', work = '', out = ''] = process.argv.slice(2);
const shippedFirst = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
  const file = await readFile(join(samples, name)).catch(() => readFile(join(shared, name)));
  return Uint8Array.from(file);
};
const traced = await traceShots(
  {
    engine: new RenderEngine((await nodeGpu()) ?? undefined),
    readScene: shippedFirst,
    keep: (id, film) => writeFile(join(out, `${id}.film`), film),
    log: (line) => console.log(`${stack}: ${line}`),
  },
  JSON.parse(await readFile(work, 'utf8')) as Work,
);
await writeFile(join(out, 'traced.json'), JSON.stringify(traced));
process.exit(0);
