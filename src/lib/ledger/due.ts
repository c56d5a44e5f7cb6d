/** What must be the very next leaf of a log: the consequences that nobody may put off. */
import type { LogLeaf } from './leaf.ts';

/** What is false where it does not follow. */
const FAULTS = {
  void: 'A lease that was found faulty is not voided at once.',
  twin: 'A lease is not voided at once when another of its slot has passed.',
  verdict: 'A drill is opened before a checker has spoken.',
  forfeit: 'What was held back of a worker at fault is not forfeited at once.',
  drill: 'The checker of a drill is not paid at once.',
  restore: 'What a granted appeal gives back is not given back at once.',
};

export interface Due {
  readonly type: keyof typeof FAULTS;
  readonly lease: string;
}

export function dueFault({ type, lease }: Due, leaf: LogLeaf): string | null {
  const met = {
    void: leaf.type === 'void',
    twin: leaf.type === 'void',
    verdict: leaf.type === 'verdict',
    forfeit: leaf.type === 'entry' && leaf.kind === 'forfeit',
    drill: leaf.type === 'entry' && leaf.kind === 'drill',
    restore: leaf.type === 'entry' && leaf.kind === 'restore',
  }[type];
  return met && 'lease' in leaf && leaf.lease === lease ? null : FAULTS[type];
}
