/** Fetches what proves a job: its receipt, which verifies offline. */
import { utf8 } from '#lib/protocol/bytes.ts';
import { CommandError } from './command.ts';
import { writeWhole } from './stores.ts';

/** @throws CommandError */
export async function saveReceipt(origin: string, job: string, path: string): Promise<void> {
  const response = await fetch(new URL(`/api/jobs/${job}/receipt`, origin)).catch(() => null);
  if (!response?.ok) throw new CommandError(`the receipt of job ${job} could not be fetched from ${origin}`);
  await writeWhole(path, utf8(await response.text()));
}
