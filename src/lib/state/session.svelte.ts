/**
 * What one tab holds, whatever page it shows: what the browser can do, the connection once somebody
 * asked for one, and the desks of the roles, which go on while a person looks at another page.
 * Creating a session starts nothing but a look for a graphics adapter and a question for the status.
 */
import { createContext } from 'svelte';
import { probeCapability, type Capability } from './capability.ts';
import { CheckerDesk } from './checker.svelte.ts';
import { Connection } from './connection.svelte.ts';
import { CreatorDesk } from './creator.svelte.ts';
import { NetworkWatch } from './network.svelte.ts';
import { Scheme } from './scheme.svelte.ts';
import { SiteUpdate } from './site-update.svelte.ts';
import { WorkerDesk } from './worker.svelte.ts';

export class Session {
  capability = $state.raw<Capability>({ status: 'checking' });
  readonly network = new NetworkWatch();
  readonly scheme = new Scheme();
  readonly update = new SiteUpdate();
  readonly connection = new Connection();
  readonly worker = new WorkerDesk(this.connection);
  readonly checker = new CheckerDesk(this.connection);
  readonly creator = new CreatorDesk(this.connection);

  /** Called once the page runs in a browser. @returns what undoes it. */
  mount(): () => void {
    this.scheme.mount();
    this.update.mount();
    void this.probe();
    const stopWatching = this.network.mount();
    this.worker.resume();
    return () => {
      stopWatching();
      void this.connection.close();
    };
  }

  async probe(): Promise<void> {
    const scope = { gpu: navigator.gpu as GPU | undefined, secure: window.isSecureContext, userAgent: navigator.userAgent };
    this.capability = await probeCapability(scope);
  }
}

export const [getSession, setSession] = createContext<Session>();
