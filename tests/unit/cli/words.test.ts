/** The words of the command line: what they mean, and one sentence for each way to get them wrong. */
import { chdir } from 'node:process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { chooseCamera, readLens, withLens } from '#cli/camera-options.ts';
import { CommandError, UsageError } from '#cli/command.ts';
import { framePath } from '#cli/frame-options.ts';
import { frameTimeS } from '#lib/job/frames.ts';
import { barLine, duration, progressBar, si } from '#cli/progress.ts';
import { readRenderOptions } from '#cli/render-options.ts';
import type { Camera } from '#lib/protocol/order.ts';

chdir(mkdtempSync(join(tmpdir(), 'pictor-words-')));

describe('pictor render', () => {
  test('defaults', () => {
    expect(readRenderOptions(['a/scene.glb'])).toEqual({
      file: 'a/scene.glb',
      outputs: ['scene.png'],
      environment: null,
      auxiliaries: [],
      tone: { operator: 'neutral', exposure: 0 },
      pngBits: 8,
      denoise: null,
      count: false,
      camera: { kind: 'default' },
      lens: null,
      width: 960,
      height: 540,
      samples: 64,
      bounces: 8,
      frameTimeS: 0,
      frames: null,
      variant: null,
      transparent: false,
      seed: 0,
      terms: {},
      quote: false,
      network: null,
      json: false,
    });
  });

  test('everything said, negative coordinates included', () => {
    const words =
      'x.glb --out a.png --out b.exr --out c.pfm --env sky.hdr --env-intensity 0.5 --eye -1,2,-3.5 --target 0,0,0 --up 0,0,1 --vfov 90 --size 64x32 --spp 5 --bounces 3 --frame-time 1.25 --seed 7 --aov depth,normal --dof 0.02@3.5 --variant beach --transparent --denoise final --tonemap aces --exposure -1.5 --bits 16 --network http://host:1/ --json';
    expect(readRenderOptions(words.split(' '))).toEqual({
      file: 'x.glb',
      outputs: ['a.png', 'b.exr', 'c.pfm'],
      environment: { file: 'sky.hdr', intensity: 0.5 },
      auxiliaries: ['normal', 'depth'],
      tone: { operator: 'aces', exposure: -1.5 },
      pngBits: 16,
      denoise: 'final',
      count: false,
      lens: { aperture: { kind: 'radius', radius: 0.02 }, focusDistance: 3.5 },
      camera: {
        kind: 'given',
        camera: { eye: [-1, 2, -3.5], target: [0, 0, 0], up: [0, 0, 1], tanHalfVfov: Math.tan(Math.PI / 4), lens: null },
      },
      width: 64,
      height: 32,
      samples: 5,
      bounces: 3,
      frameTimeS: 1.25,
      frames: null,
      variant: 'beach',
      transparent: true,
      seed: 7,
      terms: {},
      quote: false,
      network: 'http://host:1',
      json: true,
    });
  });

  test.each([
    [[], /name the scene/],
    [['a.glb', 'b.glb'], /unexpected argument 'b.glb'/],
    [['a.glb', '--sppp', '3'], /Unknown option '--sppp'/],
    [['a.glb', '--spp', '0'], /--spp must be a number from 1/],
    [['a.glb', '--spp', '1.5'], /whole number/],
    [['a.glb', '--size', '64'], /WIDTHxHEIGHT/],
    [['a.glb', '--size', '99999x2'], /--size must be a number from 1/],
    [['a.glb', '--out', 'a.jpg'], /must end in .png, .exr, .pfm/],
    [['a.glb', '--out', 'nowhere/a.png'], /the folder nowhere is not there/],
    [['a.glb', '--eye', '1,2,3'], /go together/],
    [['a.glb', '--eye', '1,2', '--target', '0,0,0'], /three numbers/],
    [['a.glb', '--up', '0,1,0'], /need --eye/],
    [['a.glb', '--camera', '0', '--eye', '1,2,3'], /leave out --eye/],
    [['a.glb', '--env-intensity', '2'], /needs --env/],
    [['a.glb', '--network', 'host:8787'], /--network must/],
    [['a.glb', '--camera', ''], /--camera must be the name or the number/],
    [['a.glb', '--aov', 'albedo,colour'], /some of albedo,normal,depth,object,variance,samples,moment, not 'colour'/],
    [['a.glb', '--dof', ''], /RADIUS@DISTANCE or fSTOP@DISTANCE/],
    [['a.glb', '--dof', '0.1@'], /RADIUS@DISTANCE or fSTOP@DISTANCE/],
    [['a.glb', '--dof', '0@3'], /--dof must be a number from 1e-9/],
    [['a.glb', '--dof', 'f0@3'], /--dof must be a number from 0.1/],
    [['a.glb', '--dof', '0.1@-3'], /--dof must be a number from 0.000001/],
    [['a.glb', '--variant', ''], /--variant must be the name/],
    [['a.glb', '--frame-time', '-1'], /--frame-time must be a number from 0/],
    [['a.glb', '--count', '--network', 'http://host'], /leave out --network/],
    [['a.glb', '--quote'], /add --network/],
    [['a.glb', '--denoise', 'best'], /--denoise takes off, fast, final, not 'best'/],
    [['a.glb', '--tonemap', 'filmic'], /--tonemap takes neutral, agx, aces, none, not 'filmic'/],
    [['a.glb', '--exposure', '99'], /--exposure must be a number from -30 to 30/],
    [['a.glb', '--bits', '12'], /--bits takes 8, 16, not '12'/],
    [['a.glb', '--fps', '24'], /--fps needs --frames/],
    [['a.glb', '--frames', '5'], /FIRST..LAST/],
    [['a.glb', '--frames', '5..3'], /the last comes before the first/],
    [['a.glb', '--frames', '0..100000'], /at most 100000/],
    [['a.glb', '--frames', '0..9', '--frame-time', '1'], /leave out --frame-time/],
    [['a.glb', '--frames', '0..9', '--count'], /leave out --frames/],
    [['a.glb', '--frames', '0..9', '--fps', '0'], /--fps must be a number from 0.1/],
    [['a.glb', '--frames', '0..9', '--out', 'a.png'], /a name with # for the number/],
    [['a.glb', '--frames', '0..9', '--out', 'a-##.mov'], /must end in .png, .exr, .pfm/],
    [['a.glb', '--out', 'a.mp4'], /a sequence needs --frames/],
  ])('%j is refused', (words, reason) => {
    expect(() => readRenderOptions(words)).toThrow(UsageError);
    expect(() => readRenderOptions(words)).toThrow(reason);
  });

  test('frames are moments, and the first is a moment after rest', () => {
    const { frames, frameTimeS: start, outputs } = readRenderOptions(['x.glb', '--frames', '0..47', '--fps', '12']);
    expect([frames, start, outputs]).toEqual([{ first: 0, last: 47, fps: 12 }, 1e-6, ['x.zip']]);
    expect(frameTimeS(frames!, 18)).toBe(1.5);
    expect(framePath('a#/b-####.png', 7)).toBe('a#/b-0007.png');
    expect(framePath('a-#.png', 12)).toBe('a-12.png');
  });

  test('--aov all is every auxiliary, in one order however they are named', () => {
    expect(readRenderOptions(['a.glb', '--aov', 'all']).auxiliaries).toEqual([
      'albedo',
      'normal',
      'depth',
      'object',
      'variance',
      'samples',
      'moment',
    ]);
    expect(readRenderOptions(['a.glb', '--aov', 'moment,albedo']).auxiliaries).toEqual(['albedo', 'moment']);
  });

  describe('of a file with cameras', () => {
    const camera = { eye: [0, 0, 1], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 1, lens: null } satisfies Camera;
    const numbered = (tanHalfVfov: number): Camera => ({ ...camera, tanHalfVfov });
    const summary = {
      cameras: [
        { name: 'main', camera },
        { name: 'top', camera: numbered(2) },
        { name: '0', camera: numbered(3) },
        { name: 'top', camera: numbered(4) },
      ],
      view: numbered(9),
    };
    const chosen = (name: string): Camera => chooseCamera({ kind: 'of-file', name }, summary);

    test('the first is taken, and a framing view where there is none', () => {
      expect(chooseCamera({ kind: 'default' }, summary)).toBe(camera);
      expect(chooseCamera({ kind: 'default' }, { ...summary, cameras: [] })).toMatchObject({ tanHalfVfov: 9 });
    });

    test('a name wins over a number, a number counts from 0', () => {
      expect(chosen('main')).toBe(camera);
      expect(chosen('0')).toMatchObject({ tanHalfVfov: 3 });
      expect(chosen('1')).toMatchObject({ tanHalfVfov: 2 });
    });

    test('one that is not there, or that is several, is answered with those there are', () => {
      expect(() => chosen('side')).toThrow("the scene has no camera 'side'; it has 0 'main', 1 'top', 2 '0', 3 'top'");
      expect(() => chosen('4')).toThrow(CommandError);
      expect(() => chosen('top')).toThrow("several cameras are named 'top': choose number 1 or 3");
      expect(() => chooseCamera({ kind: 'of-file', name: 'x' }, { ...summary, cameras: [] })).toThrow('it has none');
    });
  });

  describe('--dof', () => {
    const camera: Camera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.24, lens: null };
    const wide = { width: 960, height: 540 };
    const lensed = (text: string, of: Camera = camera, size = wide) => withLens(of, readLens(text), size).lens;

    test('takes a radius and a distance, or focuses where the camera looks', () => {
      expect(lensed('0.02@3.5')).toEqual({ radius: 0.02, focusDistance: 3.5 });
      expect(lensed('0.02')).toEqual({ radius: 0.02, focusDistance: 4 });
      expect(withLens(camera, null, wide)).toBe(camera);
    });

    test('takes an f-stop on film whose longer side is 36 mm', () => {
      // Half a sensor height of 10.125 mm at a tangent of 0.24 is a focal length of 42.1875 mm.
      expect(lensed('f2.8@3.5')!.radius).toBeCloseTo(0.0421875 / 5.6, 9);
      expect(lensed('F/2.8@3.5')).toEqual(lensed('f2.8@3.5'));
      expect(lensed('f2', camera, { width: 540, height: 960 })!.radius).toBeCloseTo(0.018 / 0.24 / 4, 9);
    });

    test('refuses an f-stop without a focal length, and a focus where there is nothing to look at', () => {
      const parallel: Camera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], halfHeight: 2, lens: null };
      expect(() => lensed('f2.8@1', parallel)).toThrow(/needs a perspective camera/);
      expect(lensed('0.1@1', parallel)).toEqual({ radius: 0.1, focusDistance: 1 });
      expect(() => lensed('0.1', { ...camera, target: [0, 0, 4] })).toThrow(/needs @DISTANCE/);
    });
  });
});

test('a progress line fits the terminal and estimates only when it can', () => {
  expect(barLine(0.5, '2.00 M rays', 10_000, 80)).toBe(`[${'█'.repeat(14)}${' '.repeat(14)}]  50 %  2.00 M rays, about 10 s left`);
  expect(barLine(0.005, 'x', 10_000, 80)).not.toContain('left');
  expect(barLine(0.5, 'x'.repeat(200), 10_000, 40)).toHaveLength(39);
  expect([duration(59_400), duration(61_000), duration(3_700_000)]).toEqual(['59 s', '1 min 1 s', '1 h 1 min']);
  expect([si(999), si(1234567), si(0)]).toEqual(['999', '1.23 M', '0']);
});

test('elsewhere than on a terminal a line comes now and then, and the last one at the end', () => {
  const written: string[] = [];
  let nowMs = 0;
  const stream = { isTTY: false, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
  const bar = progressBar(stream, () => nowMs);
  for (nowMs = 0; nowMs <= 25_000; nowMs += 500) bar.update(nowMs / 25_000, `at ${nowMs}`);
  bar.end();
  expect(written.map((line) => /at (\d+)/.exec(line)?.[1])).toEqual(['10000', '20000', '25000']);
});
