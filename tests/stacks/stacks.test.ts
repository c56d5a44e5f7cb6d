/**
 * One program, several WebGPU stacks: two WGSL compilers (Tint in Chromium and Dawn, naga in Firefox)
 * over two software drivers (SwiftShader, Mesa's lavapipe). Each must compile the kernels, compile
 * files to the same roots, keep light that is known on paper, and take nearly the same paths as Node
 * on SwiftShader. A stack that is missing fails.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { findVulkan } from '#cli/gpu-environment.ts';
import { cacheFolder } from '#cli/paths.ts';
import { ANALYTIC, SAMPLES } from './cases.ts';
import { compareDrawings, lightOf, rowOf, type Difference } from './compare.ts';
import { buildSubject, reportOfChromium, reportOfFirefox, reportOfNode, SCENES } from './drive.ts';
import { lavapipe } from './lavapipe.ts';
import type { Drawing, Report } from './subject.ts';

/** Manifest of SwiftShader, whatever else the system has. */
const swiftShader = (): { VK_ICD_FILENAMES: string } => ({ VK_ICD_FILENAMES: findVulkan(cacheFolder(), NO_SYSTEM).drivers.at(-1)! });
const NO_SYSTEM = { driverFolders: [], chromiumFolders: ['/usr/lib/chromium', '/opt/google/chrome'] };

const BASE = 'Tint, SwiftShader, Node';
const STACKS: Readonly<Record<string, () => Promise<Report>>> = {
  'Tint, SwiftShader, Chromium': () => reportOfChromium('Tint, SwiftShader, Chromium'),
  'naga, SwiftShader, Firefox': () => reportOfFirefox('naga, SwiftShader, Firefox', swiftShader()),
  'naga, lavapipe, Firefox': () => reportOfFirefox('naga, lavapipe, Firefox', { VK_ICD_FILENAMES: lavapipe().manifest }),
  'Tint, lavapipe, Node': () => reportOfNode('Tint, lavapipe, Node', { VK_ICD_FILENAMES: lavapipe().manifest }),
};

let base: Report;
beforeAll(async () => {
  await buildSubject();
  base = await reportOfNode(BASE, swiftShader());
});

const meanOfRed = (drawing: Drawing): number => {
  const light = lightOf(drawing);
  let sum = 0;
  for (let i = 0; i < light.length; i += 3) sum += light[i]!;
  return sum / (drawing.width * drawing.height * drawing.samples);
};

const checkPaper = (report: Report): void => {
  for (const { name, expected, tolerance } of ANALYTIC) {
    const drawing = report.drawings.find((one) => one.name === name)!;
    expect(Math.abs(meanOfRed(drawing) - expected), `${report.stack}: ${name}`).toBeLessThan(tolerance);
  }
};

const differencesTo = (report: Report): Difference[] =>
  base.drawings.map((drawing) =>
    compareDrawings(
      drawing,
      report.drawings.find((one) => one.name === drawing.name)!,
    ),
  );

describe(BASE, () => {
  it('compiles every program and keeps light known on paper', () => {
    expect(base.wgslErrors).toEqual([]);
    checkPaper(base);
  });

  it('is the same bits when it runs again, and not when the samples differ (control)', async () => {
    const again = await reportOfNode(BASE, swiftShader());
    for (const { equalPaths, paths, worstLight, meanLight } of differencesTo(again)) {
      expect([equalPaths, worstLight, meanLight]).toEqual([paths, 0, 0]);
    }
    const [furnace, half] = base.drawings;
    expect(compareDrawings(furnace!, half!).worstLight).toBeGreaterThan(0.4);
    expect(compareDrawings(furnace!, half!).refused, 'the leaf test tells another scene').not.toEqual([]);
  });
});

describe.each(Object.keys(STACKS))('%s', (name) => {
  let report: Report;
  beforeAll(async () => {
    report = await STACKS[name]!();
  });

  it('compiles every program', () => {
    expect(report.wgslErrors).toEqual([]);
    expect(report.adapter).toMatch(name.startsWith('naga') ? /\/naga/ : /\/tint/);
    expect(report.drawings.map((one) => one.name)).toEqual(base.drawings.map((one) => one.name));
  });

  it(`compiles the shipped samples${SCENES.length > 0 ? ' and the shared scenes' : ''} to the same roots`, () => {
    const roots = (of: Report) => of.drawings.filter((one) => SAMPLES.some((file) => file === one.name)).map((one) => [one.name, one.root]);
    expect(roots(report)).toHaveLength(SAMPLES.length);
    expect(roots(report)).toEqual(roots(base));
    expect(Object.keys(report.roots)).toEqual(SCENES);
    expect(report.roots).toEqual(base.roots);
  });

  it('keeps light known on paper', () => checkPaper(report));

  it('takes the same paths, and where it does brings the same light', () => {
    const differences = differencesTo(report);
    console.info(differences.map((one) => rowOf(name, one)).join('\n'));
    for (const one of differences) {
      expect(one.equalPaths / one.paths, one.name).toBeGreaterThan(0.99);
      expect(one.worstLight, one.name).toBeLessThan(0.02);
      expect(one.meanLight, one.name).toBeLessThan(0.005);
      expect(one.refused, `${one.name}: leaves of honest work refused`).toEqual([]);
    }
  });
});
