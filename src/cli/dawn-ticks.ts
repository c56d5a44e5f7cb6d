/**
 * Lets Dawn rest while it waits. In Node it looks whether the device has finished from an immediate
 * that sets the next one, while a promise of WebGPU is open: a whole core, which a software
 * adapter would trace with. Here the first looks of a wait stay immediate and later ones come by a
 * timer. Refuses to touch immediates of anybody else: Dawn's alone are native functions without a name.
 */

/** Looks of a wait that come at once: short work, as on a GPU, is heard of without delay. */
export const EAGER_TICKS = 64;
/** Then the device is asked so often. */
export const REST_MS = 1;

const RESTED = Symbol.for('pictor.dawn-rests');
const NATIVE = 'function () { [native code] }';
/** Bound functions look the same, but nothing binds a function that Dawn made. */
const isDawns = (callback: unknown): callback is () => void =>
  typeof callback === 'function' && callback.name === '' && Function.prototype.toString.call(callback) === NATIVE;

/** Replaces `setImmediate` in this thread, once; every other caller gets what it always got. */
export function restDawn(): void {
  if (RESTED in globalThis) return;
  Object.defineProperty(globalThis, RESTED, { value: true });
  const immediate = globalThis.setImmediate;
  let looking = false;
  let ticks = 0;
  const rested = (callback: () => void): unknown => {
    ticks = looking ? ticks + 1 : 0;
    const look = (): void => {
      looking = true;
      try {
        callback();
      } finally {
        looking = false;
      }
    };
    return ticks < EAGER_TICKS ? immediate(look) : setTimeout(look, REST_MS);
  };
  const chosen = (callback: (...values: unknown[]) => void, ...values: unknown[]): unknown =>
    isDawns(callback) && values.length === 0 ? rested(callback) : immediate(callback, ...values);
  globalThis.setImmediate = Object.assign(chosen, immediate) as typeof setImmediate;
}
