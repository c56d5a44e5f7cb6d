/**
 * The first start of a coordinator on a store: its key, its network's name, and the log's first
 * leaves. Later starts read them back; a store of another network is refused.
 */
import { eq } from 'drizzle-orm';
import { fromHex, toHex, type Bytes } from '../protocol/bytes.ts';
import type { Identity } from '../protocol/envelope.ts';
import type { Beacon } from './beacon.ts';
import { nodeIdentity } from './keys.ts';
import type { TrustRules } from '../trust/rules.ts';
import { meta } from './store/schema.ts';
import type { Store, Tx } from './store/store.ts';

interface Founding {
  readonly identity: Identity;
  readonly network: string;
}

/** C2SP: a log's origin holds no spaces and no plus; envelopes allow 64 characters. */
const NETWORK_PATTERN = /^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$/;

export async function founding(
  store: Store,
  options: { beacon: Beacon; random: (count: number) => Bytes; nowMs: number; network: string | undefined; rules: TrustRules },
): Promise<Founding> {
  if (options.network !== undefined && !NETWORK_PATTERN.test(options.network))
    throw new Error(`“${options.network}” can't name a network: use up to 64 letters, digits and . / _ -`);
  return store.write(async (tx) => {
    const secret = await read(tx, 'secret');
    const named = await read(tx, 'network');
    if (secret && named) {
      if (options.network !== undefined && options.network !== named)
        throw new Error(`this store belongs to the network “${named}”, not “${options.network}”`);
      await enact(tx, options);
      return { identity: nodeIdentity(fromHex(secret)), network: named };
    }
    const fresh = options.random(32);
    const identity = nodeIdentity(fresh);
    const network = options.network ?? `pictor-${identity.key.slice(0, 12)}`;
    await (await tx.sql()).insert(meta).values([
      { key: 'secret', value: toHex(fresh) },
      { key: 'network', value: network },
    ]);
    tx.append({ type: 'genesis', network, key: identity.key, atMs: options.nowMs });
    options.beacon.publish(tx, 0);
    await enact(tx, options);
    return { identity, network };
  });
}

/** Rules hold from the leaf that says them; said again only when they change. */
async function enact(tx: Tx, { rules, nowMs }: { rules: TrustRules; nowMs: number }): Promise<void> {
  const value = JSON.stringify(rules);
  if ((await read(tx, 'rules')) === value) return;
  tx.append({ type: 'rules', ...rules, atMs: nowMs });
  const db = await tx.sql();
  await db.insert(meta).values({ key: 'rules', value }).onConflictDoUpdate({ target: meta.key, set: { value } });
}

async function read(tx: Tx, key: string): Promise<string | null> {
  const [row] = await (await tx.sql()).select({ value: meta.value }).from(meta).where(eq(meta.key, key));
  return row?.value ?? null;
}
