/**
 * EXT_lights_image_based: the sharpest cube map of the scene's image-based light, as a
 * latitude-longitude picture. Its prefiltered mips and irradiance coefficients are approximations of
 * what a path tracer finds by itself, and are not read. A job's own environment takes precedence
 * over it: then it is not even decoded. Faces are stored flipped about their vertical axis, PNG with
 * transparency is RGBD, everything else sRGB; the environment itself turns by `rotation`.
 */
import type { Document } from '@gltf-transform/core';
import { IMAGE_LIGHT_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { environmentOf, type Environment } from './environment.ts';
import { cos, PI, sin, srgbToLinear } from './exact-math.ts';
import type { LinearImage } from './exr.ts';
import type { GltfJson } from './gltf-json.ts';
import { decodeImage, type DecodedImage } from './image-decode.ts';
import { unitQuaternion, type Quaternion, type Vec3 } from './matrix.ts';

const NAME = 'EXT_lights_image_based';
const FACES = 6;
/** Samples along each side of a texel of the picture. */
const FINE = 2;

interface ImageLight {
  readonly images: readonly number[];
  readonly intensity: number;
  readonly rotation: Quaternion;
}

/** Does the file's scene name an image-based light? @throws SceneError naming the JSON path of a defect. */
export const lightsByImage = (json: GltfJson): boolean => readImageLight(json) !== null;

/** @returns null when the file's scene has none. @throws SceneError naming the JSON path of a defect. */
export async function compileImageLight(json: GltfJson, document: Document, pause: () => Promise<void>): Promise<Environment | null> {
  const light = readImageLight(json);
  if (!light) return null;
  const textures = document.getRoot().listTextures();
  const faces: Float64Array[] = [];
  let side = 0;
  for (const [i, index] of light.images.entries()) {
    const label = `images[${index}]`;
    const image = await decodeImage((textures[index]?.getImage() ?? new Uint8Array()) as Uint8Array<ArrayBuffer>, label);
    side ||= image.width;
    if (image.width !== side || image.height !== side || side > IMAGE_LIGHT_SIDE_PX_MAX) {
      throw new SceneError(
        `${label}: face ${i} of the image-based light is ${image.width} × ${image.height} px; all must be squares of one size, at most ${IMAGE_LIGHT_SIDE_PX_MAX}.`,
      );
    }
    faces.push(linearFace(image));
    await pause();
  }
  const width = Math.min(2048, 4 * side);
  return environmentOf(await unroll(faces, side, width, light.rotation, pause), light.intensity);
}

function readImageLight(json: GltfJson): ImageLight | null {
  const scene = json.scenes[json.scene ?? 0] as
    | { readonly extensions?: Readonly<Record<string, Readonly<Record<string, unknown>>>> }
    | undefined;
  const reference = scene?.extensions?.[NAME]?.['light'];
  if (reference === undefined) return null;
  const path = `extensions.${NAME}.lights[${String(reference)}]`;
  const fail = (what: string): never => {
    throw new SceneError(`${path}${what}; export the file again.`);
  };
  const lights: unknown = json.extensions?.[NAME]?.['lights'];
  const light: unknown = Array.isArray(lights) && typeof reference === 'number' ? lights[reference] : undefined;
  if (typeof light !== 'object' || light === null) return fail(': the scene names no light of the file');
  const fields = light as Readonly<Record<string, unknown>>;
  const mips = fields['specularImages'];
  const images: unknown = Array.isArray(mips) ? mips[0] : undefined;
  const isImage = (i: unknown): boolean => typeof i === 'number' && json.images[i] !== undefined;
  if (!Array.isArray(images) || images.length !== FACES || !images.every(isImage))
    fail('.specularImages: expected six images of the file first');
  const intensity = fields['intensity'] ?? 1;
  if (typeof intensity !== 'number' || !(intensity >= 0 && intensity < 1e15)) fail('.intensity: expected a number from 0 to 1e15');
  const rotation = fields['rotation'] ?? [0, 0, 0, 1];
  if (!Array.isArray(rotation) || rotation.length !== 4 || !rotation.every((x) => typeof x === 'number' && Number.isFinite(x))) {
    fail('.rotation: expected four numbers');
  }
  return { images: images as number[], intensity: intensity as number, rotation: unitQuaternion(rotation as unknown as Quaternion) };
}

/** RGBD where the image has transparency, else plain colour; linear rgb. */
function linearFace({ width, height, data }: DecodedImage): Float64Array {
  const out = new Float64Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    // RGBD of alpha 0 has no meaning; a step above keeps it finite.
    const divisor = Math.max(1, data[i * 4 + 3] as number) / 255;
    for (let c = 0; c < 3; c++) out[i * 3 + c] = (srgbToLinear[data[i * 4 + c] as number] as number) / divisor;
  }
  return out;
}

async function unroll(
  faces: readonly Float64Array[],
  side: number,
  width: number,
  rotation: Quaternion,
  pause: () => Promise<void>,
): Promise<LinearImage> {
  const height = Math.max(1, width / 2);
  const turn = (steps: number, whole: number): readonly (readonly [number, number])[] =>
    Array.from({ length: steps }, (_, i) => {
      const angle = ((i + 0.5) / steps) * whole;
      return [cos(angle), sin(angle)];
    });
  // u = ½ looks along +x, so that column 0 begins half a turn before.
  const columns = turn(width * FINE, 2 * PI).map(([c, s]) => [-c, -s] as const);
  const rows = turn(height * FINE, PI);
  const data = new Float32Array(width * height * 3);
  const sum = new Float64Array(3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      sum.fill(0);
      for (let k = 0; k < FINE * FINE; k++) {
        const [cosPhi, sinPhi] = columns[x * FINE + (k % FINE)] as readonly [number, number];
        const [cosTheta, sinTheta] = rows[y * FINE + Math.floor(k / FINE)] as readonly [number, number];
        addFace(sum, faces, side, turnBack([cosPhi * sinTheta, cosTheta, sinPhi * sinTheta], rotation));
      }
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = (sum[c] as number) / (FINE * FINE);
    }
    if (y % 16 === 0) await pause();
  }
  return { width, height, data };
}

/** The direction of the world in the light's own axes: the inverse rotation. */
function turnBack(v: Vec3, [x, y, z, w]: Quaternion): Vec3 {
  const t: Vec3 = [2 * (v[1] * z - v[2] * y), 2 * (v[2] * x - v[0] * z), 2 * (v[0] * y - v[1] * x)];
  return [v[0] + w * t[0] + (t[1] * z - t[2] * y), v[1] + w * t[1] + (t[2] * x - t[0] * z), v[2] + w * t[2] + (t[0] * y - t[1] * x)];
}

/** Adds the bilinear texel of a direction: the cube map table of OpenGL 4.6, section 8.13, flipped from left to right. */
function addFace(sum: Float64Array, faces: readonly Float64Array[], side: number, [x, y, z]: Vec3): void {
  const [ax, ay, az] = [Math.abs(x), Math.abs(y), Math.abs(z)];
  let [face, s, t, major] = [z >= 0 ? 4 : 5, z >= 0 ? x : -x, -y, az];
  if (ax >= ay && ax >= az) [face, s, t, major] = [x >= 0 ? 0 : 1, x >= 0 ? -z : z, -y, ax];
  else if (ay >= az) [face, s, t, major] = [y >= 0 ? 2 : 3, x, y >= 0 ? z : -z, ay];
  const clamp = (at: number): number => Math.min(side - 1, Math.max(0, at));
  const across = clamp(((1 - s / major) / 2) * side - 0.5);
  const down = clamp(((1 + t / major) / 2) * side - 0.5);
  const [i, j] = [Math.floor(across), Math.floor(down)];
  const [i2, j2] = [Math.min(i + 1, side - 1), Math.min(j + 1, side - 1)];
  const [fx, fy] = [across - i, down - j];
  const data = faces[face] as Float64Array;
  for (let c = 0; c < 3; c++) {
    const at = (px: number, py: number): number => data[(py * side + px) * 3 + c] as number;
    const top = at(i, j) * (1 - fx) + at(i2, j) * fx;
    const bottom = at(i, j2) * (1 - fx) + at(i2, j2) * fx;
    sum[c] = (sum[c] as number) + top * (1 - fy) + bottom * fy;
  }
}
