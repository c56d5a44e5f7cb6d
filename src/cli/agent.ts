/**
 * Everything a role needs on this machine: a key, the control socket, real WebRTC peers, files for
 * blobs and jobs, the engine in its thread. What a tab gets from its browser, an agent gets here.
 */
import { join } from 'node:path';
import type { Engine } from '#lib/gpu/engine.ts';
import { randomBytes, toHex } from '#lib/protocol/bytes.ts';
import { signalToken } from '#lib/protocol/signal.ts';
import { createNodeNet } from '#lib/p2p/node-net.ts';
import { systemClock } from '#lib/roles/clock.ts';
import { ControlClient } from '#lib/roles/control-client.ts';
import type { RoleContext } from '#lib/roles/types.ts';
import { controlSocket } from './control-socket.ts';
import { FileJobStore } from './job-files.ts';
import { FileBlobStore, FileOutbox, FileWitnessStore, identityFromFile } from './stores.ts';

export interface AgentOptions {
  /** The coordinator, for example `http://127.0.0.1:8787`. */
  readonly origin: string;
  readonly keyFile: string;
  /** Outbox and jobs, which belong to the key and the network, lie below it. */
  readonly folder: string;
  readonly engine: Engine;
}

export interface Agent {
  readonly context: RoleContext & { readonly control: ControlClient };
  /** For what belongs to its key and network. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts to connect and returns; roles wait for the connection themselves. */
export async function connectAgent(options: AgentOptions): Promise<Agent> {
  const { origin, engine } = options;
  const identity = await identityFromFile(options.keyFile);
  const peer = `${identity.key}-${toHex(randomBytes(4))}`;
  const own = join(options.folder, 'agents', hostFolder(origin), identity.key.slice(0, 16));
  const clock = systemClock;
  const outbox = new FileOutbox(join(own, 'outbox'));
  const control = new ControlClient({ connect: controlSocket(origin), identity, peer, clock, outbox });
  const net = await createNodeNet({
    id: peer,
    origin,
    token: async () => signalToken(identity, await control.whenKnown(), peer, clock.nowMs()),
    iceServers: () => control.iceServers,
    clock,
  });
  const blobs = new FileBlobStore(join(options.folder, 'blobs'));
  const jobs = new FileJobStore(join(own, 'jobs'));
  const witness = new FileWitnessStore(join(own, 'witness'));
  return {
    context: { identity, control, net, engine, blobs, jobs, witness, clock },
    folder: own,
    close: async () => {
      await control.close();
      await net.close();
    },
  };
}

const hostFolder = (origin: string): string => new URL(origin).host.replaceAll(/[^a-zA-Z0-9.-]/g, '_');
