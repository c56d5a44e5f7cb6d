/** What the coordinators of tests go by, and what is ordered of them. */
import type { Policy } from '#lib/protocol/control.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import type { TrustRules } from '#lib/trust/rules.ts';

export const TEST_POLICY: Partial<Policy> = {
  pricePerWorkUnitMicro: '1000000',
  grantMicro: '100000000',
  grantWorkBits: 4,
  leavesPerCheck: 4,
};

/** Nothing is held back, one opinion is enough and no lease is a drill, checkers get their share and no more: trust.test.ts is
 * about these. Nobody traces the films of these clients, so their passes show nothing; those of retraces.test.ts do. */
export const TEST_RULES: Partial<TrustRules> = {
  holdHundredths: 0,
  secondAuditPpm: 0,
  drillPpm: 0,
  auditPay: 0,
  unprovenPay: 1000,
  shownPasses: 0,
};

/** 64×32 pixels in two tiles, 2 samples in two passes: four leases. */
export const testOrder = (over: Partial<JobOrder> = {}): JobOrder => ({
  title: 'still life',
  scene: { hash: 'a'.repeat(64), bytes: 1_000 },
  environment: null,
  sceneRoot: 'b'.repeat(64),
  sceneNeeds: { bytes: 2_000, bindingBytes: 500 },
  frameTimeS: 0,
  variant: null,
  transparent: false,
  camera: { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
  width: 64,
  height: 32,
  tileSide: 32,
  samples: 2,
  passSamples: 64,
  bounces: 4,
  seed: 1,
  capMicro: '1000',
  ...over,
});
