/**
 * Builds parts on several threads: worker threads in Node, dedicated workers in a browser, both from
 * this text, so that no bundler has to know of them. Arrays are transferred; nothing is shared, so the
 * page needs no isolation. Where workers cannot be had the caller's own thread builds everything: the
 * bytes are the same, because a part's tree depends on the part alone.
 */
import { buildPart, kernelModule, startKernel, type PartJob, type PartTree } from './kernel-host.ts';

const THREADS_MAX = 8;

/** What both kinds of worker have in common, reduced to what is used. */
interface Thread {
  post(message: object, transfer: ArrayBuffer[]): void;
  end(): void;
}
interface Answers {
  answered(tree: PartTree | null): void;
}

interface NodeWorker {
  postMessage(message: object, transfer: ArrayBuffer[]): void;
  on(event: 'message' | 'error', listener: (value: never) => void): void;
  terminate(): Promise<number>;
}
/** The built-ins of Node that are used; typed here because a worker's types know no Node. */
interface NodeProcess {
  getBuiltinModule(name: 'node:worker_threads'): { Worker: new (text: string, options: { eval: true }) => NodeWorker };
  getBuiltinModule(name: 'node:os'): { availableParallelism(): number };
}

const text = (): string => `
const buildPart = ${buildPart.toString()};
let kernel;
const receive = async ({ module, job }, post) => {
  kernel ??= (await WebAssembly.instantiate(module)).exports;
  const tree = buildPart(kernel, job);
  post(tree, [tree.nodes.buffer, tree.order.buffer]);
};
`;

const nodeProcess = (): NodeProcess | null => {
  const { process } = globalThis as { readonly process?: Partial<NodeProcess> };
  return typeof process?.getBuiltinModule === 'function' ? (process as NodeProcess) : null;
};

/** Cores for building: one is left to whoever called. */
export function threadsHere(): number {
  const cores = nodeProcess()?.getBuiltinModule('node:os').availableParallelism() ?? globalThis.navigator.hardwareConcurrency;
  return Math.max(1, Math.min(THREADS_MAX, cores - 1));
}

function startThread({ answered }: Answers): Thread | null {
  const node = nodeProcess();
  if (node) {
    const { Worker } = node.getBuiltinModule('node:worker_threads');
    const worker = new Worker(
      `${text()} const { parentPort } = require('node:worker_threads');
      parentPort.on('message', (message) => receive(message, (value, transfer) => parentPort.postMessage(value, transfer)));`,
      { eval: true },
    );
    worker.on('message', answered);
    worker.on('error', () => answered(null));
    return { post: (message, transfer) => worker.postMessage(message, transfer), end: () => void worker.terminate() };
  }
  if (typeof Worker === 'undefined') return null;
  const url = URL.createObjectURL(
    new Blob([`${text()} onmessage = ({ data }) => receive(data, postMessage);`], { type: 'text/javascript' }),
  );
  const worker = new Worker(url);
  worker.addEventListener('message', ({ data }) => answered(data as PartTree));
  worker.addEventListener('error', () => answered(null));
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    end: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

/**
 * The trees of parts, in their order. @param take makes a job when its turn comes, so that few lie in
 * memory at once. @param pause awaited between parts; throws to abort.
 */
export async function buildParts(
  count: number,
  take: (part: number) => PartJob,
  threads: number,
  pause: () => Promise<void>,
): Promise<readonly PartTree[]> {
  const trees = new Array<PartTree | undefined>(count);
  if (threads > 1 && count > 1) await buildOnThreads(trees, take, Math.min(threads, count), pause);
  const kernel = await startKernel();
  for (let part = 0; part < count; part++) {
    // Also what a thread that failed has left over.
    if (trees[part]) continue;
    await pause();
    trees[part] = buildPart(kernel, take(part));
  }
  return trees as readonly PartTree[];
}

/** With triangles of its own, to be transferred. */
function gathered(job: PartJob): PartJob & { readonly triangles: Float32Array<ArrayBuffer> } {
  if (!job.members) return { ...job, triangles: job.triangles.slice() };
  const triangles = new Float32Array(job.members.length * 9);
  for (let i = 0; i < job.members.length; i++) {
    const from = (job.members[i] as number) * 9;
    for (let k = 0; k < 9; k++) triangles[i * 9 + k] = job.triangles[from + k] as number;
  }
  return { ...job, triangles, members: null };
}

async function buildOnThreads(
  trees: (PartTree | undefined)[],
  take: (part: number) => PartJob,
  threads: number,
  pause: () => Promise<void>,
): Promise<void> {
  const module = await kernelModule();
  let next = 0;
  let failed = false;
  /** One thread, part after part, as long as there are any. */
  const work = async (): Promise<void> => {
    let answered: (tree: PartTree | null) => void = () => undefined;
    const thread = startThread({ answered: (tree) => answered(tree) });
    if (!thread) return;
    try {
      while (next < trees.length && !failed) {
        const part = next++;
        const job = gathered(take(part));
        const tree = await new Promise<PartTree | null>((resolve) => {
          answered = resolve;
          thread.post({ module, job }, [job.triangles.buffer]);
        });
        if (!tree) return;
        trees[part] = tree;
        await pause();
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      thread.end();
    }
  };
  await Promise.all(Array.from({ length: threads }, work));
}
