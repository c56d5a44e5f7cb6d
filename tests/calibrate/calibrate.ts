/**
 * `npm run trust:calibrate`: traces the same leaves on every WebGPU stack that this machine has, judges every
 * pair both ways as checkers do, and writes what came out to tests/reference/adapter-pairs.json. Refuses to
 * replace a record by a smaller one, and to judge before all stacks have traced everything unless told to.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RenderEngine } from '#workers/render/engine.ts';
import { BASE, GPU_STACKS, STACKS, type Stack } from '../stacks/known.ts';
import { buildProgram, SAMPLES } from '../stacks/stage.ts';
import { CALIBRATION, fill, readFilm, sceneNames, type Shelf } from './films.ts';
import { PairTally } from './judge.ts';
import { LEVEL_COUNT, shots, type Shot } from './plan.ts';
import { contradictions, derivedFrom, figuresOf, lineOf, usedThresholds, type Calibration } from './report.ts';

const RECORD = join(process.cwd(), 'tests/reference/adapter-pairs.json');
const HELP = `usage: npm run trust:calibrate -- [options]
  --folder DIR     keep films here and go on from what is there (default: a folder of the system's temporary ones)
  --seconds N      stop tracing after so long and say what is missing; run again to go on (default: no limit)
  --levels N       passes over all scenes, 1 to ${LEVEL_COUNT} (default ${LEVEL_COUNT}; browsers trace one, over the shipped samples)
  --now            judge what two stacks have both traced, though films are missing still
  --only NAME      stacks whose name holds this word
  --dry            print, and leave the record alone`;

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: join(tmpdir(), 'pictor-calibrate') },
    seconds: { type: 'string', default: '86400' },
    levels: { type: 'string', default: String(LEVEL_COUNT) },
    only: { type: 'string', default: '' },
    now: { type: 'boolean', default: false },
    dry: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => console.log(text);

/** What a stack is asked for: browsers share their drivers with Node, so that the shipped samples show whether they differ. */
const askedOf = ({ place }: Stack): Shot[] =>
  place === 'node' ? shots(sceneNames(), Number(values.levels)) : shots(sceneNames([SAMPLES]), 1);

interface Found {
  readonly stack: Stack;
  readonly shelf: Shelf;
}

/** Which stacks this machine has, each with the reason where one is left out. */
function present(): Stack[] {
  return [BASE, ...STACKS, ...GPU_STACKS].filter((stack) => {
    if (!stack.name.includes(values.only)) return false;
    try {
      stack.environment();
      return true;
    } catch (error) {
      say(`${stack.name}: not here: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  });
}

/** Traces what is missing; every stack gets an even part of the time that is left. */
async function traceAll(shader: string): Promise<Found[]> {
  const found: Found[] = [];
  const endMs = Date.now() + Number(values.seconds) * 1000;
  const stacks = present();
  for (const [i, stack] of stacks.entries()) {
    const seconds = (endMs - Date.now()) / 1000 / (stacks.length - i);
    try {
      const shelf = await fill(values.folder, shader, stack, askedOf(stack), Math.max(seconds, 0));
      found.push({ stack, shelf });
      if (!shelf.whole) say(`${stack.name}: some films are missing still`);
    } catch (error) {
      say(`${stack.name}: left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}

interface Judged {
  /** By the two classes. */
  readonly tallies: ReadonlyMap<string, PairTally>;
  /** Honest leaves that a majority would call false: refused by two kinds of device, or by one of the worker's own (trust/escalation). */
  readonly convicted: number;
}

/** Every pair of stacks, each once as the worker and once as the checker, added up by adapter class. */
function judgeAll(found: readonly Found[]): Judged {
  const tallies = new Map<string, PairTally>();
  /** By worker's stack and leaf: its class, and those of checkers that refused it. */
  const refusals = new Map<string, { readonly own: string; readonly by: Set<string> }>();
  const refuse = (worker: Found, checker: Found, { id }: Shot, leaves: readonly number[]): void => {
    for (const leaf of leaves) {
      const key = `${worker.stack.name} ${id} ${leaf}`;
      const known = refusals.get(key) ?? { own: worker.shelf.adapterClass, by: new Set<string>() };
      refusals.set(key, known);
      known.by.add(checker.shelf.adapterClass);
    }
  };
  for (const [i, one] of found.entries()) {
    for (const other of found.slice(i + 1)) {
      const key = [one.shelf.adapterClass, other.shelf.adapterClass].toSorted().join('\n');
      const tally = tallies.get(key) ?? new PairTally();
      tallies.set(key, tally);
      tally.stacks.add([one.stack.name, other.stack.name].toSorted().join(' | '));
      for (const shot of shots(sceneNames(), LEVEL_COUNT)) {
        const [a, b] = [readFilm(one.shelf, shot), readFilm(other.shelf, shot)];
        if (!a || !b) continue;
        refuse(one, other, shot, tally.add(shot, a, b));
        refuse(other, one, shot, tally.add(shot, b, a));
      }
      say(`judged ${one.stack.name} against ${other.stack.name}`);
    }
  }
  const convicted = [...refusals.values()].filter(({ own, by }) => by.size > 1 || by.has(own)).length;
  return { tallies, convicted };
}

/** Why the new record may not take the old one's place; null when it may. */
function smaller(record: Calibration): string | null {
  if (!existsSync(RECORD)) return null;
  const old = JSON.parse(readFileSync(RECORD, 'utf8')) as Calibration;
  for (const { classes, judgements } of old.pairs) {
    const again = record.pairs.find((pair) => pair.classes.join() === classes.join());
    if (!again) return `${classes.join(' against ')} was measured and is missing now`;
    if (again.judgements < judgements) return `${classes.join(' against ')}: ${again.judgements} leaves instead of ${judgements}`;
  }
  return null;
}

async function main(): Promise<void> {
  if (values.help) return say(HELP);
  const { shader } = new RenderEngine(undefined);
  await buildProgram(CALIBRATION);
  const found = await traceAll(shader);
  if (!values.now && found.some(({ shelf }) => !shelf.whole)) return say('Not judged: run again to trace the rest, or with --now.');
  if (found.length < 2) throw new Error('a pair needs two stacks, and fewer are here');
  const { tallies, convicted } = judgeAll(found);
  const pairs = [...tallies].map(([key, tally]) => figuresOf(key.split('\n') as [string, string], tally));
  const record: Calibration = {
    note: 'Written by `npm run trust:calibrate`; what its figures mean is said in tests/README.md.',
    measured: new Date().toISOString().slice(0, 10),
    shader,
    scenes: [...new Set([...tallies.values()].flatMap(({ films }) => films.map(({ scene }) => scene)))].toSorted(),
    adapters: Object.fromEntries(found.map(({ stack, shelf }) => [stack.name, `${shelf.adapterClass} (${shelf.adapter})`])),
    judgements: pairs.reduce((sum, pair) => sum + pair.judgements, 0),
    convicted,
    thresholds: usedThresholds(),
    derived: derivedFrom(pairs),
    pairs,
  };
  say(pairs.map(lineOf).join('\n'));
  say(`${record.judgements} leaves judged; ${convicted} would be called false after escalation`);
  say(`derived ${JSON.stringify(record.derived)}\nused    ${JSON.stringify(record.thresholds)}`);
  for (const text of contradictions(record, record.thresholds)) say(`against the thresholds in force: ${text}`);
  const less = smaller(record);
  if (less !== null) throw new Error(`the record stays: ${less}`);
  if (values.dry) return;
  writeFileSync(RECORD, `${JSON.stringify(record, null, 2)}\n`);
  say(`written to ${RECORD}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
