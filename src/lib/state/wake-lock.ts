/** Keeps the screen awake while asked to; takes the lock again when the tab comes back. Fails silently: it is a courtesy. */

export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  readonly #retake = (): void => {
    if (this.#wanted && document.visibilityState === 'visible') void this.#take();
  };

  hold(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    document.addEventListener('visibilitychange', this.#retake);
    void this.#take();
  }

  release(): void {
    this.#wanted = false;
    document.removeEventListener('visibilitychange', this.#retake);
    void this.#lock?.release();
    this.#lock = null;
  }

  async #take(): Promise<void> {
    try {
      this.#lock = (await navigator.wakeLock?.request('screen')) ?? null;
      if (!this.#wanted) this.release();
    } catch {
      // Low battery or a policy says no: the GPU works on until the system sleeps.
    }
  }
}
