/** Work that several ask for and that is done once, by name. What failed is forgotten: whoever asks next tries again. */
export class UnderWay {
  readonly #works = new Map<string, Promise<void>>();

  /** Resolves when the work of that name is done, whoever began it; rejects with what it rejects with. */
  once(name: string, work: () => Promise<void>): Promise<void> {
    const known = this.#works.get(name);
    if (known) return known;
    const begun = work();
    this.#works.set(name, begun);
    begun.catch(() => this.#works.delete(name));
    return begun;
  }
}
