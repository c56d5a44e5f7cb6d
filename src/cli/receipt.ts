/** Fetches what proves a job: its receipt, which verifies offline. */
import { CommandError } from './command.ts';

/** @returns JSON. @throws CommandError */
export async function fetchReceipt(origin: string, job: string): Promise<string> {
  const response = await fetch(new URL(`/api/jobs/${job}/receipt`, origin)).catch(() => null);
  if (!response?.ok) throw new CommandError(`the receipt of job ${job} could not be fetched from ${origin}`);
  return response.text();
}
