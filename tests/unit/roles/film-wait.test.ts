/** How long a creator waits for promised films, with time moved by hand. */
import { expect, test } from 'vitest';
import { FILM_MISSING_MAX, FILM_WAIT_MS_MAX } from '#lib/protocol/limits.ts';
import { FilmWait } from '#lib/roles/film-wait.ts';
import type { Control, ControlOutcome } from '#lib/roles/types.ts';
import { ManualClock } from '../server/manual-clock.ts';

const committed = {
  type: 'committed',
  lease: { lease: '1'.repeat(32), job: '2'.repeat(32), tile: 0, pass: 0, attempt: 1 },
  root: '3'.repeat(64),
  workerPeer: `${'4'.repeat(64)}-01`,
} as const;

function patience(answer: () => ControlOutcome = () => ({ status: 'ok', ref: null })) {
  const clock = new ManualClock();
  const said: unknown[] = [];
  const state = { connected: true, wanted: true };
  const control = {
    get connected() {
      return state.connected;
    },
    submit: async (purpose: string, body: unknown) => {
      said.push({ purpose, body });
      return answer();
    },
  } as Pick<Control, 'connected' | 'submit'> as Control;
  const wait = new FilmWait(new AbortController().signal, { clock, control });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { wait, pass, said, state, watch: () => void wait.watch(committed, () => state.wanted) };
}

test('a film that does not come is called missing after each wait, as often as it counts, and no more', async () => {
  const { watch, pass, said } = patience();
  watch();
  watch();
  await pass(FILM_WAIT_MS_MAX - 1);
  expect(said).toEqual([]);
  await pass(1);
  expect(said).toEqual([{ purpose: 'film.receipt', body: { lease: committed.lease.lease, root: committed.root, verdict: 'missing' } }]);
  for (let i = 0; i < 3; i++) await pass(FILM_WAIT_MS_MAX);
  expect(said).toHaveLength(FILM_MISSING_MAX);
});

test('a film that came, or a creator that is away, says nothing', async () => {
  const { watch, pass, said, state } = patience();
  watch();
  state.connected = false;
  for (let i = 0; i < 3; i++) await pass(FILM_WAIT_MS_MAX);
  state.connected = true;
  state.wanted = false;
  await pass(FILM_WAIT_MS_MAX);
  expect(said).toEqual([]);
});

test('“too early” is said again later; any other refusal ends it', async () => {
  const answers: ControlOutcome[] = [
    { status: 'refused', reason: 'receipt-early', text: '' },
    { status: 'refused', reason: 'lease-over', text: '' },
  ];
  const { watch, pass, said } = patience(() => answers.shift()!);
  watch();
  for (let i = 0; i < 4; i++) await pass(FILM_WAIT_MS_MAX);
  expect(said).toHaveLength(2);
});
