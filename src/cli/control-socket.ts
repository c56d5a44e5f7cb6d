/** The control socket of an agent, on `ws`. Refuses nothing: the client behind it parses and bounds. */
import { WebSocket } from 'ws';
import { CONTROL_MESSAGE_BYTES_MAX } from '#lib/protocol/limits.ts';
import type { ControlSocketFactory } from '#lib/roles/control-socket.ts';

/** @param origin the coordinator's, for example `http://127.0.0.1:8787` */
export function controlSocket(origin: string): ControlSocketFactory {
  const url = new URL('/control', origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return (events) => {
    const socket = new WebSocket(url, { maxPayload: CONTROL_MESSAGE_BYTES_MAX, perMessageDeflate: false });
    socket.on('message', (data, isBinary) => {
      if (!isBinary) events.message(String(data));
    });
    // 'close' follows every error.
    socket.on('error', () => undefined);
    socket.on('close', () => events.closed());
    return {
      send: (text) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text);
      },
      close: () => socket.terminate(),
    };
  };
}
