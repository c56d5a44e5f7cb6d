/** Coordinator and PostgreSQL are killed in the middle of their work, a few times; tests/deep/kill.test.ts does it 200 times. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ordeal } from './ordeal.ts';

const KILLS = 3;

test('nothing acknowledged is lost, nothing is paid twice, and the log extends what was cosigned', { timeout: 240_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pictor-kill-'));
  chmodSync(dataDir, 0o755);
  let turn = 0;
  // Both are killed, whatever chance says.
  const report = await ordeal(dataDir, KILLS, () => [0.5, 0.1, 0.2, 0.9][turn++ % 4]!);
  expect(report).toMatchObject({ lost: [], contradicted: [], verdict: { ok: true } });
  expect(report.acknowledged).toBeGreaterThan(0);
  expect(report.cosigned).toBeGreaterThan(0);
  expect(report.kills.coordinator * report.kills.postgres).toBeGreaterThan(0);
  rmSync(dataDir, { recursive: true, force: true });
});
