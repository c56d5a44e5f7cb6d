/**
 * What the control client needs of a socket: text out, text in, and word of its end. Refuses to know
 * how it is made; that is for who holds one.
 */

/** A WebSocket in a tab, `ws` in an agent, a queue in tests. */
export interface ControlSocket {
  send(text: string): void;
  close(): void;
}

export interface ControlSocketEvents {
  message(text: string): void;
  closed(): void;
}

export type ControlSocketFactory = (events: ControlSocketEvents) => ControlSocket;
