/**
 * The scene that variants are compared on: rolling ground with a few thousand splinters above it,
 * one lamp, plain materials, so that rays meet large triangles and small ones, long ways and short.
 * Written as a GLB in code, for no file has to be fetched, and compiled like every other.
 */
import type { CompiledScene } from '../scene/compiled-scene.ts';
import { compileScene } from '../scene/compile.ts';
import type { TraceRequest } from '#lib/gpu/engine.ts';

/** Cells along a side of the ground, and splinters. */
const GROUND = 64;
const SPLINTERS = 4_000;
/** Pixels along a side; a path each, and more samples for fast devices. */
export const TUNE_SIDE_PX = 256;

const height = (x: number, z: number): number => ((x * 7 + z * 3) % 11) * 0.03 + ((x * x + z * z * 5) % 17) * 0.02;

/** Corners of all triangles, three after the other. */
function corners(): Float32Array<ArrayBuffer> {
  const out: number[] = [];
  const at = (x: number, z: number): number[] => [(x / GROUND) * 8 - 4, height(x, z), (z / GROUND) * 8 - 4];
  for (let z = 0; z < GROUND; z++) {
    for (let x = 0; x < GROUND; x++) {
      out.push(...at(x, z), ...at(x, z + 1), ...at(x + 1, z + 1), ...at(x, z), ...at(x + 1, z + 1), ...at(x + 1, z));
    }
  }
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let n = 0; n < SPLINTERS; n++) {
    const base = [random() * 7 - 3.5, 0.4 + random() * 2, random() * 7 - 3.5];
    for (let corner = 0; corner < 3; corner++) out.push(...base.map((x) => x + (random() - 0.5) * 0.3));
  }
  return Float32Array.from(out);
}

/** Smallest and largest along each axis, as an accessor must say. */
function bounds(positions: Float32Array): { min: number[]; max: number[] } {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  positions.forEach((x, i) => {
    min[i % 3] = Math.min(min[i % 3]!, x);
    max[i % 3] = Math.max(max[i % 3]!, x);
  });
  return { min, max };
}

function glb(): Uint8Array<ArrayBuffer> {
  const positions = corners();
  const json = {
    asset: { version: '2.0' },
    extensionsUsed: ['KHR_lights_punctual'],
    extensions: { KHR_lights_punctual: { lights: [{ type: 'directional', intensity: 3 }] } },
    scene: 0,
    scenes: [{ nodes: [0, 1] }],
    nodes: [{ mesh: 0 }, { rotation: [-0.6, 0, 0, 0.8], extensions: { KHR_lights_punctual: { light: 0 } } }],
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, material: 0 }] }],
    materials: [
      { doubleSided: true, pbrMetallicRoughness: { metallicFactor: 0, roughnessFactor: 0.5, baseColorFactor: [0.8, 0.8, 0.8, 1] } },
    ],
    accessors: [{ bufferView: 0, componentType: 5126, count: positions.length / 3, type: 'VEC3', ...bounds(positions) }],
    bufferViews: [{ buffer: 0, byteLength: positions.byteLength }],
    buffers: [{ byteLength: positions.byteLength }],
  };
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = Math.ceil(text.length / 4) * 4;
  const out = new Uint8Array(12 + 8 + padded + 8 + positions.byteLength);
  const view = new DataView(out.buffer);
  const words = [0x46546c67, 2, out.length, padded, 0x4e4f534a];
  words.forEach((word, i) => view.setUint32(i * 4, word, true));
  out.fill(0x20, 20, 20 + padded);
  out.set(text, 20);
  view.setUint32(20 + padded, positions.byteLength, true);
  view.setUint32(24 + padded, 0x004e4942, true);
  out.set(new Uint8Array(positions.buffer), 28 + padded);
  return out;
}

export const tuneScene = (signal: AbortSignal): Promise<CompiledScene> =>
  compileScene(signal, { scene: glb(), environment: null, frameTimeS: 0, variant: null });

/** @param samples a power of two. */
export function tuneRequest(root: string, samples: number): TraceRequest {
  const side = TUNE_SIDE_PX;
  return {
    sceneRoot: root,
    frame: {
      camera: { eye: [0, 2.5, 6], target: [0, 0.5, 0], up: [0, 1, 0], tanHalfVfov: 0.5, lens: null },
      width: side,
      height: side,
      bounces: 4,
      seed: 1,
    },
    rect: { x: 0, y: 0, width: side, height: side },
    pass: { first: 0, count: samples },
  };
}
