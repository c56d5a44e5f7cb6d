/**
 * A connection of its own to a shared database: hears what other instances notify, and holds the lock of
 * the leader, the one instance that matches and reaps. The lock falls with the connection, however that
 * ends. That two believe to lead for a moment can't be excluded, and need not be: every claim is
 * guarded in the database, so a second leader finds nothing left to take.
 */
import pg from 'pg';

/** Any constant would do; this one spells "pictor" in ASCII, and the last digit tells it from the guard's. */
const LEADER_LOCK = '123630996615027';
const RETRY_MS = 250;
const CONNECT_TIMEOUT_MS = 5_000;

export class InstanceLink {
  readonly #url: string;
  readonly #channels = new Map<string, () => void>();
  /** Asked for since the connection was made. */
  #unheard: string[] = [];
  #leading = false;
  #closed = false;
  readonly #running: Promise<void>;
  #wake: () => void = () => {};
  onLead: () => void = () => {};

  constructor(url: string) {
    this.#url = url;
    this.#running = this.#run();
  }

  leads(): boolean {
    return this.#leading;
  }

  /** `hear` is also called after every reconnect: what was said meanwhile was not heard. */
  listen(channel: string, hear: () => void): void {
    this.#channels.set(channel, hear);
    this.#unheard.push(channel);
    this.#wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#hold().catch(() => {});
      this.#leading = false;
      if (!this.#closed) await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** One connection, from first to last. */
  async #hold(): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true });
    let broken = false;
    client.on('error', () => {
      broken = true;
      this.#leading = false;
      this.#wake();
    });
    client.on('end', () => {
      broken = true;
      this.#leading = false;
      this.#wake();
    });
    client.on('notification', ({ channel }) => this.#channels.get(channel)?.());
    await client.connect();
    this.#unheard = [...this.#channels.keys()];
    while (!this.#closed && !broken) {
      for (const channel of this.#unheard.splice(0)) {
        await client.query(`listen "${channel}"`);
        this.#channels.get(channel)?.();
      }
      if (!this.#leading) {
        const { rows } = await client.query<{ held: boolean }>(`select pg_try_advisory_lock(${LEADER_LOCK}) as held`);
        if (rows[0]?.held && !broken) {
          this.#leading = true;
          this.onLead();
        }
      } else {
        // A connection that is dead without saying so is found out here.
        await client.query('select 1');
      }
      await this.#pause();
    }
    await client.end().catch(() => {});
  }
}
