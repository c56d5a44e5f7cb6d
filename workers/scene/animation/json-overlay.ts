/**
 * A glTF document with some values replaced. Copies only the containers on the way to a replaced
 * value, so that a document of a hundred thousand nodes with ten moving ones costs ten copies. The
 * original is never touched. Follows no key that `set` was not given.
 */
type Container = Record<string, unknown>;
type Key = string | number;

export class JsonOverlay<T extends object> {
  readonly root: T;
  readonly #owned = new WeakSet<object>();

  constructor(original: T) {
    this.root = { ...original };
    this.#owned.add(this.root);
  }

  /** The value at a path in the document as it stands; undefined where the way ends early. */
  get(path: readonly Key[]): unknown {
    let at: unknown = this.root;
    for (const key of path) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
      at = (at as Container)[key];
    }
    return at;
  }

  /** Replaces a value, undefined to remove it. Objects that are missing on the way are made. */
  set(path: readonly Key[], value: unknown): void {
    let at = this.root as unknown as Container;
    for (const key of path.slice(0, -1)) at = this.#own(at, key);
    at[path[path.length - 1] as Key] = value;
  }

  #own(parent: Container, key: Key): Container {
    const child = Object.hasOwn(parent, key) ? parent[key] : undefined;
    if (typeof child === 'object' && child !== null && this.#owned.has(child)) return child as Container;
    const copy = (Array.isArray(child) ? [...(child as unknown[])] : { ...(child as object | undefined) }) as Container;
    this.#owned.add(copy);
    parent[key] = copy;
    return copy;
  }
}
