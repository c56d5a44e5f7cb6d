/** Answers many who ask the same with one look: whoever asks is answered by a look that began after the question. */
export function shared<T>(look: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | null = null;
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    next ??= last.then(() => {
      next = null;
      const found = look();
      // Whoever waited for one that failed is told; the next look begins all the same.
      last = found.catch(() => {});
      return found;
    });
    return next;
  };
}
