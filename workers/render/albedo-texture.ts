/**
 * The directional albedos of shaders/bsdf/tables.ts as the texture that kernels read: one for each
 * device, the same for every scene. Layer 0 holds reflection A, reflection B and sheen; the next
 * layers hold refraction, nine squares of nodes to a layer.
 */
import { ALBEDO, GLASS_BOTH, GLASS_INSIDE, GLASS_OPEN, MIRROR_A, MIRROR_B, SHEEN } from '#shaders/bsdf/tables.ts';

const CHANNELS = 4;
const { mirrorNodes, glassNodes, glassEtas, sheenScale } = ALBEDO;
/** Squares of glass nodes to a row of a layer. */
const CELLS = Math.floor(mirrorNodes / glassNodes);
const LAYERS = 1 + Math.ceil(glassEtas / CELLS ** 2);

const textures = new WeakMap<GPUDevice, GPUTexture>();

/** Fractions of one, from base64 of little-endian 16-bit words. */
function fractions(base64: string): Float32Array {
  const text = atob(base64);
  return Float32Array.from({ length: text.length / 2 }, (_, i) => (text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8)) / 65535);
}

/** All layers, four channels a texel. */
export function albedoTexels(): Float32Array<ArrayBuffer> {
  const texels = new Float32Array(mirrorNodes ** 2 * LAYERS * CHANNELS);
  [fractions(MIRROR_A), fractions(MIRROR_B), fractions(SHEEN).map((value) => value * sheenScale)].forEach((plane, channel) =>
    plane.forEach((value, i) => {
      texels[i * CHANNELS + channel] = value;
    }),
  );
  [fractions(GLASS_BOTH), fractions(GLASS_OPEN), fractions(GLASS_INSIDE)].forEach((planes, channel) =>
    planes.forEach((value, i) => {
      const [x, y, k] = [i % glassNodes, Math.floor(i / glassNodes) % glassNodes, Math.floor(i / glassNodes ** 2)];
      const cell = k % CELLS ** 2;
      const column = (cell % CELLS) * glassNodes + x;
      const row = (1 + Math.floor(k / CELLS ** 2)) * mirrorNodes + Math.floor(cell / CELLS) * glassNodes + y;
      texels[(row * mirrorNodes + column) * CHANNELS + channel] = value;
    }),
  );
  return texels;
}

/** Lives as long as the device. */
export function albedoTexture(device: GPUDevice): GPUTexture {
  const known = textures.get(device);
  if (known) return known;
  const size = [mirrorNodes, mirrorNodes, LAYERS];
  const usage = GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST;
  const texture = device.createTexture({ label: 'albedo tables', size, format: 'rgba32float', usage });
  const layout = { bytesPerRow: mirrorNodes * CHANNELS * 4, rowsPerImage: mirrorNodes };
  device.queue.writeTexture({ texture }, albedoTexels(), layout, size);
  textures.set(device, texture);
  return texture;
}
