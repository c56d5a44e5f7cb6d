/**
 * The numbers that trust turns on, in one value that the log holds: how many leaves are drawn, how
 * often a whole film is, how much is held back, how many opinions decide. Whoever replays the log
 * judges by the rules that it held at that time. Refuses nothing by itself; integers only.
 */
import * as v from 'valibot';
import { count } from '../protocol/schema.ts';

const ppm = count(1_000_000);

export const TrustRulesSchema = v.strictObject({
  /** Leaves of every lease of a worker that has passed its probation; before that, as many as its job says. */
  leavesTrusted: v.pipe(count(16), v.minValue(1)),
  /** Leases in a row without a failing check until probation is over. */
  probationLeases: count(10_000),
  /** Least chance that all leaves of a lease are drawn; a worker with n leases in a row has 1/n where that is more (BOINC). */
  auditFloorPpm: ppm,
  /** Chance that a passing verdict needs a second one. */
  secondAuditPpm: ppm,
  /** Earnings held back, in prices of the worker's dearest lease, hundredths. */
  holdHundredths: count(100_000),
  /** Without a lease for so long, what was held is paid out. */
  holdReleaseMs: count(Number.MAX_SAFE_INTEGER),
  /** Part of a forfeit that goes to the checkers who found the fault, per thousand; the creator has the rest. */
  finderShare: count(1000),
  /** From this price of a lease on, majorities are of 5 instead of 3. */
  highValueMicro: count(Number.MAX_SAFE_INTEGER),
  /** Confirmed faults from which on a key gets no lease. */
  faultsBlocked: count(1000),
  /** Most that honest devices may differ, as the mean share of a check's paths. */
  differingMeanPpm: ppm,
  /** Chance that a lease is a drill (drill.ts), and what is added to it, per thousand of the chance that its film is drawn whole. */
  drillPpm: v.optional(ppm, 0),
  drillAuditShare: v.optional(count(1000), 0),
  /** What a checker gets at least, in hundredths of the worker's pay per film that it traces again (ledger/fees). */
  auditPay: v.optional(count(1000), 0),
  /** Part of its fee that a checker gets until it has found a false film, per thousand (grading). */
  unprovenPay: v.optional(count(1000), 1000),
  /** 1: a pass of all leaves, or after another's word, shows a leaf that was traced before the film was seen (retrace). */
  shownPasses: v.optional(count(1), 0),
  /** Two keys that were drawn to check one another within so long do not check one another again. */
  pairMs: count(Number.MAX_SAFE_INTEGER),
});
export type TrustRules = v.InferOutput<typeof TrustRulesSchema>;

/**
 * Three prices are held: of the attacks that were played (tests/sim/attackers) the one that paid best, a
 * bounce left out, was found after some 20 leases and had spared less than three by then. A hundredth of
 * all paths is more than twice what the worst pair of stacks differed by when it was measured.
 */
export const DEFAULT_RULES: TrustRules = {
  leavesTrusted: 2,
  probationLeases: 32,
  auditFloorPpm: 5_000,
  secondAuditPpm: 20_000,
  holdHundredths: 300,
  holdReleaseMs: 24 * 3_600_000,
  finderShare: 250,
  highValueMicro: 10_000_000,
  faultsBlocked: 2,
  differingMeanPpm: 10_000,
  drillPpm: 20_000,
  drillAuditShare: 100,
  auditPay: 125,
  unprovenPay: 250,
  shownPasses: 1,
  pairMs: 3_600_000,
};
