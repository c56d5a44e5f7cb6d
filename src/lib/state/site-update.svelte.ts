/**
 * Registers the service worker and tells when a newer site waits. It never reloads by itself: a tab
 * may hold the only copy of a scene, so a person decides when.
 */

export class SiteUpdate {
  waiting = $state(false);
  #apply: (() => void) | null = null;

  mount(): void {
    // The development server has no built worker, and an old one must not answer for it.
    if (import.meta.env.DEV || !('serviceWorker' in navigator)) return;
    void this.#register();
  }

  apply(): void {
    this.#apply?.();
  }

  async #register(): Promise<void> {
    const { Workbox } = await import('workbox-window');
    const workbox = new Workbox('/service-worker.js', { type: 'module' });
    workbox.addEventListener('waiting', () => (this.waiting = true));
    this.#apply = () => {
      workbox.addEventListener('controlling', () => location.reload());
      workbox.messageSkipWaiting();
    };
    try {
      await workbox.register();
    } catch {
      // Without a service worker (private window, blocked storage) the site works online only.
    }
  }
}
