/**
 * How the web app finds the coordinator of its own process. The server that hosts both puts it on a
 * global symbol, because the app's bundle and the server's are built apart and share no module.
 */
import type { Coordinator } from './coordinator.ts';

const SLOT = Symbol.for('pictor.coordinator');
type Holder = { [SLOT]?: Coordinator };

export const setCoordinator = (coordinator: Coordinator | undefined): void => {
  if (coordinator) (globalThis as Holder)[SLOT] = coordinator;
  else delete (globalThis as Holder)[SLOT];
};

export const getCoordinator = (): Coordinator | undefined => (globalThis as Holder)[SLOT];

/** Answers a request of the web app, with a sentence where there is no coordinator. */
export async function forward(request: Request): Promise<Response> {
  const coordinator = getCoordinator();
  if (!coordinator)
    return Response.json({ error: 'No coordinator runs in this process: start the site with `npm start`.' }, { status: 503 });
  return (await coordinator.http(request)) ?? Response.json({ error: 'There is nothing here.' }, { status: 404 });
}
