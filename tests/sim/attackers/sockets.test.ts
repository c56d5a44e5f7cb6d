/**
 * One attack of each role through real sockets, against a coordinator on a port of its own: a worker whose
 * films two checkers refuse, a checker that says no to everything, a creator that takes films and
 * cancels, and a coordinator that shows a witness two histories.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { fetchLog } from '#lib/ledger/client.ts';
import { heldOf } from '#lib/ledger/leaf.ts';
import { verifyLog } from '#lib/ledger/verify.ts';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import type { Role } from '#lib/protocol/control.ts';
import { identityFromSecret, type Identity } from '#lib/protocol/envelope.ts';
import { MemoryWitnessStore, Witness } from '#lib/roles/witness.ts';
import { createCoordinator, type Coordinator } from '#lib/server/coordinator.ts';
import { nodeVerify } from '#lib/server/keys.ts';
import * as tables from '#lib/server/store/schema.ts';
import { Store, type Db } from '#lib/server/store/store.ts';
import { Client, TEST_POLICY, TEST_RULES, testOrder, type Message } from '../../unit/server/harness.ts';
import { ManualClock } from '../../unit/server/manual-clock.ts';

/** 512 leases. */
const MANY = testOrder({ samples: 256, passSamples: 1, capMicro: '100000' });
const WAIT_MS = 20_000;
const ASK = new AbortController().signal;

interface Site {
  readonly coordinator: Coordinator;
  readonly server: Server;
  readonly url: string;
  readonly database: PGlite;
}

const clock = new ManualClock();
const opened: { close(): unknown }[] = [];
afterAll(async () => {
  for (const one of opened.reverse()) await one.close();
});

async function site(database: PGlite): Promise<Site> {
  const store = new Store(drizzle(database, { schema: tables }) as unknown as Db, 'PGlite', async () => {});
  await store.migrate();
  const rules = { ...TEST_RULES, holdHundredths: 300 };
  const coordinator = await createCoordinator({ store, clock, network: 'test', policy: TEST_POLICY, rules });
  const server = createServer((request, response) => {
    void coordinator.http(new Request(`http://c${request.url}`)).then(async (answer) => {
      response.writeHead(answer?.status ?? 404);
      response.end(Buffer.from(await (answer ?? new Response()).arrayBuffer()));
    });
  });
  coordinator.attach(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(coordinator, server);
  return { coordinator, server, url: `127.0.0.1:${(server.address() as AddressInfo).port}`, database };
}

/** A client whose words go over a WebSocket. */
async function join(at: Site, roles: readonly Role[], who?: Identity): Promise<Client> {
  const identity = who ?? (await identityFromSecret(randomBytes(32)));
  const socket = new WebSocket(`ws://${at.url}/control`);
  opened.push(socket);
  let asked = 0;
  let answered = 0;
  const wire = {
    connect: (link: { send(text: string): void; onMessage(listener: (text: string) => void): void; close(): void }): void => {
      // A client's link is the coordinator's end: what would reach the coordinator goes out, what comes in is its word.
      socket.on('message', (data: Buffer) => {
        const text = data.toString();
        if (/"type":"(ack|refused|welcome)"/.test(text)) answered++;
        link.send(text);
      });
      link.onMessage((text) => {
        asked++;
        socket.send(text);
      });
    },
  };
  const settle = async (): Promise<void> => until('an answer', () => answered >= asked);
  const client = new Client(wire as unknown as Coordinator, identity, toHex(randomBytes(4)), clock, settle);
  await until('a challenge', () => client.last('challenge') !== undefined);
  await client.hello(roles);
  return client;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not so in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const get = async (at: Site, path: string): Promise<unknown> => (await fetch(`http://${at.url}/api/${path}`)).json();
const balance = async (at: Site, account: string): Promise<number> =>
  Number(((await get(at, `balance/${account}`)) as { balanceMicro: string }).balanceMicro);

async function verified(at: Site): Promise<void> {
  const log = await fetchLog(ASK, `http://${at.url}`, fetch);
  if (!log.ok) throw new Error(log.reason);
  expect(await verifyLog(log.checkpoint, at.coordinator.key, log.leaves, nodeVerify)).toMatchObject({ ok: true });
}

/** A lease committed and received; @returns its id. */
async function commit(creator: Client, worker: Client): Promise<string> {
  const before = worker.all('grant').length;
  await worker.ask(1);
  await until('a lease', () => worker.all('grant').length > before);
  const grant = worker.last('grant')!;
  await worker.commit(grant);
  await until('it is announced', () => creator.last('committed')?.lease.lease === grant.lease.lease);
  return grant.lease.lease;
}

const answered = new Set<string>();
/** Who is drawn for this lease says this. */
async function judged(lease: string, checkers: readonly Client[], says: (one: Client) => 'pass' | 'fail'): Promise<void> {
  let found: { one: Client; check: Message<'check'> } | null = null;
  await until('somebody is drawn', () => {
    for (const one of checkers) {
      const check = one.all('check').find((m) => m.lease.lease === lease && !answered.has(m.nonceCommitment));
      if (check) found = { one, check };
    }
    return found !== null;
  });
  const { one, check } = found!;
  answered.add(check.nonceCommitment);
  await one.verdict(check, says(one));
}

let at: Site;
beforeAll(async () => {
  at = await site(await PGlite.create());
}, 120_000);

async function market(checkers: number): Promise<{ creator: Client; worker: Client; checkers: Client[]; job: string }> {
  const creator = await join(at, ['creator']);
  await creator.grant();
  const job = await creator.order(MANY);
  const worker = await join(at, ['worker']);
  const all: Client[] = [];
  for (let i = 0; i < checkers; i++) {
    const one = await join(at, ['checker']);
    await one.checkReady(4, 64);
    all.push(one);
  }
  return { creator, worker, checkers: all, job };
}

test('a worker whose film two checkers refuse is paid nothing for it and loses what was held', async () => {
  const { creator, worker, checkers, job } = await market(2);
  const first = await commit(creator, worker);
  await creator.receipt(creator.last('committed')!);
  await judged(first, checkers, () => 'pass');
  await until('it is paid', () => worker.last('settled') !== undefined);
  expect(await balance(at, heldOf(worker.key))).toBeGreaterThan(0);
  const lie = await commit(creator, worker);
  for (let i = 0; i < 2; i++) await judged(lie, checkers, () => 'fail');
  await until('it is void', () => worker.last('voided') !== undefined);
  expect(await balance(at, heldOf(worker.key))).toBe(0);
  expect(await balance(at, worker.key)).toBe(0);
  expect(await get(at, `standing/${worker.key}`)).toMatchObject({ worker: { faults: 1, reputation: 0 } });
  await creator.submit('job.cancel', { job });
  await leave(worker, ...checkers);
  await verified(at);
}, 120_000);

async function leave(...clients: readonly Client[]): Promise<void> {
  for (const one of clients) {
    if (one.received.some((m) => m.type === 'check') || one.nonces.size > 0) await one.checkReady(0, 0);
    await one.ask(0);
  }
}

test('a checker that says no to everything is outvoted each time, and paid nothing', async () => {
  const { creator, worker, checkers, job } = await market(3);
  const [liar] = checkers as [Client];
  // Whom the lot falls on nobody knows before: as many leases as it takes to ask the liar three times, who is drawn
  // less often than checkers whose verdicts stood (drawing.ts); that all leases of the job are too few has odds below 1e-20.
  let noes = 0;
  const says = (one: Client): 'pass' | 'fail' => {
    if (one === liar) noes++;
    return one === liar ? 'fail' : 'pass';
  };
  while (noes < 3) {
    const lease = await commit(creator, worker);
    await creator.receipt(creator.last('committed')!);
    while (!worker.all('settled').some((m) => m.lease === lease)) await judged(lease, checkers, says);
  }
  expect(worker.last('voided')).toBeUndefined();
  const record = await get(at, `standing/${liar.key}`);
  expect(record).toMatchObject({ checker: { goodRight: 0, payFactor: 0 } });
  expect(await balance(at, liar.key)).toBe(0);
  await creator.submit('job.cancel', { job });
  await leave(worker, ...checkers);
  await verified(at);
}, 240_000);

test('a creator that cancels as soon as it has the films pays for all that checks pass', async () => {
  const { creator, worker, checkers, job } = await market(1);
  const before = (await balance(at, creator.key)) + (await balance(at, worker.key));
  const leases = [await commit(creator, worker), await commit(creator, worker)];
  // Both films are there, nothing is said to have come, and the rest is taken back.
  await creator.submit('job.cancel', { job });
  for (const lease of leases) await judged(lease, checkers, () => 'pass');
  await until('both are paid', () => worker.all('settled').length === leases.length);
  const earned = (await balance(at, worker.key)) + (await balance(at, heldOf(worker.key)));
  expect(earned).toBeGreaterThan(0);
  expect(await balance(at, creator.key)).toBeLessThan(before + Number(MANY.capMicro));
  await leave(worker, ...checkers);
  await verified(at);
}, 120_000);

test('a coordinator that shows a witness two histories has signed its own conviction', async () => {
  const fork = await site((await at.database.clone()) as PGlite);
  expect(fork.coordinator.key).toBe(at.coordinator.key);
  const who = await identityFromSecret(randomBytes(32));
  const witness = new Witness({ identity: who, store: new MemoryWitnessStore(), clock });
  const log = { origin: 'test', key: at.coordinator.key };
  /** The witness comes to one of the two, which has written something since. @returns what it says of the checkpoint it is shown. */
  const visit = async (where: Site): Promise<number> => {
    await (await join(where, ['creator'])).grant();
    const one = await join(where, ['checker'], who);
    for (let i = 0; i < 40 && !one.last('checkpoint'); i++) {
      clock.advance(500);
      one.ping();
      await where.coordinator.idle();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const shown = one.last('checkpoint')!;
    const answer = await witness.add(log, shown.body);
    await one.request({ type: 'cosigned', status: answer.status, body: answer.body }).catch(() => undefined);
    one.disconnect();
    return answer.status;
  };
  expect(await visit(at)).toBe(200);
  const seen = witness.size;
  const second = await visit(fork);
  expect([409, 422]).toContain(second);
  expect(witness.size).toBe(seen);
  expect(witness.cosigned).toBe(1);
  expect(witness.split !== null || witness.doubts.length > 0).toBe(true);
}, 120_000);
