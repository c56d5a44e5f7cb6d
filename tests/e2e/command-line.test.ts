/**
 * The command line as other programs use it: exit codes, files, one line of JSON, signals; and
 * headless agents over real WebRTC, whose picture has the same bits as the one traced alone.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { decode } from 'fast-png';
import { unzipSync } from 'fflate';
import { FloatType } from 'three';
import { EXRLoader } from 'three/addons/loaders/EXRLoader.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPfm } from '#lib/image/pfm.ts';
import { openExr, readExrChannels } from '#workers/scene/exr.ts';
import { CoordinatorProcess, pictor, temporaryFolder } from './harness.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const SCENE = join(ROOT, 'static/samples/still-life.glb');
const TURNING = join(ROOT, 'static/samples/orrery.glb');
const SMALL = ['--size', '32x24', '--spp', '1', '--bounces', '2'];
const LOOK = ['--size', '48x40', '--spp', '3', '--bounces', '3', '--seed', '5'];

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  // Keys and blobs of this test, not of whoever runs it.
  process.env.PICTOR_DATA = at('data');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refuse = (what: string): never => {
  throw new Error(what);
};

function radiance(path: string): Float32Array {
  const read = readPfm(new Uint8Array(readFileSync(path)), { sidePx: 8192, pixels: 1e7 });
  if (!read.ok) throw new Error(`${path} ${read.text}`);
  expect(read.image.channels).toBe(3);
  return read.image.values;
}

describe('alone', () => {
  test('a picture in three formats and one line of JSON', async () => {
    const done = await pictor(['render', SCENE, ...LOOK, '--out', at('a.pfm'), '--out', at('a.exr'), '--out', at('a.png'), '--json']);
    expect(done.code, done.stderr).toBe(0);
    const report = JSON.parse(done.stdout) as Record<string, unknown>;
    expect(done.stdout.trim().split('\n')).toHaveLength(1);
    expect(report).toMatchObject({ samples: 3, width: 48, height: 40 });
    for (const key of ['segments', 'traceSeconds', 'compileSeconds', 'bytes']) expect(report[key], key).toBeGreaterThan(0);
    for (const key of ['device', 'variant']) expect(report[key], key).toBeTypeOf('string');
    // Every path traces at least its camera ray.
    expect(report.segments).toBeGreaterThanOrEqual(48 * 40 * 3);

    const rgb = radiance(at('a.pfm'));
    expect(rgb).toHaveLength(48 * 40 * 3);
    expect(rgb.every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
    expect(rgb.some((value) => value > 0.01)).toBe(true);
    const exr = new EXRLoader().setDataType(FloatType).parse(readFileSync(at('a.exr')).buffer as ArrayBuffer);
    const top = (exr.data as Float32Array).subarray(39 * 48 * 4, 39 * 48 * 4 + 3);
    expect([...top]).toEqual([...rgb.subarray(0, 3)]);
    expect(readFileSync(at('a.png')).subarray(1, 4).toString()).toBe('PNG');
  });

  test('everything beside the picture, counted, through a lens and without what stands behind', async () => {
    const words = ['render', SCENE, ...LOOK, '--aov', 'all', '--transparent', '--dof', 'f1.4', '--count', '--json'];
    const done = await pictor([...words, '--out', at('b.png')]);
    expect(done.code, done.stderr).toBe(0);
    const report = JSON.parse(done.stdout) as { readonly outputs: readonly { readonly path: string }[] } & Record<string, unknown>;
    const beside = ['albedo', 'normal', 'depth', 'object', 'variance', 'samples', 'moment'].map((name) => at(`b.${name}.pfm`));
    expect(report.outputs.map(({ path }) => path)).toEqual([at('b.png'), ...beside]);
    expect(report.nodeVisitsPerSegment).toBeGreaterThan(1);
    expect(report.triangleTestsPerSegment).toBeGreaterThan(0);
    expect(report.shadingCallsPerSegment).toBeGreaterThan(0);
    expect(report.shadingCallsPerSegment).toBeLessThan(1);
    const image = decode(readFileSync(at('b.png')));
    expect([image.width, image.height, image.channels]).toEqual([48, 40, 4]);
    expect(Math.max(...radiance(beside[0]!))).toBeGreaterThan(0.1);
    expect(Math.max(...radiance(beside[0]!))).toBeLessThanOrEqual(1);

    const layered = await pictor([...words, '--out', at('b.exr'), '--out', at('c.png')]);
    expect(layered.code, layered.stderr).toBe(0);
    expect((JSON.parse(layered.stdout) as typeof report).outputs).toHaveLength(2);
    const head = readFileSync(at('b.exr')).subarray(0, 2000).toString('latin1');
    for (const channel of ['A', 'R', 'albedo.R', 'depth.Z', 'moment.Y', 'normal.X', 'object.X', 'samples.X', 'variance.Y'])
      expect(head).toContain(`${channel}\0`);
    expect(readFileSync(at('c.png'))).toEqual(readFileSync(at('b.png')));
  });

  test('a picture cleared of grain beside its light, and the same by pictor denoise from the file', async () => {
    const words = [
      'render',
      SCENE,
      ...LOOK,
      '--aov',
      'albedo,normal,moment,samples',
      '--denoise',
      'fast',
      '--tonemap',
      'aces',
      '--bits',
      '16',
      '--json',
    ];
    const done = await pictor([...words, '--out', at('d.exr'), '--out', at('d.png')]);
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ denoised: [expect.stringContaining('rt_')] });
    expect(decode(readFileSync(at('d.png'))).depth).toBe(16);
    const again = await pictor(['denoise', at('d.exr'), '--quality', 'fast', '--out', at('e.pfm')]);
    expect(again.code, again.stderr).toBe(0);
    const opened = openExr(Uint8Array.from(readFileSync(at('d.exr'))), refuse, { sidePx: 100, texels: 10_000 });
    const layer = (...names: string[]): Float32Array => readExrChannels(opened, names, refuse);
    expect(layer('denoised.R', 'denoised.G', 'denoised.B')).toEqual(radiance(at('e.pfm')));
    // The raw light is untouched, and another thing.
    expect(layer('R', 'G', 'B')).toEqual(radiance(at('a.pfm')));
    expect(layer('R', 'G', 'B')).not.toEqual(radiance(at('e.pfm')));
  });

  test('a sequence as a ZIP, and a video that no program here could write', async () => {
    const words = ['render', TURNING, ...SMALL, '--frames', '0..2', '--fps', '2'];
    const done = await pictor([...words, '--out', at('s.zip'), '--out', at('s-##.png')]);
    expect(done.code, done.stderr).toBe(0);
    const entries = unzipSync(Uint8Array.from(readFileSync(at('s.zip'))));
    expect(Object.keys(entries)).toEqual(['s-0000.png', 's-0001.png', 's-0002.png']);
    expect(Buffer.from(entries['s-0002.png']!)).toEqual(readFileSync(at('s-02.png')));
    expect(decode(entries['s-0000.png']!).data).not.toEqual(decode(entries['s-0001.png']!).data);
    const kept = process.env.PATH;
    process.env.PATH = folder;
    const video = await pictor([...words, '--out', at('s.mp4')]).finally(() => (process.env.PATH = kept));
    expect(video.code).toBe(1);
    expect(video.stderr).toMatch(/s\.mp4: videos are written by ffmpeg, which is not installed; install it, or name a \.zip/);
  });

  test('an interrupt ends it with 130 and leaves nothing behind', async () => {
    const child = spawn(
      process.execPath,
      [join(ROOT, 'build/cli/pictor.js'), 'render', SCENE, '--size', '2000x2000', '--spp', '512', '--out', at('never.png')],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const rendering = waitFor(child, /rendering on/);
    await rendering;
    child.kill('SIGINT');
    expect(await exitOf(child)).toBe(130);
    expect(existsSync(at('never.png'))).toBe(false);
  });

  test.each([
    ['an unknown option', [SCENE, '--nope'], 2, /Unknown option '--nope'/],
    ['a file that is not there', [join(folder, 'none.glb')], 1, /can't read .*none\.glb/],
    ['a camera that is not there', [SCENE, '--camera', '99'], 1, /no camera '99'; it has 0 '/],
    ['a camera of no such name', [SCENE, '--camera', 'attic'], 1, /no camera 'attic'; it has 0 '/],
    ['an auxiliary that is not known', [SCENE, '--aov', 'shadow'], 2, /some of albedo,normal/],
    ['a depth of field without a number', [SCENE, '--dof', 'much'], 2, /--dof must be a number/],
    ['a variant that the file lacks', [SCENE, '--variant', 'winter'], 1, /winter/],
    ['an image type that is not known', [SCENE, '--out', 'x.jpg'], 2, /must end in/],
  ])('%s: one sentence and an exit code', async (_name, words, code, reason) => {
    const done = await pictor(['render', ...words], folder);
    expect(done.code).toBe(code);
    expect(done.stderr).toMatch(reason);
    expect(done.stderr).not.toMatch(/\n\s+at /);
    expect(done.stdout).toBe('');
  });

  test('a file that is not glTF is named with its defect', async () => {
    writeFileSync(at('bad.glb'), 'this is no scene');
    const done = await pictor(['render', at('bad.glb'), '--out', at('bad.png')]);
    expect(done.code).toBe(1);
    expect(done.stderr).toMatch(/^pictor: .*bad\.glb: .+\n$/);
  });

  test('help for every command, with an example', async () => {
    const all = await pictor(['--help']);
    expect(all.code).toBe(0);
    const names = [...all.stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((match) => match[1]!);
    expect(names).toEqual(expect.arrayContaining(['start', 'render', 'work', 'check', 'serve', 'ledger']));
    for (const name of names) expect((await pictor([name, '--help'])).stdout, name).toMatch(/Usage: pictor[^]*Example/);
  });
});

describe('through a network of headless agents', () => {
  let coordinator: CoordinatorProcess;
  const agents: ChildProcess[] = [];

  beforeAll(async () => {
    coordinator = await CoordinatorProcess.start();
    for (const role of ['work', 'check']) {
      const words = [role, '--network', coordinator.url, '--key', at(`${role}.key`), '--data', at(role)];
      agents.push(spawn(process.execPath, [join(ROOT, 'build/cli/pictor.js'), ...words], { stdio: ['ignore', 'pipe', 'pipe'] }));
    }
    await Promise.all(agents.map((agent) => waitFor(agent, /^waiting/m)));
  });
  afterAll(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await coordinator.stop();
  });

  test('the picture has the bits of the one traced alone, with a receipt, and the ledger is true', async () => {
    const alone = await pictor(['render', SCENE, ...LOOK, '--out', at('alone.pfm'), '--json']);
    expect(alone.code, alone.stderr).toBe(0);
    const done = await pictor(['render', SCENE, ...LOOK, '--network', coordinator.url, '--out', at('net.pfm'), '--json']);
    expect(done.code, done.stderr).toBe(0);
    expect(radiance(at('net.pfm'))).toEqual(radiance(at('alone.pfm')));
    const [mine, theirs] = [alone, done].map(({ stdout }) => JSON.parse(stdout) as { segments: number; receipt?: string; job?: string });
    expect(theirs!.segments).toBe(mine!.segments);
    const receipt = JSON.parse(readFileSync(theirs!.receipt!, 'utf8')) as { job: string; state: string };
    expect(receipt).toMatchObject({ job: theirs!.job, state: 'done' });

    const ledger = await pictor(['ledger', 'verify', coordinator.url]);
    expect([ledger.code, ledger.stdout]).toEqual([0, expect.stringMatching(/^yes: /)]);
    const stranger = await pictor(['ledger', 'verify', coordinator.url, '--key', 'ab'.repeat(32)]);
    expect([stranger.code, stranger.stdout]).toEqual([1, expect.stringMatching(/^no: the checkpoint/)]);
  });

  test('a quote says what that costs and how sure it is, and sends nothing', async () => {
    const words = ['render', SCENE, ...LOOK, '--network', coordinator.url, '--quote'];
    const asked = await pictor([...words, '--json']);
    expect(asked.code, asked.stderr).toBe(0);
    const quote = JSON.parse(asked.stdout) as Record<'estimateMicro' | 'lowMicro' | 'highMicro' | 'capMicro' | 'costPerMille', string>;
    expect(quote).toMatchObject({ measured: true, costPerMille: expect.any(Number) });
    const ends = [quote.lowMicro, quote.estimateMicro, quote.highMicro, quote.capMicro].map(Number);
    expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    expect((await pictor(words)).stdout).toMatch(/^about .* nine times in ten .*\nnever more than /);
  });

  test('a creator that was killed goes on with its job, and pays for nothing twice', async () => {
    const words = ['render', SCENE, ...LOOK, '--seed', '6', '--network', coordinator.url, '--out', at('again.pfm'), '--json'];
    const killed = spawn(process.execPath, [join(ROOT, 'build/cli/pictor.js'), ...words], { stdio: 'ignore' });
    const job = basename(dirname(await fileBelow(at('data/agents'), '.film')));
    killed.kill('SIGKILL');
    await exitOf(killed);
    const done = await pictor(words);
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ job });
    const ledger = await pictor(['ledger', 'verify', coordinator.url]);
    expect([ledger.code, ledger.stdout]).toEqual([0, expect.stringMatching(/^yes: .* 2 jobs, /)]);
  });

  test('a sequence has the bits of the one traced alone; killed half-way, it goes on and orders no frame twice', async () => {
    const words = ['render', TURNING, ...SMALL, '--frames', '0..2', '--fps', '2', '--json'];
    const alone = await pictor([...words, '--out', at('alone-#.pfm')]);
    expect(alone.code, alone.stderr).toBe(0);
    const through = [...words, '--network', coordinator.url, '--out', at('net-#.pfm')];
    const killed = spawn(process.execPath, [join(ROOT, 'build/cli/pictor.js'), ...through], { stdio: 'ignore' });
    await fileBelow(at('data/agents'), '.frame');
    killed.kill('SIGKILL');
    await exitOf(killed);
    const done = await pictor(through);
    expect(done.code, done.stderr).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ frames: 3, segments: (JSON.parse(alone.stdout) as { segments: number }).segments });
    for (const frame of [0, 1, 2]) expect(radiance(at(`net-${frame}.pfm`)), `frame ${frame}`).toEqual(radiance(at(`alone-${frame}.pfm`)));
    expect(filesBelow(at('data/agents'), '.frame')).toEqual([]);
    const ledger = await pictor(['ledger', 'verify', coordinator.url]);
    expect([ledger.code, ledger.stdout]).toEqual([0, expect.stringMatching(/^yes: .* 5 jobs, /)]);
  });

  test('an interrupted worker says goodbye and ends with 0', async () => {
    const [worker] = agents as [ChildProcess];
    const stopped = waitFor(worker, /^stopped/m);
    worker.kill('SIGINT');
    await stopped;
    expect(await exitOf(worker)).toBe(0);
  });
});

/** Resolves when the process has said it; rejects with what it said instead when it ends. */
function waitFor(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((done, fail) => {
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      if (pattern.test(said)) done();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', (code) => fail(new Error(`ended with ${code} before ${String(pattern)}:\n${said}`)));
  });
}

/** The first file of this kind that is written below `folder` from now on. */
async function fileBelow(folder: string, ending: string): Promise<string> {
  const before = new Set(filesBelow(folder, ending));
  for (;;) {
    const fresh = filesBelow(folder, ending).find((path) => !before.has(path));
    if (fresh) return fresh;
    await new Promise((next) => setTimeout(next, 50));
  }
}

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(ending));
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode);
    else child.once('exit', (code) => done(code));
  });
