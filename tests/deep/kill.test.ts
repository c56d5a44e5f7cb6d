/** 200 times kill −9, at random points under load, of coordinator and PostgreSQL; PICTOR_KILLS asks for another number. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ordeal } from '../unit/server/kill/ordeal.ts';

const KILLS = Number(process.env.PICTOR_KILLS ?? 200);

test(`${KILLS} kills: nothing acknowledged is lost, nothing is paid twice, the log extends all that was cosigned`, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'pictor-kills-'));
  chmodSync(dataDir, 0o755);
  const report = await ordeal(dataDir, KILLS, Math.random);
  const summary = report.verdict.ok ? report.verdict.summary : null;
  console.log(
    `kills of the coordinator ${report.kills.coordinator}, of PostgreSQL ${report.kills.postgres}; acknowledged ${report.acknowledged}, ` +
      `cosigned checkpoints ${report.cosigned}, lines ${summary?.leaves}, leases settled ${summary?.settled}`,
  );
  expect(report).toMatchObject({ lost: [], contradicted: [], verdict: { ok: true } });
  rmSync(dataDir, { recursive: true, force: true });
});
