/** The control socket's edge: only exactly known messages get through. */
import { describe, expect, it } from 'vitest';
import { parseClientMessage, parseServerMessage } from '#lib/protocol/control.ts';
import { CONTROL_MESSAGE_BYTES_MAX } from '#lib/protocol/limits.ts';

const progress = { type: 'progress', id: 3, lease: 'a'.repeat(32), done: 0.5 };

describe('client messages', () => {
  it('parse when every field is right (control)', () => {
    expect(parseClientMessage(JSON.stringify(progress))).toEqual(progress);
  });

  it.each([
    ['not JSON', '{'],
    ['not an object', '7'],
    ['an unknown type', JSON.stringify({ ...progress, type: 'mint' })],
    ['an extra field', JSON.stringify({ ...progress, admin: true })],
    ['a missing field', JSON.stringify({ type: 'progress', id: 3, done: 0.5 })],
    ['a number out of range', JSON.stringify({ ...progress, done: 1.5 })],
    ['an id in upper case', JSON.stringify({ ...progress, lease: 'A'.repeat(32) })],
    ['NaN', '{"type":"progress","id":3,"lease":"' + 'a'.repeat(32) + '","done":NaN}'],
    ['a message over the bound', JSON.stringify({ ...progress, pad: 'x'.repeat(CONTROL_MESSAGE_BYTES_MAX) })],
  ])('are dropped: %s', (_what, text) => {
    expect(parseClientMessage(text)).toBeNull();
  });
});

describe('server messages', () => {
  it('parse a balance (control)', () => {
    expect(parseServerMessage('{"type":"balance","balanceMicro":"12","pendingMicro":"0"}')).toMatchObject({ balanceMicro: '12' });
  });

  it.each(['1.5', '-1', '01', '1e3', ''])('drop money that is not integer micro-tokens: %j', (amount) => {
    expect(parseServerMessage(JSON.stringify({ type: 'balance', balanceMicro: amount, pendingMicro: '0' }))).toBeNull();
  });
});
