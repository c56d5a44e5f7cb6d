/**
 * The tiers of the market: how far a worker must be trusted, and how large a scene it holds. A tier is
 * one market with one price. A worker stands in the best tier that it can serve, and what it does not
 * sell there in the ones below.
 */
import type { JobOrder } from '../protocol/order.ts';

const GIB = 1024 ** 3;
/** Scenes of a class take at most so many bytes on the device. */
const MEMORY = [
  { name: 'xl', bytes: Infinity },
  { name: 'l', bytes: 12 * GIB },
  { name: 'm', bytes: 4 * GIB },
  { name: 's', bytes: GIB },
] as const;
const TRUST = ['proven', 'any'] as const;

/** `<trust>-<memory>`, from the most to the least asking: the order in which rounds clear. */
export const TIERS = TRUST.flatMap((trust) => MEMORY.map(({ name }) => `${trust}-${name}` as const));
export type Tier = (typeof TIERS)[number];

/** Which market an order's leases are traded in. */
export function tierOf(order: Pick<JobOrder, 'sceneNeeds'> & { readonly proven?: boolean | undefined }): Tier {
  const memory = MEMORY.findLast(({ bytes }) => order.sceneNeeds.bytes <= bytes)!.name;
  return `${order.proven ? 'proven' : 'any'}-${memory}`;
}

/** The tiers whose every scene a worker holds, the best first; the smallest one is for everybody, and grants look at each scene. */
export function tiersServed(holdsBytes: number, proven: boolean): Tier[] {
  const held = MEMORY.filter(({ name, bytes }) => name === 's' || bytes <= holdsBytes);
  return TRUST.filter((trust) => proven || trust === 'any').flatMap((trust) => held.map(({ name }) => `${trust}-${name}` as const));
}

/** In words, for screens. */
export function tierWords(tier: Tier): string {
  const [trust, memory] = tier.split('-') as [(typeof TRUST)[number], (typeof MEMORY)[number]['name']];
  const size = { s: 'scenes up to 1 GiB', m: 'scenes up to 4 GiB', l: 'scenes up to 12 GiB', xl: 'scenes beyond 12 GiB' }[memory];
  return trust === 'proven' ? `proven workers, ${size}` : size;
}
