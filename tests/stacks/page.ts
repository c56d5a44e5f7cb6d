/** The stack inside a browser: runs the subject with the product's own worker and posts what came out. */
import { createEngine } from '#lib/gpu/bridge.ts';
import { runSubject } from './subject.ts';

const post = async (path: string, body: unknown): Promise<void> => {
  await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
};

try {
  const read = async (path: string): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await (await fetch(path)).arrayBuffer());
  const report = await runSubject(new URL(location.href).searchParams.get('stack') ?? 'browser', {
    gpu: navigator.gpu,
    engine: createEngine(),
    readSample: (name) => read(`/samples/${name}.glb`),
    scenes: (await (await fetch('/scenes.json')).json()) as string[],
    readScene: (name) => read(`/scenes/${name}`),
    log: (line) => void post('/log', line),
  });
  await post('/report', report);
} catch (error) {
  await post('/failure', error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error));
}
