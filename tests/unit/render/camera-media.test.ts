/** The volumes that a camera stands in: nested, by priority, in instances, mirrored, and with a small hole. */
import { describe, expect, it } from 'vitest';
import { material, sphere, compileKit, type KitScene, type KitTriangle, type Vec3 } from '../../gpu/kit.ts';
import { box } from '../../gpu/transport-kit.ts';
import { glass } from '../../gpu/transport-scenes.ts';
import { CameraMedia } from '#workers/render/camera-media.ts';

const list = async (scene: KitScene, eye: Vec3): Promise<number[]> => {
  const [low, high] = new CameraMedia(await compileKit(scene)).at(eye);
  return [low & 0xffff, low >>> 16, high & 0xffff, high >>> 16].filter((medium) => medium > 0).map((medium) => medium - 1);
};
const cube = (half: number, index: number): KitTriangle[] => box([-half, -half, -half], [half, half, half], index);
const nested = (inner: number, outer: number): KitScene => ({
  triangles: [...cube(1, 0), ...cube(3, 1), ...cube(9, 2)],
  materials: [glass({ priority: inner }), glass({ priority: outer }), material()],
});

describe('media at the camera', () => {
  it('are those around it, the innermost of equal priority first, and nothing that is no volume', async () => {
    expect(await list(nested(0, 0), [0.2, -0.1, 0.3])).toEqual([0, 1]);
    expect(await list(nested(0, 1), [0.2, -0.1, 0.3])).toEqual([1, 0]);
    expect(await list(nested(0, 0), [2, 0, 0])).toEqual([1]);
    expect(await list(nested(0, 0), [5, 0, 0])).toEqual([]);
  });

  it('are none in a hollow, whose inner wall faces inwards', async () => {
    const inwards = cube(1, 0).map(({ corners: [a, b, c], material: index }): KitTriangle => ({ corners: [a, c, b], material: index }));
    const hollow = { triangles: [...cube(3, 0), ...inwards], materials: [glass()] };
    expect(await list(hollow, [0, 0, 0])).toEqual([]);
    expect(await list(hollow, [2, 0, 0])).toEqual([0]);
  });

  it('are found in instances, turned, stretched or mirrored', async () => {
    const placed = (matrix: readonly number[]): KitScene => ({
      triangles: cube(30, 1),
      meshes: [{ triangles: cube(1, 0), placements: [matrix] }],
      materials: [glass(), material()],
    });
    const stretched = [0, 2, 0, 0, -3, 0, 0, 0, 0, 0, 1, 0, 10, 0, 0, 1];
    const mirrored = [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 10, 0, 0, 1];
    for (const matrix of [stretched, mirrored]) {
      expect(await list(placed(matrix), [10.5, 0.5, 0.5])).toEqual([0]);
      expect(await list(placed(matrix), [0.5, 0.5, 0.5])).toEqual([]);
    }
  });

  it('do not depend on one missing triangle', async () => {
    const ball = sphere([0, 0, 0], 2, 0, 12);
    expect(await list({ triangles: ball.slice(1), materials: [glass()] }, [0.3, 0.2, 0.1])).toEqual([0]);
    expect(await list({ triangles: ball.slice(1), materials: [glass()] }, [1.99, 1.99, 0])).toEqual([]);
  });
});
