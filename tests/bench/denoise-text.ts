/** What the denoiser's bench found, and the tables that it is shown in. */
import type { DispatchTimes } from '#lib/gpu/engine.ts';
import type { Kind } from '#workers/render/denoise/kernels.ts';
import type { Quality } from './denoise-quality.ts';
import { figure, markdown, times } from './table.ts';

export type Way = Kind | 'chosen' | 'oidn-web';

export interface DenoiseRow {
  readonly model: string;
  readonly way: Way;
  readonly width: number;
  readonly height: number;
  readonly gflop: number;
  /** Of the whole picture, best of the rounds after the first. */
  readonly ms: number;
  readonly cpuSeconds: number;
  /** First run with compilation, CPU seconds. */
  readonly firstCpuSeconds: number;
  readonly quality: Quality | null;
  /** Most that buffers took at once, weights included. */
  readonly megabytes: number;
  readonly tiles: number;
  /** How many times what was run the picture is. */
  readonly scale: number;
  /** Of the last run; null where nobody tells. */
  readonly dispatches: DispatchTimes | null;
}

export interface DenoiseReport {
  readonly adapter: string;
  readonly software: boolean;
  readonly precision: string;
  readonly rounds: number;
  readonly rows: readonly DenoiseRow[];
}

export function denoiseText(report: DenoiseReport): string {
  const { rows, software, precision, rounds } = report;
  const sizes = [...new Set(rows.map(({ width, height }) => `${width} × ${height}`))];
  const tables = sizes.map((size) => {
    const of = rows.filter(({ width, height }) => `${width} × ${height}` === size);
    return `${size}, ${precision}, best of ${rounds} after the first, or one run where some tiles ran.\n\n${sizeTable(of, software)}\n\n${dispatchTable(of)}`;
  });
  return tables.join('\n\n');
}

function sizeTable(rows: readonly DenoiseRow[], software: boolean): string {
  const peer = (model: string): DenoiseRow | undefined => rows.find((row) => row.model === model && row.way === 'oidn-web');
  const time = (row: DenoiseRow): number => (software ? row.cpuSeconds * 1000 : row.ms);
  const rate = software ? 'GFLOP per CPU s' : 'GFLOP/s';
  const head = ['model', 'way', 'ms', 'CPU s', rate, 'first run, CPU s', 'of oidn-web’s time', 'tiles', 'ms per tile', 'peak MB', 'dB'];
  return markdown(
    head,
    rows.map((row) => [
      row.model,
      row.way,
      figure(row.ms),
      figure(row.cpuSeconds),
      figure((row.gflop * 1000) / time(row)),
      figure(row.firstCpuSeconds),
      row.way === 'oidn-web' ? '–' : times(time(row) / (peer(row.model) ? time(peer(row.model)!) : NaN)),
      row.scale === 1 ? String(row.tiles) : `${Math.round(row.tiles / row.scale)} run of ${row.tiles}`,
      figure(row.ms / row.tiles),
      figure(row.megabytes),
      row.quality ? `${figure(row.quality.decibels)} (${row.quality.against})` : '–',
    ]),
  );
}

/** How long dispatches took by the clock, in shares of their number. */
function dispatchTable(rows: readonly DenoiseRow[]): string {
  const told = rows.filter((row) => row.dispatches !== null);
  const edges = told[0]?.dispatches?.edgesMs ?? [];
  const head = ['dispatches of', 'way', 'number', ...edges.map((edge) => `≤ ${edge} ms`), 'more', 'longest, ms'];
  return markdown(
    head,
    told.map(({ model, way, dispatches }) => {
      const { counts, longestMs } = dispatches!;
      return [model, way, String(counts.reduce((a, b) => a + b, 0)), ...counts.map(String), figure(longestMs)];
    }),
  );
}
