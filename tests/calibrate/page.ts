/** The stack inside a browser: traces with the product's own worker and posts each film. */
import { createEngine } from '#lib/gpu/bridge.ts';
import { traceShots, type Work } from './subject.ts';

const say = async (path: string, body: unknown): Promise<void> => {
  await fetch(path, { method: 'POST', body: JSON.stringify(body) });
};
const stack = new URL(location.href).searchParams.get('stack') ?? 'browser';

/** Shipped samples come first, as in Node. */
async function readScene(name: string): Promise<Uint8Array<ArrayBuffer>> {
  for (const folder of ['samples', 'scenes']) {
    const response = await fetch(`/${folder}/${name}`);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
  }
  throw new Error(`there is no ${name}`);
}

try {
  const work = (await (await fetch('/work.json')).json()) as Work;
  const traced = await traceShots(
    {
      engine: createEngine(),
      readScene,
      keep: async (id, film) => void (await fetch(`/film/${id}`, { method: 'POST', body: film })),
      log: (line) => void say('/log', `${stack}: ${line}`),
    },
    work,
  );
  await say('/report', traced);
} catch (error) {
  await say('/failure', error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error));
}
