/**
 * CPU seconds of a process with all its descendants, from /proc: on a machine that others use too,
 * the fair measure of what a software adapter took. Zero where there is no /proc.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** USER_HZ, which Linux fixes at 100 for user space on every architecture it still supports. */
const TICKS_PER_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
}

function stats(): Stat[] {
  if (!existsSync('/proc/self/stat')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // The second field is the program's name in parentheses and may hold anything.
        const text = readFileSync(`/proc/${name}/stat`, 'utf8');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        const [parent, user, system, waitedUser, waitedSystem] = [1, 11, 12, 13, 14].map((i) => Number(fields[i])) as [
          number,
          number,
          number,
          number,
          number,
        ];
        return [{ pid: Number(name), parent, ticks: user + system + waitedUser + waitedSystem }];
      } catch {
        return [];
      }
    });
}

export function cpuSeconds(root: number): number {
  const all = stats();
  const family = new Set([root]);
  for (let grown = true; grown;) {
    const size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
    grown = family.size > size;
  }
  return all.filter(({ pid }) => family.has(pid)).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND;
}
