/** A peer of another version is told so and let in by nothing; one that is merely wrong is dropped as before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROTOCOL_VERSION } from '#lib/protocol/control.ts';
import { openMemory } from '#lib/server/store/open.ts';
import { world, type World } from './harness.ts';

let w: World;
beforeAll(async () => {
  w = await world({ store: await openMemory() });
}, 120_000);
afterAll(() => w.coordinator.close());

/** A connection that has said nothing yet. */
function stranger() {
  const heard: Record<string, unknown>[] = [];
  let say: (text: string) => void = () => undefined;
  w.coordinator.connect({
    send: (text) => void heard.push(JSON.parse(text) as Record<string, unknown>),
    onMessage: (listener) => void (say = listener),
    onClose: () => undefined,
    close: () => undefined,
  });
  return { heard, say: (message: unknown) => say(JSON.stringify(message)) };
}

test.each([
  [PROTOCOL_VERSION - 1, new RegExp(`this program version ${PROTOCOL_VERSION - 1}: reload the page, or update the program\\.$`)],
  [PROTOCOL_VERSION + 1, /whoever runs the coordinator has to update it\.$/],
])('a hello of version %d is refused in a sentence, whatever else it says', async (version, words) => {
  const { heard, say } = stranger();
  say({ type: 'hello', id: 7, version, greeting: 'of another time' });
  await w.pass(10);
  expect(heard.map(({ type }) => type)).toEqual(['challenge', 'refused']);
  expect(heard[1]).toMatchObject({ id: 7, reason: 'version', text: expect.stringMatching(words) });
});

test('one of this version that is none is dropped without a word: a control', async () => {
  const { heard, say } = stranger();
  say({ type: 'hello', id: 7, version: PROTOCOL_VERSION, greeting: 'of this time' });
  await w.pass(10);
  expect(heard.map(({ type }) => type)).toEqual(['challenge']);
});
