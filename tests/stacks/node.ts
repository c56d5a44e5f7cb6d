/** The stack inside Node: a process of its own, because a process keeps the Vulkan driver it began with. */
import { readFile, writeFile } from 'node:fs/promises';
import { nodeGpu } from '#cli/node-gpu.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { runSubject } from './subject.ts';

const [stack = 'node', samples = '', folder = '', scenes = '[]', out = ''] = process.argv.slice(2);
const gpu = (await nodeGpu()) ?? undefined;
const report = await runSubject(stack, {
  gpu,
  engine: new RenderEngine(gpu),
  readSample: async (name) => Uint8Array.from(await readFile(`${samples}/${name}.glb`)),
  scenes: JSON.parse(scenes) as string[],
  readScene: async (name) => Uint8Array.from(await readFile(`${folder}/${name}`)),
  log: (line) => console.log(line),
});
await writeFile(out, JSON.stringify(report));
process.exit(0);
