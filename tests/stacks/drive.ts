/** Runs the subject on one stack and brings its report home (stage.ts). Refuses a Node program that reports nothing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from './subject.ts';
import {
  buildProgram,
  folderOf,
  openChromium,
  openFirefox,
  runNode,
  runPage,
  SAMPLES,
  SHARED,
  type Environment,
  type Program,
} from './stage.ts';

const SUBJECT: Program = { name: 'stacks', page: 'stacks/page', node: 'stacks/node' };
/** Shared scenes, where they are there. */
export const SCENES = existsSync(SHARED) ? readdirSync(SHARED).filter((file) => file.endsWith('.glb')) : [];

export const buildSubject = (): Promise<void> => buildProgram(SUBJECT);

/** @throws Error when the process fails or says nothing in time. */
export async function reportOfNode(stack: string, environment: Environment): Promise<Report> {
  const file = join(folderOf(SUBJECT), `${stack.replaceAll(/\W+/g, '-')}.json`);
  await runNode(SUBJECT, [stack, SAMPLES, SHARED, JSON.stringify(SCENES), file], environment);
  if (!existsSync(file)) throw new Error(`${stack} reported nothing`);
  return JSON.parse(readFileSync(file, 'utf8')) as Report;
}

const desk = { given: { '/scenes.json': SCENES } };

export const reportOfFirefox = (stack: string, environment: Environment): Promise<Report> =>
  runPage<Report>(SUBJECT, stack, openFirefox(environment), desk);

export const reportOfChromium = (stack: string): Promise<Report> => runPage<Report>(SUBJECT, stack, openChromium, desk);
