/**
 * The operator's terms when none are given, in micro-tokens. A ray costs a tenth of one, so that the
 * checker's share of the smallest lease is still money; a new key's grant buys a hundred work units.
 */
import * as v from 'valibot';
import type { Policy } from '../protocol/control.ts';
import type { IceServers } from './core.ts';

const IceSchema = v.array(v.strictObject({ urls: v.string(), username: v.optional(v.string()), credential: v.optional(v.string()) }));

export const DEFAULT_POLICY: Policy = {
  pricePerWorkUnitMicro: '100000000',
  checkerShare: 80,
  feeShare: 20,
  grantMicro: '10000000000',
  grantWorkBits: 16,
  leavesPerCheck: 8,
};

/** STUN and TURN servers told to every peer; none by default: peers of one network find each other without. */
export function iceServersFromEnvironment(): IceServers {
  const text = process.env.PICTOR_ICE;
  if (!text) return [];
  try {
    return v.parse(IceSchema, JSON.parse(text)) as IceServers;
  } catch {
    throw new Error('PICTOR_ICE is not a JSON list of {"urls", "username", "credential"}');
  }
}
