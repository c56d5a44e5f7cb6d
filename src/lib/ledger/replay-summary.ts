/** What a replayed log held, counted: for people. Nothing is decided by it. */
export interface ReplaySummary {
  readonly leaves: number;
  readonly entries: number;
  readonly jobs: number;
  readonly commitments: number;
  readonly draws: number;
  readonly verdicts: number;
  readonly settled: number;
  readonly voided: number;
  /** Leases over which a worker was found at fault. */
  readonly faults: number;
  /** Known answers whose seal was opened. */
  readonly drills: number;
  /** Micro-tokens ever granted. */
  readonly mintedMicro: string;
  readonly accounts: number;
}
