/**
 * Who takes no part and only disturbs or listens: nonsense, too much and too big on the control socket, nonsense
 * and other people's words at the peers' own door, scenes and films asked for without the coordinator's word. A
 * job beside it ends with the honest picture and an honest log, and not a byte of scene or film is served.
 */
import { expect, test } from 'vitest';
import type { PeerOutcome } from '#lib/p2p/peer-net.ts';
import { CONTROL_MESSAGE_BYTES_MAX } from '#lib/protocol/limits.ts';
import { concat, randomBytes, utf8 } from '#lib/protocol/bytes.ts';
import type { PeerRequest } from '#lib/protocol/peer.ts';
import { issueCapability } from '#lib/trust/capability.ts';
import { seededRandom } from '../virtual-clock.ts';
import { begin, checker, expectWell, never, submitted, viewOf, worker, world } from '../story.ts';
import type { Tab } from '../world.ts';

const random = seededRandom(5);
const NONSENSE: readonly (() => string)[] = [
  () => '',
  () => '{',
  () => 'null',
  () => '[]'.repeat(100),
  () => JSON.stringify({ type: 'hello' }),
  () => JSON.stringify({ type: 'submit', id: 1, envelope: { payload: 'AA', key: '0'.repeat(64), sig: '0'.repeat(128) } }),
  () => JSON.stringify({ type: 'ask', id: 1, leases: 1e9, bytesMax: -1, holds: null }),
  () => '['.repeat(30_000),
  () => 'x'.repeat(CONTROL_MESSAGE_BYTES_MAX + 1),
  () => String.fromCharCode(...Array.from({ length: 50 }, () => Math.floor(random() * 65_536))),
];

/** Connections that say nonsense until they are cut, one after the other. @returns how much was said. */
async function shout(over: AbortSignal): Promise<number> {
  let said = 0;
  while (!over.aborted) {
    let tell: (text: string) => void = () => {};
    let open = true;
    const close = (): void => void (open = false);
    world.coordinator?.connect({ send: () => {}, onMessage: (listener) => void (tell = listener), onClose: () => {}, close });
    for (let i = 0; i < 40 && open && !over.aborted; i++) {
      tell(NONSENSE[Math.floor(random() * NONSENSE.length)]!());
      said++;
      await world.clock.sleep(over, 50);
    }
  }
  return said;
}

/** All that a stranger may ask of a peer that works on a job. */
async function pry(tab: Tab, peer: string, job: string, scene: string, words: readonly string[]): Promise<PeerOutcome[]> {
  const answers: PeerOutcome[] = [];
  for (const capability of words) {
    const of = { blob: scene, job, capability };
    const requests: readonly PeerRequest[] = [
      { type: 'blob.manifest', ...of },
      { type: 'blob.chunk', ...of, index: 0 },
      { type: 'film.open', lease: '0'.repeat(32), root: '0'.repeat(64), job, capability, permit: capability, leaves: [0] },
    ];
    for (const request of requests) answers.push(await tab.net.request(never, peer, request));
  }
  const film = { type: 'film.deliver', lease: '0'.repeat(32), root: '0'.repeat(64) } as const;
  answers.push(await tab.net.request(never, peer, film, concat(utf8('no film'), randomBytes(5_000))));
  answers.push(await tab.net.request(never, peer, { type: 'nonsense' } as unknown as PeerRequest));
  return answers;
}

test('a job among strangers that shout, flood and pry ends as it should, and they have learned nothing', async () => {
  await begin(91);
  const [one, two] = [await worker(), await worker()];
  await checker();
  const stranger = await world.tab();
  const over = new AbortController();
  const shouting = [shout(over.signal), shout(over.signal)];
  const creator = await world.tab();
  const { role, job } = await submitted(creator);
  await world.until('the scene is with the workers', () => viewOf(role, job).view.committed > 0);
  const { network } = creator.control;
  const soon = world.clock.nowMs() + 3_600_000;
  const words = [
    '',
    'AAAA',
    // Its own word, in the coordinator's place; another's words can't be had, for they go to their holders alone.
    await world.wait(issueCapability(stranger.identity, { network, job, key: stranger.identity.key, untilMs: soon })),
  ];
  const scene = viewOf(role, job).order.scene.hash;
  for (const peer of [creator.net.id, one.tab.net.id, two.tab.net.id]) {
    const answers = await world.wait(pry(stranger, peer, job, scene, words));
    expect(answers.filter(({ status }) => status === 'answered')).toEqual([]);
    // Each is told why, or was let go.
    for (const answer of answers) expect(['refused', 'disconnected']).toContain(answer.status);
    expect(answers.some((answer) => answer.status === 'refused' && answer.fault === 'not-yours')).toBe(true);
  }
  world.peers.corrupt = (from, to, frame) => ([from, to].includes(stranger.net.id) ? randomBytes(frame.length) : frame);
  await world.wait(pry(stranger, one.tab.net.id, job, scene, words));
  over.abort();
  for (const said of await Promise.all(shouting)) expect(said).toBeGreaterThan(10);
  await expectWell(role, job);
});
