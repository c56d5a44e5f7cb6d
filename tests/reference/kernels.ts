/**
 * Compiles what the code carries as WebAssembly from its AssemblyScript, beside the module with the bytes. The unit
 * test of each kernel compares the two; with PICTOR_WRITE_KERNEL=1 in the environment it writes the bytes instead.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Kernel {
  /** Of the sources, from the root of the repository; the module that carries the bytes lies beside it. */
  readonly folder: string;
  /** What it does, for the head of that module. */
  readonly what: string;
  /** The test that compares. */
  readonly test: string;
  /** Of its memory in the beginning; what its tables need where it is left out. */
  readonly pages?: number;
}

const folderOf = ({ folder }: Kernel): URL => new URL(`../../${folder}/`, import.meta.url);

/** Name and text of each source. */
export const kernelSources = (kernel: Kernel): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folderOf(kernel))
      .filter((name) => name.endsWith('.as'))
      .map((name) => [name.replace('.as', '.ts'), readFileSync(new URL(name, folderOf(kernel)), 'utf8')]),
  );

/** @throws Error with the compiler's own words. */
export async function compileKernel(kernel: Kernel): Promise<Uint8Array> {
  const { main } = await import('assemblyscript/asc');
  const sources = kernelSources(kernel);
  const written = new Map<string, Uint8Array | string>();
  const pages = kernel.pages === undefined ? [] : ['--initialMemory', String(kernel.pages)];
  const options = ['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd', ...pages, '--outFile', 'kernel.wasm'];
  const { error, stderr } = await main(['kernel.ts', ...options], {
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
function kernelModule({ what, folder, test }: Kernel, bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('base64');
  const lines = text.match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  return `/**
 * The compiled kernel of ${what} in base64. Written from ${folder} by
 * ${test}, which also checks that it is what those sources compile to; not to be edited.
 */
export const KERNEL_WASM =
  '${lines.join("' +\n  '")}';
`;
}

/** @returns the module as it is, and as its sources would have it. */
export async function carriedKernel(kernel: Kernel): Promise<{ carried: string; compiled: string }> {
  const compiled = kernelModule(kernel, await compileKernel(kernel));
  const carrier = new URL('../kernel-wasm.ts', folderOf(kernel));
  if (process.env['PICTOR_WRITE_KERNEL']) writeFileSync(carrier, compiled);
  return { carried: readFileSync(carrier, 'utf8'), compiled };
}
