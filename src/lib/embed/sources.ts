/** What a caller hands over, as bytes and as a camera. Refuses with one sentence, before anything is compiled. */
import type { SceneFiles, SceneSummary } from '../gpu/engine.ts';
import type { Camera } from '../protocol/order.ts';
import type { CameraChoice, CameraView, LoadOptions, Source, Vector } from './api.ts';
import { Problem, requireNumber } from './problem.ts';

const GLB_MAGIC = 0x46546c67;

/** @param what names the source in a refusal. @throws Problem */
export async function readSource(what: string, source: Source, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (ArrayBuffer.isView(source)) return Uint8Array.from(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new Problem('bad-argument', `The ${what} must be bytes, a Blob or a URL, not ${typeof source}.`);
  const response = await fetch(source, signal ? { signal } : {}).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Problem('unreadable', `The ${what} could not be fetched from ${String(source)}: ${why}.`);
  });
  if (!response.ok) throw new Problem('unreadable', `The ${what} could not be fetched from ${String(source)}: status ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** @throws Problem */
export async function readFiles(scene: Source, options: LoadOptions): Promise<SceneFiles> {
  const { environment, signal, intensity = 1, time = 0, variant = null } = options;
  requireNumber('intensity', intensity, 0, 1e6, false);
  requireNumber('time', time, 0, 1e6, false);
  const [bytes, light] = await Promise.all([
    readSource('scene', scene, signal),
    environment === undefined ? null : readSource('environment', environment, signal),
  ]);
  return {
    scene: await asGlb(bytes),
    environment: light && { file: light, intensity },
    frameTimeS: time,
    variant,
  };
}

/** A zip is packed as the site packs it; everything else is left to the compiler's own words. */
async function asGlb(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const magic = bytes.length >= 4 ? new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) : 0;
  if (magic === GLB_MAGIC) return bytes;
  const { packSceneFiles } = await import('../gpu/pack-scene.ts');
  const packed = packSceneFiles([{ path: 'scene.zip', bytes }]);
  if (!packed.ok) throw new Problem('bad-scene', packed.text);
  return packed.bytes;
}

/** @throws Problem */
export function chooseCamera(choice: CameraChoice | undefined, { cameras, view }: Pick<SceneSummary, 'cameras' | 'view'>): Camera {
  if (choice === undefined) return cameras[0]?.camera ?? view;
  if (typeof choice === 'object') return ownCamera(choice);
  const found = typeof choice === 'number' ? cameras[choice] : cameras.find(({ name }) => name === choice);
  if (found) return found.camera;
  const there = cameras.length > 0 ? `it has ${cameras.map(({ name }, i) => `${i} "${name}"`).join(', ')}` : 'it has none';
  throw new Problem('bad-argument', `The scene has no camera ${JSON.stringify(choice)}; ${there}.`);
}

function ownCamera(view: CameraView): Camera {
  const vfov = requireNumber('vfov', view.vfov, 0.02, 179.8, false);
  const lens = { tanHalfVfov: Math.tan((vfov * Math.PI) / 360), lens: null };
  if (!('matrix' in view)) {
    const { eye, target, up = [0, 1, 0] } = view;
    return { eye: vector('eye', eye), target: vector('target', target), up: vector('up', up), ...lens };
  }
  if (view.matrix.length !== 16) throw new Problem('bad-argument', `matrix must have 16 numbers, not ${view.matrix.length}.`);
  const column = (i: number): [number, number, number] => [view.matrix[i]!, view.matrix[i + 1]!, view.matrix[i + 2]!];
  const [up, back, eye] = [vector('matrix', column(4)), vector('matrix', column(8)), vector('matrix', column(12))];
  return { eye, target: [eye[0] - back[0], eye[1] - back[1], eye[2] - back[2]], up, ...lens };
}

function vector(what: string, value: Vector): [number, number, number] {
  if (value.length === 3 && value.every((x) => Number.isFinite(x))) return [value[0], value[1], value[2]];
  throw new Problem('bad-argument', `${what} must hold finite numbers.`);
}
