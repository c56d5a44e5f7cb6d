/**
 * The directional albedos of shaders/bsdf/tables.ts as the texture that kernels read: one for each
 * device, the same for every scene. The file's nodes are refined to those between which kernels
 * interpolate linearly. Layer 0 holds reflection A and B, sheen and reflection C; the next layers hold
 * planes of nodes: refraction in two channels, anisotropy in the other two.
 */
import { ALBEDO, GLASS_BOTH, GLASS_OPEN, MIRROR_A, MIRROR_B, MIRROR_C, SHEEN, STRETCHED, STRETCHED_RISE } from '#shaders/bsdf/tables.ts';
import { refine } from './refine.ts';

const CHANNELS = 4;
const { mirrorNodes: SIDE, glassNodes, glassEtas, scale, stretchCosines, stretchLeast, stretchTurns, stretchWidths } = ALBEDO;

/** Nodes of a plane, and where it is one of several: how many. */
interface Planes {
  readonly width: number;
  readonly height: number;
  readonly count: number;
}
const MIRROR_PLANE: Planes = { width: SIDE, height: SIDE, count: 1 };
const GLASS_PLANES: Planes = { width: glassNodes, height: glassNodes, count: 2 * glassEtas };
const STRETCHED_PLANES: Planes = { width: stretchCosines, height: stretchLeast, count: stretchWidths * stretchTurns };

/** Layers that planes fill. */
const layersOf = ({ width, height, count }: Planes): number => Math.ceil(count / (Math.floor(SIDE / width) * Math.floor(SIDE / height)));
const LAYERS = 1 + Math.max(layersOf(GLASS_PLANES), layersOf(STRETCHED_PLANES));

const textures = new WeakMap<GPUDevice, GPUTexture>();

/** Fractions of one, from base64 of little-endian 16-bit words. */
function fractions(base64: string): Float32Array {
  const text = atob(base64);
  return Float32Array.from({ length: text.length / 2 }, (_, i) => (text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8)) / 65535);
}

/** All layers, four channels a texel. */
export function albedoTexels(): Float32Array<ArrayBuffer> {
  const texels = new Float32Array(SIDE ** 2 * LAYERS * CHANNELS);
  /** Planes side by side, from a layer on. */
  const lay = (values: Float32Array, { width, height }: Planes, channel: number, firstLayer: number): void => {
    const across = Math.floor(SIDE / width);
    const cells = across * Math.floor(SIDE / height);
    values.forEach((value, i) => {
      const [x, y, k] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
      const cell = k % cells;
      const row = (firstLayer + Math.floor(k / cells)) * SIDE + Math.floor(cell / across) * height + y;
      texels[(row * SIDE + (cell % across) * width + x) * CHANNELS + channel] = value;
    });
  };
  const scaled = (base64: string): Float32Array => fractions(base64).map((value) => value * scale);
  const mirror = (base64: string): Float32Array => refine(fractions(base64), ALBEDO.mirror, [SIDE, SIDE]);
  [mirror(MIRROR_A), mirror(MIRROR_B), scaled(SHEEN), mirror(MIRROR_C)].forEach((plane, channel) => lay(plane, MIRROR_PLANE, channel, 0));
  const glass = [glassNodes, glassNodes, glassEtas, 2];
  const stretched = [stretchCosines, stretchLeast, stretchWidths, stretchTurns];
  [GLASS_BOTH, GLASS_OPEN].forEach((table, channel) => lay(refine(scaled(table), ALBEDO.glass, glass), GLASS_PLANES, channel, 1));
  [STRETCHED, STRETCHED_RISE].forEach((table, i) => lay(refine(scaled(table), ALBEDO.stretched, stretched), STRETCHED_PLANES, 2 + i, 1));
  return texels;
}

/** Lives as long as the device. */
export function albedoTexture(device: GPUDevice): GPUTexture {
  const known = textures.get(device);
  if (known) return known;
  const size = [SIDE, SIDE, LAYERS];
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ label: 'albedo tables', size, format: 'rgba32float', usage });
  const layout = { bytesPerRow: SIDE * CHANNELS * 4, rowsPerImage: SIDE };
  device.queue.writeTexture({ texture }, albedoTexels(), layout, size);
  textures.set(device, texture);
  return texture;
}
