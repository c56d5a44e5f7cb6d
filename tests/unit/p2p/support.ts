/** Two peers of a seeded in-memory network, in virtual time, and blobs to move between them. */
import { MemoryNetwork } from '#lib/p2p/memory-net.ts';
import type { PeerNet } from '#lib/p2p/peer-net.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { seededRandom, turns, VirtualClock } from '../../sim/virtual-clock.ts';

export const A = `${'a'.repeat(64)}-00000001`;
export const B = `${'b'.repeat(64)}-00000002`;
export const C = `${'c'.repeat(64)}-00000003`;

export interface Pair {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly a: PeerNet;
  readonly b: PeerNet;
  /** The promise's value, with as much virtual time as it takes, at most ten minutes. */
  wait<T>(promise: Promise<T>): Promise<T>;
}

export function pair(seed = 1): Pair {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock, random: seededRandom(seed), delayMs: [1, 20] });
  const wait = async <T>(promise: Promise<T>): Promise<T> => {
    let over = false;
    void promise.finally(() => (over = true));
    if (
      !(await clock.run(
        () => over,
        600_000,
        () => turns(2),
      ))
    )
      throw new Error('nothing more would happen');
    return promise;
  };
  return { clock, network, a: network.join(A), b: network.join(B), wait };
}

export function seededBytes(count: number, seed = 1): Bytes {
  const random = seededRandom(seed);
  return Uint8Array.from({ length: count }, () => random() * 256);
}
