/**
 * Who is too near to judge whom: one key, one network address, and pairs that check each other.
 * Addresses of private networks and of this machine say nothing about owners, and count as far.
 * Keeps prefixes only, never addresses; the log holds neither.
 */

/** /24 of IPv4, /48 of IPv6, as text; null where the address says nothing, or is none. */
export function addressPrefix(address: string): string | null {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  return plain.includes(':') ? prefixOf6(plain.toLowerCase()) : prefixOf4(plain);
}

function prefixOf4(address: string): string | null {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) < 256)) return null;
  const [a, b, c] = parts.map(Number) as [number, number, number];
  const near = a === 10 || a === 127 || a === 0 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
  // 100.64/10: shared by all customers of a carrier.
  return near || (a === 100 && b >= 64 && b < 128) ? null : `${a}.${b}.${c}`;
}

function prefixOf6(address: string): string | null {
  const bare = address.split('%')[0]!;
  const [head = '', tail, ...more] = bare.split('::');
  if (more.length > 0) return null;
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups =
    tail === undefined ? front : [...front, ...Array.from({ length: Math.max(8 - front.length - back.length, 0) }, () => '0'), ...back];
  if (groups.length !== 8 || !groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return null;
  const words = groups.map((group) => Number.parseInt(group, 16));
  const first = words[0]!;
  // Loopback and unspecified, unique local, link-local.
  const near = words.slice(0, 7).every((word) => word === 0) || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
  return near
    ? null
    : words
        .slice(0, 3)
        .map((word) => word.toString(16))
        .join(':');
}

/** Who was drawn to check whom, and when. */
export class Pairs {
  /** `<checker>/<worker>` → milliseconds. */
  readonly #drawn = new Map<string, number>();

  note(checker: string, worker: string, atMs: number): void {
    this.#drawn.set(`${checker}/${worker}`, atMs);
  }

  /** Was the worker drawn, not long ago, to check the one who would now check it? */
  mutual(checker: string, worker: string, atMs: number, pairMs: number): boolean {
    const before = this.#drawn.get(`${worker}/${checker}`);
    return before !== undefined && atMs - before < pairMs;
  }
}
