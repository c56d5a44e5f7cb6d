/** A checker's word, whatever it saw. */
import type { Control } from '#lib/roles/types.ts';
import type { Tab } from '../world.ts';

/** Says yes to all it is asked, whatever it saw. */
export function yesMan(tab: Tab): Control {
  const { control } = tab;
  return new Proxy(control, {
    get: (target, name) => {
      if (name === 'submit')
        return (purpose: string, body: { paths: number }) =>
          target.submit(
            purpose as 'check.verdict',
            purpose === 'check.verdict'
              ? { ...body, verdict: 'pass', reason: 'agrees', paths: 64, pathsEqual: 64, pixelsWrong: 0, biasPpm: 0 }
              : body,
          );
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}
