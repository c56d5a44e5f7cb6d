/**
 * The directional albedos of shaders/bsdf/tables.ts as the texture that kernels read: one for each
 * device, the same for every scene. Layer 0 holds reflection A and B, sheen and reflection C; the next
 * layers hold squares of nodes: refraction in two channels, anisotropy in the third.
 */
import { ALBEDO, GLASS_BOTH, GLASS_OPEN, MIRROR_A, MIRROR_B, MIRROR_C, SHEEN, STRETCHED } from '#shaders/bsdf/tables.ts';

const CHANNELS = 4;
const { mirrorNodes: SIDE, glassNodes, glassEtas, scale, stretchNodes, stretchTurns, stretchWidths } = ALBEDO;

/** Layers that so many squares fill. */
const layersOf = (squares: number, nodes: number): number => Math.ceil(squares / Math.floor(SIDE / nodes) ** 2);
const LAYERS = 1 + Math.max(layersOf(glassEtas, glassNodes), layersOf(stretchWidths * stretchTurns, stretchNodes));

const textures = new WeakMap<GPUDevice, GPUTexture>();

/** Fractions of one, from base64 of little-endian 16-bit words. */
function fractions(base64: string): Float32Array {
  const text = atob(base64);
  return Float32Array.from({ length: text.length / 2 }, (_, i) => (text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8)) / 65535);
}

/** All layers, four channels a texel. */
export function albedoTexels(): Float32Array<ArrayBuffer> {
  const texels = new Float32Array(SIDE ** 2 * LAYERS * CHANNELS);
  /** Squares of nodes side by side, from a layer on. */
  const lay = (values: Float32Array, nodes: number, channel: number, firstLayer: number): void => {
    const cells = Math.floor(SIDE / nodes);
    values.forEach((value, i) => {
      const [x, y, k] = [i % nodes, Math.floor(i / nodes) % nodes, Math.floor(i / nodes ** 2)];
      const cell = k % cells ** 2;
      const row = (firstLayer + Math.floor(k / cells ** 2)) * SIDE + Math.floor(cell / cells) * nodes + y;
      texels[(row * SIDE + (cell % cells) * nodes + x) * CHANNELS + channel] = value;
    });
  };
  const scaled = (base64: string): Float32Array => fractions(base64).map((value) => value * scale);
  [fractions(MIRROR_A), fractions(MIRROR_B), scaled(SHEEN), fractions(MIRROR_C)].forEach((plane, channel) => lay(plane, SIDE, channel, 0));
  lay(scaled(GLASS_BOTH), glassNodes, 0, 1);
  lay(scaled(GLASS_OPEN), glassNodes, 1, 1);
  lay(fractions(STRETCHED), stretchNodes, 2, 1);
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
