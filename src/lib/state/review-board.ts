/** Adds the keys of the worker board up by kind of device. */
import type { Board } from '../trust/review.ts';

type Row = Board['workers'][number];

export interface DeviceKind {
  readonly adapterClass: string;
  /** Most verified work first. */
  readonly workers: readonly Row[];
  readonly settled: number;
  readonly segments: number;
  readonly paths: number;
  readonly pathsEqual: number;
  readonly faults: number;
}

/** @returns kinds with the most verified rays first. */
export function byClass({ workers }: Board): DeviceKind[] {
  const sum = (rows: readonly Row[], of: (row: Row) => number): number => rows.reduce((all, row) => all + of(row), 0);
  return [...new Set(workers.map(({ adapterClass }) => adapterClass))]
    .map((adapterClass) => {
      const rows = workers.filter((row) => row.adapterClass === adapterClass).toSorted((a, b) => b.segments - a.segments);
      return {
        ...{ adapterClass, workers: rows },
        settled: sum(rows, (row) => row.settled),
        segments: sum(rows, (row) => row.segments),
        paths: sum(rows, (row) => row.paths),
        pathsEqual: sum(rows, (row) => row.pathsEqual),
        faults: sum(rows, (row) => row.faults),
      };
    })
    .toSorted((a, b) => b.segments - a.segments);
}
