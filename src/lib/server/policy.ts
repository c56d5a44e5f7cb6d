/** The operator's terms when none are given. Tokens are micro-tokens; a new key's grant buys about a hundred work units. */
import type { Policy } from '../protocol/control.ts';

export const DEFAULT_POLICY: Policy = {
  pricePerWorkUnitMicro: '1000000',
  checkerShare: 80,
  feeShare: 20,
  grantMicro: '100000000',
  grantWorkBits: 16,
  leavesPerCheck: 8,
};
