/**
 * Who may speak on the signalling socket: a PeerJS token that proves the key in the peer's id. It
 * is bound to one network, one id and one time; it grants nothing but that id's mailbox.
 */
import { fromHex, toHex, utf8, type Bytes } from './bytes.ts';
import type { Identity } from './envelope.ts';

/** What is signed for a token. */
export const signalBytes = (network: string, id: string, timeMs: number): Bytes => utf8(`pictor signal v1\n${network}\n${id}\n${timeMs}\n`);

/** `<timeMs>.<signature hex>`, valid for SIGNAL_TOKEN_AGE_MS_MAX. */
export async function signalToken(identity: Identity, network: string, id: string, timeMs: number): Promise<string> {
  return `${timeMs}.${toHex(await identity.sign(signalBytes(network, id, timeMs)))}`;
}

export function parseSignalToken(token: string): { readonly timeMs: number; readonly sig: Bytes } | null {
  const match = /^([0-9]{1,15})\.([0-9a-f]{128})$/.exec(token);
  return match ? { timeMs: Number(match[1]), sig: fromHex(match[2]!) } : null;
}
