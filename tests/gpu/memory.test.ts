/**
 * A device whose memory ends while paths are traced: dispatches stay small, or one kernel takes over
 * from the stages. No device is lost over it, and no bit of the film differs.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { TraceOutcome } from '#lib/gpu/engine.ts';
import type { Film } from '#lib/job/film.ts';
import { RenderEngine } from '#workers/render/engine.ts';
import { LANE_PATHS_MIN } from '#workers/render/lane.ts';
import { DEFAULT_VARIANT, type EngineOptions } from '#workers/render/variant.ts';
import { PathSlot } from '#shaders/layout.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { testGpu } from './device.ts';
import { compileKit, FRONT, request } from './kit.ts';
import { plainRoom } from './plain-scenes.ts';
import { STAGES } from './wavefront-kit.ts';
import { watchGpu, type WatchedGpu } from './watched-gpu.ts';

const never = new AbortController().signal;
/** Far more paths than buffers are first made for, most of which see nothing: the room is far away. */
const SHOT = { side: 64, samples: 16, bounces: 3, camera: { ...FRONT, eye: [0, 0, 16] as [number, number, number] } };
const GPU_NAME = { vendor: 'test', architecture: 'gpu', description: 'Not really a GPU', device: '' };
const TRACES_MAX = 200;
let scene: CompiledScene;
let undisturbed: Film;

/** Every dispatch is quick by this clock, so that they grow. */
const quick = (): NonNullable<EngineOptions['clock']> => {
  let now = 0;
  return { nowMs: () => (now += 0.2), sleep: async () => undefined };
};

/** Traces once, and again as long as `more` says, as often as it takes a kernel to be built. */
async function trace(watched: WatchedGpu, options: EngineOptions, more: () => boolean = () => false): Promise<TraceOutcome[]> {
  const engine = new RenderEngine(watched.gpu, { clock: quick(), ...options });
  engine.adopt(scene);
  const outcomes: TraceOutcome[] = [];
  do outcomes.push(await engine.trace(never, request(scene.summary.root, SHOT)));
  while (more() && outcomes.length < TRACES_MAX);
  await engine.dispose();
  return outcomes;
}

beforeAll(async () => {
  scene = await compileKit(plainRoom(1));
  const [outcome] = await trace(watchGpu(await testGpu(), GPU_NAME), { variant: DEFAULT_VARIANT });
  if (!outcome?.ok) throw new Error(outcome?.text);
  undisturbed = outcome.film;
  expect(undisturbed.signatures.some((word) => word !== undisturbed.signatures[0])).toBe(true);
});

/** Bytes by bytes: a matcher that walks values takes minutes over films of this size. */
function expectUndisturbed(outcome: TraceOutcome | undefined): void {
  if (!outcome?.ok) throw new Error(outcome?.text);
  for (const layer of ['light', 'signatures'] as const) {
    const [is, was] = [bytesOf(outcome.film[layer]), bytesOf(undisturbed[layer])];
    expect(is.length === was.length && is.every((byte, i) => byte === was[i]), layer).toBe(true);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** A finding that this adapter is fastest with the stages. */
const tunedToStages = (): NonNullable<EngineOptions['tune']> => ({
  get: async () => JSON.stringify({ variant: STAGES, paths: 1 << 18 }),
  set: async () => undefined,
});

describe.each([
  ['the megakernel', { variant: DEFAULT_VARIANT }, 'slots', PathSlot.size],
  ['the stages', { variant: STAGES }, 'path state', 16 * 12],
] as const)('memory that ends where the dispatches of %s would grow', (_, options, label, bytesPerPath) => {
  it('keeps them as large as they were', async () => {
    const watched = watchGpu(await testGpu(), GPU_NAME);
    let refused = 0;
    watched.lacks = (buffer) => {
      const short = buffer.label === label && buffer.size > LANE_PATHS_MIN * bytesPerPath * 1.5;
      refused += Number(short);
      return short;
    };
    const [outcome] = await trace(watched, options);
    expect(refused).toBeGreaterThan(0);
    expect(watched.devices).toHaveLength(1);
    expectUndisturbed(outcome);
  });
});

describe('memory that does not hold the state of the stages at all', () => {
  it('leaves the work to one kernel', async () => {
    const watched = watchGpu(await testGpu(), GPU_NAME);
    let refused = 0;
    watched.lacks = ({ label }) => {
      refused += Number(label === 'path state');
      return label === 'path state';
    };
    const outcomes = await trace(watched, { tune: tunedToStages() }, () => refused === 0);
    for (const outcome of outcomes) expectUndisturbed(outcome);
    expect(watched.devices).toHaveLength(1);
    expect(refused).toBe(1);
  });

  it('is said where the stages were asked for by name, and where not even one kernel finds room', async () => {
    for (const [options, label] of [
      [{ variant: STAGES }, 'path state'],
      [{ variant: DEFAULT_VARIANT }, 'slots'],
    ] as const) {
      const watched = watchGpu(await testGpu(), GPU_NAME);
      watched.lacks = (buffer) => buffer.label === label;
      const [outcome] = await trace(watched, options);
      expect(outcome).toMatchObject({ ok: false, reason: 'no-memory', text: expect.stringMatching(/no memory/) });
      expect(watched.devices).toHaveLength(1);
    }
  });
});
