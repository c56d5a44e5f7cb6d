/**
 * A newcomer's first tokens: a proof of work over the own key, found in small slices so that the
 * page stays alive, and submitted when the balance does not cover what is wanted.
 */
import { concat, fromHex, randomBytes, sha256, toHex, type Bytes } from '../protocol/bytes.ts';
import type { Policy } from '../protocol/control.ts';
import type { Clock, Control, RoleContext } from './types.ts';

export type Funds = { readonly ok: true } | { readonly ok: false; readonly text: string };

const HASHES_PER_SLICE = 2_000;

/** Leading zero bits of SHA-256(key ‖ work). */
export function workBits(key: string, work: Bytes): number {
  const hash = sha256(concat(fromHex(key), work));
  const full = hash.findIndex((byte) => byte !== 0);
  return full < 0 ? hash.length * 8 : full * 8 + Math.clz32(hash[full]!) - 24;
}

/** @returns 8 bytes, hex; null when the signal aborts. */
export async function findWork(signal: AbortSignal, clock: Clock, key: string, bits: number): Promise<string | null> {
  const work = randomBytes(8);
  const view = new DataView(work.buffer);
  for (let counter = 0; !signal.aborted; counter++) {
    view.setUint32(4, counter);
    if (workBits(key, work) >= bits) return toHex(work);
    if (counter % HASHES_PER_SLICE === HASHES_PER_SLICE - 1) await clock.sleep(signal, 0);
  }
  return null;
}

/** Sees to it that the balance covers `needMicro`, with a grant if this key has had none. */
export async function ensureFunds(
  signal: AbortSignal,
  context: Pick<RoleContext, 'control' | 'clock' | 'identity'>,
  needMicro: bigint,
): Promise<Funds> {
  const { control, clock, identity } = context;
  const policy = await policyOf(signal, control);
  if (!policy) return { ok: false, text: 'The coordinator could not be reached.' };
  if (control.balance.balanceMicro >= needMicro) return { ok: true };
  const work = await findWork(signal, clock, identity.key, policy.grantWorkBits);
  if (!work) return { ok: false, text: 'The order was not sent.' };
  const outcome = await control.submit('grant', { work });
  // A refusal means the grant was had before: the coordinator decides whether what is left covers the order.
  if (outcome.status === 'disconnected') return { ok: false, text: 'The connection was closed before the grant was given.' };
  return { ok: true };
}

function policyOf(signal: AbortSignal, control: Control): Promise<Policy | null> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!control.policy && !signal.aborted) return;
      off();
      signal.removeEventListener('abort', look);
      resolve(signal.aborted ? null : control.policy);
    };
    const off = control.onChange(look);
    signal.addEventListener('abort', look);
    look();
  });
}
