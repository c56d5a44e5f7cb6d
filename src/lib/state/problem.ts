/** A trouble as a person should read it: what happened, what was kept, what to do. Never a stack trace alone. */

export interface Problem {
  readonly what: string;
  readonly kept: string;
  readonly remedy: string;
  /** For the fold that can be copied; empty when there is nothing more to say. */
  readonly details: string;
}

export const problem = (what: string, kept: string, remedy: string, cause?: unknown): Problem => ({
  what,
  kept,
  remedy,
  details: describe(cause),
});

function describe(cause: unknown): string {
  if (cause === undefined || cause === null) return '';
  if (cause instanceof Error) return `${cause.name}: ${cause.message}${cause.stack ? `\n${cause.stack}` : ''}`;
  return typeof cause === 'string' ? cause : (JSON.stringify(cause, null, 2) ?? '');
}
