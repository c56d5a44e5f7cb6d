/** A coordinator in a process of its own, on a port, until it is killed. */
import { createServer } from 'node:http';
import { createCoordinator } from '#lib/server/coordinator.ts';
import { TEST_POLICY, TEST_RULES } from '../harness.ts';

const [dataDir, port] = process.argv.slice(2);
const coordinator = await createCoordinator({ dataDir: dataDir!, network: 'test', policy: TEST_POLICY, rules: TEST_RULES });
const server = createServer((request, response) => {
  void coordinator.http(new Request(`http://c${request.url}`)).then(async (answer) => {
    response.writeHead(answer?.status ?? 404, Object.fromEntries(answer?.headers ?? []));
    response.end(answer ? Buffer.from(await answer.arrayBuffer()) : undefined);
  });
});
coordinator.attach(server);
server.listen(Number(port), '127.0.0.1', () => process.send?.('ready'));
process.on('message', () => void coordinator.close().then(() => process.exit(0)));
