/** Dark or light: the system's choice until a person makes one, which this browser then keeps. */

import { remember } from './remember.ts';

export class Scheme {
  chosen = $state<'dark' | 'light' | null>(null);
  #system = $state<'dark' | 'light'>('dark');

  get current(): 'dark' | 'light' {
    return this.chosen ?? this.#system;
  }

  mount(): void {
    const query = matchMedia('(prefers-color-scheme: light)');
    this.#system = query.matches ? 'light' : 'dark';
    query.addEventListener('change', () => (this.#system = query.matches ? 'light' : 'dark'));
    const set = document.documentElement.dataset.scheme;
    if (set === 'dark' || set === 'light') this.chosen = set;
  }

  toggle(): void {
    const next = this.current === 'dark' ? 'light' : 'dark';
    this.chosen = next === this.#system ? null : next;
    if (this.chosen) document.documentElement.dataset.scheme = this.chosen;
    else delete document.documentElement.dataset.scheme;
    remember('browser', 'scheme', this.chosen);
  }
}
