/** Keys of the review page. Keys that a field, a list or a slider under the hand would use are left to it. */
import { MODES, type Mode } from './review-view.svelte.ts';

export type Command =
  | { readonly does: 'accept' | 'reject' | 'unsure' | 'undo' | 'jump' | 'trace' | 'closer' | 'farther' | 'other' }
  | { readonly does: 'mode'; readonly mode: Mode }
  | { readonly does: 'move'; readonly x: number; readonly y: number };

/** Of the window. */
const STEP = 0.25;

const COMMANDS: Readonly<Record<string, Command>> = {
  a: { does: 'accept' },
  r: { does: 'reject' },
  n: { does: 'unsure' },
  u: { does: 'undo' },
  j: { does: 'jump' },
  t: { does: 'trace' },
  '+': { does: 'closer' },
  '=': { does: 'closer' },
  '-': { does: 'farther' },
  b: { does: 'other' },
  arrowleft: { does: 'move', x: -STEP, y: 0 },
  arrowright: { does: 'move', x: STEP, y: 0 },
  arrowup: { does: 'move', x: 0, y: -STEP },
  arrowdown: { does: 'move', x: 0, y: STEP },
  ...Object.fromEntries(MODES.map(({ mode, key }) => [key, { does: 'mode', mode } as const])),
};

/** What kind of field has the focus: an input's type, `text` for other fields, null for none. */
export function fieldOf(target: EventTarget | null): string | null {
  const field = target instanceof HTMLElement ? target.closest('input, select, textarea') : null;
  return field instanceof HTMLInputElement ? field.type : field && 'text';
}

/** @param field of `fieldOf`. @returns null for a key that means nothing here, or that belongs to the field. */
export function commandOf(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>,
  field: string | null,
): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  const command = COMMANDS[key.toLowerCase()] ?? null;
  if (field === null) return command;
  // A radio button or a slider uses arrows, and no letter.
  return (field === 'radio' || field === 'range') && command?.does !== 'move' ? command : null;
}
