/**
 * One program, several WebGPU stacks: two WGSL compilers (Tint in Chromium and Dawn, naga in Firefox)
 * over two software drivers (SwiftShader, Mesa's lavapipe). Each must compile the kernels, compile
 * files to the same roots, keep light that is known on paper, and take nearly the same paths as Node
 * on SwiftShader. A stack that is missing fails.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { ANALYTIC, SAMPLES } from './cases.ts';
import { compareDrawings, lightOf, rowOf, type Difference } from './compare.ts';
import { buildSubject, reportOfChromium, reportOfFirefox, reportOfNode, SCENES } from './drive.ts';
import { BASE as BASE_STACK, STACKS as KNOWN, swiftShader, type Stack } from './known.ts';
import type { Drawing, Report } from './subject.ts';

const BASE = BASE_STACK.name;

const reportOf = ({ name, place, environment }: Stack): Promise<Report> => {
  if (place === 'chromium') return reportOfChromium(name);
  return place === 'firefox' ? reportOfFirefox(name, environment()) : reportOfNode(name, environment());
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

describe.each(KNOWN)('$name', (stack) => {
  const { name } = stack;
  let report: Report;
  beforeAll(async () => {
    report = await reportOf(stack);
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
