/** A coordinator in a process of its own, which grants as fast as it can and tells its parent of every acknowledgement, until it is killed. */
import { createServer } from 'vite';

const [dataDir] = process.argv.slice(2);
const vite = await createServer({
  configFile: false,
  appType: 'custom',
  server: { middlewareMode: true, hmr: false, ws: false },
  optimizeDeps: { noDiscovery: true, include: [] },
  logLevel: 'error',
});
const { world } = await vite.ssrLoadModule('/tests/unit/server/harness.ts');
const w = await world({ dataDir });
for (;;) {
  const client = await w.join(['creator']);
  const answer = await client.grant();
  if (answer.type === 'ack') process.send(client.key);
}
