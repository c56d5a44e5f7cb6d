/**
 * A file dropped on a page, until every pixel of the preview has its first sample: how long each stage
 * took, in Chromium with a warm device, the best of some rounds. Stages of one realm are on its
 * timeline (workers/render/timeline.ts); those that overlap are listed as they lie.
 */
import { BenchBrowser } from './browser.ts';
import type { BenchOptions } from './options.ts';
import type { Drop, Dropped } from './page/drop.ts';
import { buildDropPage, serve } from './pages.ts';
import { benchScenes } from './scenes.ts';
import { figure, markdown } from './table.ts';

const ROUNDS = 3;

export interface DropRow {
  readonly scene: string;
  /** The first of the page, which loads decoders and builds kernels, and the quickest of the others. */
  readonly first: Dropped;
  readonly best: Dropped;
}

export interface DropReport {
  readonly adapter: string;
  readonly browser: string;
  readonly rows: readonly DropRow[];
}

export async function dropReport({ scenes, gpu }: BenchOptions, say: (text: string) => void): Promise<DropReport> {
  await buildDropPage();
  const site = await serve();
  const rows: DropRow[] = [];
  let [adapter, browserVersion] = ['', ''];
  for (const { name, scene, environment, intensity, camera } of await benchScenes(scenes)) {
    const browser = await BenchBrowser.open(site.pageOf('drop'), gpu);
    browserVersion = browser.version;
    const { eye, target, up, vfov } = camera;
    const drop: Drop = {
      scene: site.offer(scene),
      environment: environment === null ? null : site.offer(environment),
      intensity,
      camera: { eye: [...eye], target: [...target], up: [...up], tanHalfVfov: Math.tan((vfov * Math.PI) / 360), lens: null },
    };
    const first = await browser.drop(drop);
    let best: Dropped | null = null;
    for (let round = 0; round < ROUNDS; round++) {
      const again = await browser.drop(drop);
      if (!best || again.ms < best.ms) best = again;
    }
    await browser.close();
    adapter = first.adapter;
    say(`${name}: ${first.ms.toFixed(0)} ms, then ${best!.ms.toFixed(0)} ms`);
    rows.push({ scene: name, first, best: best! });
  }
  site.close();
  return { adapter, browser: `Chromium ${browserVersion}`, rows };
}

export function dropText({ adapter, browser, rows }: DropReport): string {
  const names = [...new Set(rows.flatMap(({ best }) => best.stages.map(({ name }) => name)))];
  const head = ['stage, ms', ...rows.flatMap(({ scene }) => [`${scene}: first`, 'then'])];
  const cell = ({ stages }: Dropped, name: string): string => figure(stages.find((stage) => stage.name === name)?.ms);
  const cells = names.map((name) => [name, ...rows.flatMap(({ first, best }) => [cell(first, name), cell(best, name)])]);
  const all = ['all', ...rows.flatMap(({ first, best }) => [figure(first.ms), figure(best.ms)])];
  const size = ['file, MB', ...rows.flatMap(({ first }) => [figure(first.bytes / 1e6), ''])];
  return [
    `${browser} on ${adapter}: from the drop to the first sample of every pixel of a preview of 96 × 72; device and worker are there`,
    `before. "First" is the page's first scene, "then" the best of ${ROUNDS} drops of the same file. "compile" stages follow one another;`,
    'the pipelines are built beside the upload.',
    '',
    markdown(head, [...cells, all, size]),
  ].join('\n');
}
