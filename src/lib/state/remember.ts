/**
 * Small things a browser keeps between visits of this site. `tab` lasts as long as the tab, through
 * reloads; `browser` until it is cleared. With storage blocked everything is forgotten, silently.
 */

export type Keep = 'tab' | 'browser';

export function recall(keep: Keep, key: string): string | null {
  try {
    return storage(keep).getItem(`pictor.${key}`);
  } catch {
    return null;
  }
}

export function remember(keep: Keep, key: string, value: string | null): void {
  try {
    if (value === null) storage(keep).removeItem(`pictor.${key}`);
    else storage(keep).setItem(`pictor.${key}`, value);
  } catch {
    // Blocked or full: what would have been remembered is a convenience.
  }
}

const storage = (keep: Keep): Storage => (keep === 'tab' ? sessionStorage : localStorage);
