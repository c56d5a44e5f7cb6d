/** What a browser run found, as one value for JSON and as text for people. */
import { samplesTo } from './metrics.ts';
import type { Measured, Outcome } from './compare.ts';
import type { RendererName } from './options.ts';
import { figure, markdown, millions, times } from './table.ts';

export interface RendererFigures {
  readonly samplesPerSecond: number;
  readonly samplesPerCpuSecond: number;
  readonly samples: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly loadSeconds: number;
  readonly buildSeconds: number | null;
  readonly firstSampleSeconds: number;
  readonly readings: readonly { readonly samples: number; readonly relMse: number }[];
}
export type RendererRow = RendererFigures | { readonly failed: string };

/** Ours against one peer; null where one of the two has no figure. */
export interface Ratio {
  readonly perSecond: number | null;
  readonly perCpuSecond: number | null;
  /** The peer's time to its last relMSE over ours to the same, CPU time on a software adapter. */
  readonly toEqualRelMse: number | null;
}

export interface BrowserRow {
  readonly scene: string;
  readonly triangles: number;
  readonly bytes: number;
  readonly compileSeconds: number;
  readonly reference: 'cycles' | 'own' | null;
  readonly perSegment: { readonly nodeVisits: number; readonly triangleTests: number } | null;
  readonly renderers: Readonly<Partial<Record<RendererName, RendererRow>>>;
  readonly ratios: Readonly<Partial<Record<RendererName, Ratio>>>;
}

export interface BrowserReport {
  readonly adapter: string;
  readonly browser: string;
  readonly software: boolean;
  readonly size: { readonly width: number; readonly height: number };
  readonly bounces: number;
  readonly seconds: number;
  readonly rows: readonly BrowserRow[];
}

export function rendererRow(outcome: Outcome): RendererRow {
  if (!outcome.ok) return { failed: outcome.text };
  const { prepared, readings, samples, seconds, cpuSeconds, samplesPerSecond, samplesPerCpuSecond } = outcome;
  const { loadSeconds, buildSeconds, firstSampleSeconds } = prepared;
  return {
    ...{ samplesPerSecond, samplesPerCpuSecond, samples, seconds, cpuSeconds },
    ...{ loadSeconds, buildSeconds, firstSampleSeconds, readings },
  };
}

export function ratioOf(ours: Outcome | undefined, peer: Outcome | undefined, software: boolean): Ratio {
  if (!ours?.ok || !peer?.ok) return { perSecond: null, perCpuSecond: null, toEqualRelMse: null };
  const cost = (one: Measured): number => (software ? one.cpuSeconds : one.seconds) / one.samples;
  const goal = peer.readings.at(-1);
  const samples = goal ? samplesTo(goal.relMse, ours.readings) : null;
  return {
    perSecond: ours.samplesPerSecond / peer.samplesPerSecond,
    perCpuSecond: ours.samplesPerCpuSecond / peer.samplesPerCpuSecond,
    toEqualRelMse: goal && samples ? (goal.samples * cost(peer)) / (samples * cost(ours)) : null,
  };
}

const NAMES: Readonly<Record<RendererName, string>> = { ours: 'ours', webgl: 'TGPT WebGL', webgpu: 'TGPT WebGPU' };

function cellsOf(row: RendererRow | undefined, software: boolean): readonly string[] {
  if (!row || 'failed' in row) return software ? ['–', '–'] : ['–'];
  return software ? [millions(row.samplesPerSecond), millions(row.samplesPerCpuSecond)] : [millions(row.samplesPerSecond)];
}

export function browserText(report: BrowserReport): string {
  const { software, rows, size } = report;
  const names = (Object.keys(NAMES) as RendererName[]).filter((name) => rows.some((row) => row.renderers[name]));
  const peers = names.filter((name) => name !== 'ours');
  const per = software ? 'CPU s' : 's';
  const head = [
    'scene',
    'triangles',
    ...names.flatMap((name) => (software ? [`${NAMES[name]} Ms/s`, `Ms/CPU s`] : [`${NAMES[name]} Ms/s`])),
    ...peers.map((name) => `ours ÷ ${NAMES[name]}, per ${per}`),
    ...peers.map((name) => `time to equal relMSE, ${NAMES[name]} ÷ ours`),
    ...names.map((name) => `${NAMES[name]}: load, first sample s`),
    'nodes, triangles per ray',
    'MB',
  ];
  const cells = rows.map((row) => [
    row.scene,
    String(row.triangles),
    ...names.flatMap((name) => cellsOf(row.renderers[name], software)),
    ...peers.map((name) => times(software ? row.ratios[name]?.perCpuSecond : row.ratios[name]?.perSecond)),
    ...peers.map((name) => timesAtMost(row.ratios[name]?.toEqualRelMse)),
    ...names.map((name) => preparation(row.renderers[name])),
    row.perSegment ? `${figure(row.perSegment.nodeVisits)}, ${figure(row.perSegment.triangleTests)}` : '–',
    figure(row.bytes / 1e6),
  ]);
  const failures = rows.flatMap((row) =>
    names.flatMap((name) => {
      const found = row.renderers[name];
      return found && 'failed' in found ? [`* ${row.scene}, ${NAMES[name]}: ${found.failed}`] : [];
    }),
  );
  return [
    `${report.browser} on ${report.adapter}; ${size.width} × ${size.height}, ${report.bounces} bounces, ${report.seconds} s of sampling each; ${referenceText(rows)}.`,
    '',
    markdown(head, cells),
    ...(failures.length > 0 ? ['', ...failures] : []),
  ].join('\n');
}

/** Beyond this a peer does not find the light at all, and by how much it misses says nothing. */
const RATIO_MAX = 1000;
const timesAtMost = (value: number | null | undefined): string => (value && value > RATIO_MAX ? `> ${RATIO_MAX}×` : times(value));

const preparation = (row: RendererRow | undefined): string =>
  !row || 'failed' in row ? '–' : `${figure(row.loadSeconds, 2)}, ${figure(row.firstSampleSeconds, 2)}`;

function referenceText(rows: readonly BrowserRow[]): string {
  const by = (kind: BrowserRow['reference']): string =>
    rows
      .filter(({ reference }) => reference === kind)
      .map(({ scene }) => scene)
      .join(', ');
  const parts = [
    by('cycles') && `relMSE (worst 0.1 % of pixels left out) against Cycles for ${by('cycles')}`,
    by('own') && `against our own image of many more samples for ${by('own')}`,
    by(null) && `none for ${by(null)}`,
  ];
  return parts.filter(Boolean).join(', ');
}
