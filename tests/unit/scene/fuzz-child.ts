/**
 * The process that compiles mutants: it says the number of each before it begins, so that whoever
 * waits knows which one it hangs or dies on, and tells everything that no file may bring about.
 */
import { compileScene, SceneError } from '#workers/scene/compile.ts';
import { fuzzCorpus } from './fuzz-corpus.ts';
import { mutant } from './fuzz-mutate.ts';

export interface FuzzTally {
  compiled: number;
  refused: number;
  /** Processor time of the slowest mutant, garbage collection and WASM compilation included. */
  slowestMs: number;
  slowest: string;
  peakRssBytes: number;
}
export type FuzzMessage =
  /** About to begin, with the tally of those before. */
  | { readonly at: number; readonly name: string; readonly tally: FuzzTally }
  | { readonly fault: string; readonly name: string }
  | { readonly done: FuzzTally };

/** One line, no stack, no words of the machine, and a place: a byte, a JSON path, or the part of the file. */
function faultOfSentence(text: string): string | null {
  if (!/^[^\n]{10,300}\.$/u.test(text)) return 'is no sentence';
  if (/\bundefined\b|\[object|\bat \S+:\d+:\d+|node_modules|TypeError|RangeError/.test(text)) return 'speaks of the machine';
  const place =
    /\bByte \d+|^byte|^[a-z][A-Za-z]*((\[\d+\])|(\.[\w -]+))*|^The (environment|archive|file|scene|JSON|meshes|images|lights)|^All triangles/;
  return place.test(text) ? null : 'names no place';
}

const tally: FuzzTally = { compiled: 0, refused: 0, slowestMs: 0, slowest: '', peakRssBytes: 0 };
const say = (message: FuzzMessage): void => void process.send?.(message);

/** Texts that became code. Emscripten's glue makes callers out of signatures; nothing else may, and no file may add to them. */
const scripts = new Set<string>();
let watching = false;
let current = '';

function watchScripts(): void {
  const noted = (args: readonly unknown[]): void => {
    const code = args.map(String).join('\n');
    if (watching && !scripts.has(code)) say({ fault: `made code out of text: ${code.slice(0, 500)}`, name: current });
    scripts.add(code);
  };
  globalThis.Function = new Proxy(Function, {
    apply: (target, self: unknown, args: string[]) => (noted(args), Reflect.apply(target, self, args) as unknown),
    construct: (target, args: string[]) => (noted(args), Reflect.construct(target, args) as object),
  });
  const plain = Reflect.get(globalThis, 'eval') as (code: string) => unknown;
  Object.assign(globalThis, { eval: (code: string): unknown => (noted([code]), plain(code)) });
}

/** Every sound file compiles; what they make of code is what there may be. */
async function warmUp(corpus: Awaited<ReturnType<typeof fuzzCorpus>>): Promise<void> {
  watchScripts();
  for (const { name, files } of corpus) {
    await compileScene(new AbortController().signal, files).catch((error: unknown) =>
      say({ fault: `the sound file: ${String(error)}`, name }),
    );
  }
  watching = true;
}

async function tryOne(index: number, corpus: Awaited<ReturnType<typeof fuzzCorpus>>): Promise<void> {
  const { name, files } = mutant(corpus, index);
  current = name;
  say({ at: index, name, tally });
  const before = process.cpuUsage();
  try {
    const scene = await compileScene(new AbortController().signal, files);
    tally.compiled += 1;
    if (!/^[0-9a-f]{64}$/.test(scene.summary.root)) say({ fault: `compiled to the root ${scene.summary.root}`, name });
    for (const warning of scene.summary.warnings) {
      const fault = faultOfSentence(warning);
      if (fault && fault !== 'names no place') say({ fault: `a warning ${fault}: ${warning}`, name });
    }
  } catch (error) {
    tally.refused += 1;
    const fault = error instanceof SceneError ? faultOfSentence(error.message) : 'is an exception';
    if (fault) say({ fault: `${fault}: ${error instanceof Error ? (error.stack ?? error.message).slice(0, 1500) : String(error)}`, name });
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  tally.peakRssBytes = process.resourceUsage().maxRSS * 1024;
  if (ms > tally.slowestMs) Object.assign(tally, { slowestMs: ms, slowest: name });
}

process.on('message', (range: { readonly from: number; readonly to: number }) => {
  void (async () => {
    const corpus = await fuzzCorpus();
    await warmUp(corpus);
    for (let index = range.from; index < range.to; index++) await tryOne(index, corpus);
    say({ done: tally });
    process.disconnect();
  })();
});
