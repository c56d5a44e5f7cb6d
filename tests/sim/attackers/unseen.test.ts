/**
 * A checker that passes whole films without tracing them, against the real coordinator and real roles: it can
 * promise anything before a film is opened to it, and copy what it likes after that, but has nothing to show.
 */
import { expect, test } from 'vitest';
import type { Engine } from '#lib/gpu/engine.ts';
import { CheckerRole } from '#lib/roles/checker.ts';
import { begin, checker, expectWell, submitted, verifiedLog, worker, world } from '../story.ts';
import { yesMan } from './yes-man.ts';

/** Never traces: its signatures are nothing. */
function idle(engine: Engine): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      if (name === 'trace')
        return async (...asked: Parameters<Engine['trace']>) => {
          const outcome = await target.trace(...asked);
          return outcome.ok ? { ...outcome, film: { ...outcome.film, signatures: outcome.film.signatures.map(() => 0) } } : outcome;
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value;
    },
  });
}

test('a checker that passes what it never traced has none of its words taken, and nothing of the pay', async () => {
  await begin(55, { secondAuditPpm: 0 });
  await worker();
  await checker();
  const tab = await world.tab();
  const lazy = new CheckerRole({ ...tab, engine: idle(tab.engine), control: yesMan(tab) });
  await lazy.start();
  const { role, job } = await submitted(await world.tab());
  await world.until('it was asked', () => lazy.status.records.length > 0);
  await expectWell(role, job);
  const log = await verifiedLog();
  const { key } = tab.identity;
  const asked = log.filter((leaf) => leaf.type === 'retraced' && leaf.checker === key);
  const whole = new Set(asked.map((leaf) => leaf.type === 'retraced' && leaf.lease));
  expect(whole.size).toBeGreaterThan(0);
  expect(log.filter((leaf) => leaf.type === 'verdict' && leaf.checker === key && whole.has(leaf.lease))).toEqual([]);
  expect(log.some((leaf) => leaf.type === 'missed' && leaf.checker === key)).toBe(true);
});
