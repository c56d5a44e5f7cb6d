/** Reads what the user named: a scene and perhaps an environment. Refuses files beyond the project's bounds. */
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { DeviceReport, Engine, SceneFiles, SceneSummary } from '#lib/gpu/engine.ts';
import { packSceneAt, packSceneFiles } from '#lib/gpu/pack-scene.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { ENVIRONMENT_FILE_BYTES_MAX, SCENE_FILE_BYTES_MAX } from '#lib/protocol/limits.ts';
import { CommandError } from './command.ts';
import { sceneFolder } from './scene-folder.ts';

/** @throws CommandError */
export async function readBounded(path: string, bytesMax: number): Promise<Bytes> {
  try {
    const { size } = await stat(path);
    if (size > bytesMax) throw new CommandError(`${path} has ${size} bytes; the limit is ${bytesMax}`);
    return new Uint8Array(await readFile(path));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`can't read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export interface NamedFiles {
  readonly file: string;
  readonly environment: { readonly file: string; readonly intensity: number } | null;
  readonly frameTimeS: number;
  readonly variant: string | null;
}

export async function readSceneFiles(named: NamedFiles): Promise<SceneFiles> {
  const environment = named.environment;
  return {
    scene: await readScene(named.file),
    environment: environment && { file: await readBounded(environment.file, ENVIRONMENT_FILE_BYTES_MAX), intensity: environment.intensity },
    frameTimeS: named.frameTimeS,
    variant: named.variant,
  };
}

/** One blob, whatever the scene lies in. */
async function readScene(file: string): Promise<Bytes> {
  const bytes = await readBounded(file, SCENE_FILE_BYTES_MAX);
  if (!/\.(glb|gltf|zip)$/i.test(file)) return bytes;
  const packed = /\.zip$/i.test(file)
    ? packSceneFiles([{ path: basename(file), bytes }])
    : packSceneAt(sceneFolder(file, bytes), basename(file));
  if (!packed.ok) throw new CommandError(`${file}: ${packed.text}`);
  return packed.bytes;
}

/** @throws CommandError with the file's defect. */
export async function compileOrExplain(
  signal: AbortSignal,
  engine: Engine,
  files: SceneFiles,
  name: string,
  quiet = false,
): Promise<SceneSummary> {
  const outcome = await engine.compile(signal, files);
  if (!outcome.ok) throw new CommandError(`${name}: ${outcome.text}`);
  for (const warning of quiet ? [] : outcome.summary.warnings) process.stderr.write(`${name}: ${warning}\n`);
  return outcome.summary;
}

export type Device = Extract<DeviceReport, { ok: true }>;

/** @throws CommandError when there is no device, software or other. */
export async function probeOrExplain(engine: Engine): Promise<Device> {
  const report = await engine.probe();
  if (!report.ok) throw new CommandError(`no GPU to render on: ${report.text}`);
  return report;
}

/** Said plainly, because it is slow. */
export const deviceText = ({ adapter }: Device): string => `${adapter.name}${adapter.software ? ' (software, no GPU found)' : ''}`;
