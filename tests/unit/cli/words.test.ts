/** The words of the command line: what they mean, and one sentence for each way to get them wrong. */
import { chdir } from 'node:process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '#cli/command.ts';
import { barLine, duration, progressBar, si } from '#cli/progress.ts';
import { chooseCamera, readRenderOptions } from '#cli/render-options.ts';
import type { SceneSummary } from '#lib/gpu/engine.ts';

chdir(mkdtempSync(join(tmpdir(), 'pictor-words-')));

describe('pictor render', () => {
  test('defaults', () => {
    expect(readRenderOptions(['a/scene.glb'])).toEqual({
      file: 'a/scene.glb',
      outputs: ['scene.png'],
      environment: null,
      camera: { kind: 'default' },
      width: 960,
      height: 540,
      samples: 64,
      bounces: 8,
      frameTimeS: 0,
      variant: null,
      transparent: false,
      seed: 0,
      network: null,
      json: false,
    });
  });

  test('everything said, negative coordinates included', () => {
    const words =
      'x.glb --out a.png --out b.exr --out c.pfm --env sky.hdr --env-intensity 0.5 --eye -1,2,-3.5 --target 0,0,0 --up 0,0,1 --vfov 90 --size 64x32 --spp 5 --bounces 3 --frame-time 1.25 --seed 7 --network http://host:1/ --json';
    expect(readRenderOptions(words.split(' '))).toEqual({
      file: 'x.glb',
      outputs: ['a.png', 'b.exr', 'c.pfm'],
      environment: { file: 'sky.hdr', intensity: 0.5 },
      camera: { kind: 'given', camera: { eye: [-1, 2, -3.5], target: [0, 0, 0], up: [0, 0, 1], tanHalfVfov: Math.tan(Math.PI / 4), lens: null } },
      width: 64,
      height: 32,
      samples: 5,
      bounces: 3,
      frameTimeS: 1.25,
      variant: null,
      transparent: false,
      seed: 7,
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
  ])('%j is refused', (words, reason) => {
    expect(() => readRenderOptions(words)).toThrow(UsageError);
    expect(() => readRenderOptions(words)).toThrow(reason);
  });

  test('a camera that the file lacks is named with those it has', () => {
    const camera = { eye: [0, 0, 1], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 1, lens: null } as const;
    const summary = { cameras: [{ name: 'main', camera }], view: { ...camera, tanHalfVfov: 2 } } as unknown as SceneSummary;
    expect(chooseCamera({ kind: 'default' }, summary)).toMatchObject({ tanHalfVfov: 1 });
    expect(chooseCamera({ kind: 'default' }, { ...summary, cameras: [] })).toMatchObject({ tanHalfVfov: 2 });
    expect(() => chooseCamera({ kind: 'of-file', index: 1 }, summary)).toThrow(/cameras 0 to 0, not camera 1/);
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
