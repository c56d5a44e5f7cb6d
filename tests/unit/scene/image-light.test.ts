/** EXT_lights_image_based: faces where OpenGL puts them (flipped), RGBD, rotation, intensity, precedence, refusals. */
import { encode } from 'fast-png';
import { describe, expect, test } from 'vitest';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { boxGlb, editGlb, sceneFiles, type Bytes } from './fixtures.ts';

type Rgba = readonly [number, number, number, number];
const SIDE = 4;

/** A face of one colour, or of two: the left and the right half of the picture. */
function face(left: Rgba, right: Rgba = left): string {
  const opaque = left[3] === 255 && right[3] === 255;
  const data = Uint8Array.from(
    Array.from({ length: SIDE * SIDE }, (_, i) => (i % SIDE < SIDE / 2 ? left : right).slice(0, opaque ? 3 : 4)).flat(),
  );
  const png = encode({ width: SIDE, height: SIDE, data, channels: opaque ? 3 : 4 });
  return `data:image/png;base64,${btoa(String.fromCharCode(...png))}`;
}

const BLACK: Rgba = [0, 0, 0, 255];
const WHITE: Rgba = [255, 255, 255, 255];

async function glb(faces: readonly string[], light: object = {}): Promise<Bytes> {
  return editGlb(await boxGlb(), (json) => {
    json['images'] = faces.map((uri) => ({ uri }));
    json['extensionsUsed'] = ['EXT_lights_image_based'];
    const own = { specularImages: [faces.map((_, i) => i)], specularImageSize: SIDE, irradianceCoefficients: [], ...light };
    json['extensions'] = { EXT_lights_image_based: { lights: [own] } };
    (json['scenes'] as { extensions?: object }[])[0]!.extensions = { EXT_lights_image_based: { light: 0 } };
  });
}

const compile = (file: Bytes): Promise<CompiledScene> => compileScene(new AbortController().signal, sceneFiles(file));

/** Red of the picture's texel in a direction. */
function towards({ environment: { width, height, texels } }: CompiledScene, [x, y, z]: readonly [number, number, number]): number {
  const u = Math.atan2(z, x) / (2 * Math.PI) + 0.5;
  const v = Math.acos(y / Math.hypot(x, y, z)) / Math.PI;
  return texels[(Math.min(height - 1, Math.floor(v * height)) * width + Math.min(width - 1, Math.floor(u * width))) * 4]!;
}

const AXES = [
  [1, 0, 0],
  [-1, 0, 0],
  [0, 1, 0],
  [0, -1, 0],
  [0, 0, 1],
  [0, 0, -1],
] as const;

describe('an image-based light', () => {
  test.each([0, 1, 2, 3, 4, 5])('shows face %i along its axis and nowhere else', async (lit) => {
    const scene = await compile(await glb(AXES.map((_, i) => face(i === lit ? WHITE : BLACK))));
    expect(scene.environment.width).toBe(4 * SIDE);
    AXES.forEach((axis, i) => expect(towards(scene, axis)).toBeCloseTo(i === lit ? 1 : 0, 6));
  });

  test('faces are flipped about their vertical axis', async () => {
    // OpenGL shows +X with -z on the right of the picture; flipped, the left half is that of -z.
    const scene = await compile(await glb(AXES.map((_, i) => (i === 0 ? face(WHITE, BLACK) : face(BLACK)))));
    expect(towards(scene, [1, 0, -0.6])).toBeGreaterThan(0.9);
    expect(towards(scene, [1, 0, 0.6])).toBeLessThan(0.1);
  });

  test('transparency divides, intensity multiplies, rotation turns the surroundings', async () => {
    const half = Math.SQRT1_2;
    const faces = AXES.map((_, i) => face(i === 0 ? [255, 255, 255, 51] : BLACK));
    // A quarter turn about +y takes +x to -z.
    const scene = await compile(await glb(faces, { intensity: 2, rotation: [0, half, 0, half] }));
    expect(towards(scene, [0, 0, -1])).toBeCloseTo(10, 4);
    expect(towards(scene, [1, 0, 0])).toBe(0);
  });

  test("the job's own environment takes precedence", async () => {
    const file = await glb(AXES.map(() => face(WHITE)));
    const head = new TextEncoder().encode('#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 2\n');
    const hdr = Uint8Array.from([...head, 128, 0, 0, 129, 128, 0, 0, 129]);
    const files = { ...sceneFiles(file), environment: { file: hdr, intensity: 1 } };
    const { environment } = await compileScene(new AbortController().signal, files);
    expect([environment.width, environment.texels[0], environment.texels[1]]).toEqual([2, 1, 0]);
  });

  test('the same bytes twice', async () => {
    const build = async (): Promise<string> =>
      (
        await compile(
          await glb(
            AXES.map((_, i) => face([i * 40, 9, 99, 255], WHITE)),
            { rotation: [0.1, 0.2, 0.3, 0.9] },
          ),
        )
      ).summary.root;
    expect(await build()).toBe(await build());
  });

  test.each([
    ['five faces', { specularImages: [[0, 1, 2, 3, 4]] }],
    ['an image that is not there', { specularImages: [[0, 1, 2, 3, 4, 9]] }],
    ['a negative intensity', { intensity: -1 }],
    ['half a rotation', { rotation: [0, 1] }],
  ])('refuses %s with one sentence', async (_, light) => {
    await expect(
      compile(
        await glb(
          AXES.map(() => face(WHITE)),
          light,
        ),
      ),
    ).rejects.toThrow(/^extensions\.EXT_lights_image_based\.lights\[0\]\.[^;]+; export the file again\.$/);
  });
});
