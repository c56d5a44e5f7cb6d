/**
 * Compiles the kernel of the hierarchy's builder (workers/scene/bvh/kernel) from AssemblyScript to the
 * bytes that workers/scene/bvh/kernel-wasm.ts carries. `npx vitest run --project unit tests/unit/scene/bvh-kernel.test.ts`
 * compares; with PICTOR_WRITE_KERNEL=1 in the environment it writes instead.
 */
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../workers/scene/bvh/kernel/', import.meta.url);
const OPTIONS = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', '--initialMemory', '3', '--outFile', 'kernel.wasm'];

/** Name and text of each source. */
export const kernelSources = (): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder)
      .filter((name) => name.endsWith('.as'))
      .map((name) => [name.replace('.as', '.ts'), readFileSync(new URL(name, folder), 'utf8')]),
  );

/** @throws Error with the compiler's own words. */
export async function compileKernel(): Promise<Uint8Array> {
  const { main } = await import('assemblyscript/asc');
  const sources = kernelSources();
  const written = new Map<string, Uint8Array | string>();
  const { error, stderr } = await main(['kernel.ts', ...OPTIONS], {
    readFile: (name) => sources.get(name) ?? null,
    writeFile: (name, contents) => void written.set(name, contents),
    listFiles: () => [],
  });
  const bytes = written.get('kernel.wasm');
  if (error || !(bytes instanceof Uint8Array)) throw new Error(`The kernel does not compile: ${stderr.toString()}`);
  return bytes;
}

const WIDTH = 136;

/** The module that carries the bytes. */
export function kernelModule(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  return `/**
 * The compiled kernel of the hierarchy's builder in base64. Written from workers/scene/bvh/kernel by
 * tests/unit/scene/bvh-kernel.test.ts, which also checks that it is what those sources compile to; not to be edited.
 */
export const KERNEL_WASM =
  '${lines.join("' +\n  '")}';
`;
}
