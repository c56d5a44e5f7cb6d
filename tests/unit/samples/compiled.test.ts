/**
 * The shipped sample scenes as the scene compiler sees them: nothing to warn about, nothing standing
 * inside anything else, and the orrery's planets where its gears must have carried them.
 */
import { NodeIO } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SampleEntry } from '#cli/samples/build.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { Triangle } from '#shaders/layout.ts';
import { bytesPerTriangle } from '#workers/render/scene-bytes.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';

const shipped = join(import.meta.dirname, '../../../static/samples');
const index = JSON.parse(await readFile(join(shipped, 'index.json'), 'utf8')) as SampleEntry[];
const bytesOf = async (file: string): Promise<Bytes> => new Uint8Array(await readFile(join(shipped, file)));

async function compiled(file: string, frameTimeS: number): Promise<CompiledScene> {
  return compileScene(new AbortController().signal, { scene: await bytesOf(file), environment: null, frameTimeS, variant: null });
}

type Point = readonly [number, number, number];
interface Body {
  readonly name: string;
  readonly points: readonly Point[];
  readonly corners: readonly number[];
  readonly min: Point;
  readonly max: Point;
}

/** Every shown mesh in world space. */
async function bodies(file: string): Promise<Body[]> {
  const doc = await new NodeIO().registerExtensions(ALL_EXTENSIONS).read(join(shipped, file));
  return doc
    .getRoot()
    .listNodes()
    .filter((node) => node.getMesh() !== null)
    .map((node) => {
      const m = node.getWorldMatrix();
      const points: Point[] = [];
      const corners: number[] = [];
      for (const primitive of node.getMesh()!.listPrimitives()) {
        const base = points.length;
        for (const i of primitive.getIndices()!.getArray()!) corners.push(base + i);
        const positions = primitive.getAttribute('POSITION')!;
        for (let i = 0; i < positions.getCount(); i++) {
          const [x, y, z] = positions.getElement(i, [0, 0, 0]) as [number, number, number];
          points.push([0, 1, 2].map((c) => m[c]! * x + m[4 + c]! * y + m[8 + c]! * z + m[12 + c]!) as unknown as Point);
        }
      }
      const extreme = (pick: (...v: number[]) => number): Point =>
        [0, 1, 2].map((c) => points.reduce((e, p) => pick(e, p[c]!), points[0]![c]!)) as unknown as Point;
      return { name: node.getName(), points, corners, min: extreme(Math.min), max: extreme(Math.max) };
    });
}

/** Does a ray from the point in a direction without symmetry cross the closed body an odd number of times? (Möller–Trumbore) */
function inside({ points, corners }: Body, p: Point): boolean {
  const d: Point = [0.5896, 0.5467, 0.5777];
  let crossings = 0;
  for (let t = 0; t < corners.length; t += 3) {
    const [a, b, c] = [points[corners[t]!]!, points[corners[t + 1]!]!, points[corners[t + 2]!]!];
    const [e1x, e1y, e1z, e2x, e2y, e2z] = [b[0] - a[0], b[1] - a[1], b[2] - a[2], c[0] - a[0], c[1] - a[1], c[2] - a[2]];
    const [hx, hy, hz] = [d[1] * e2z - d[2] * e2y, d[2] * e2x - d[0] * e2z, d[0] * e2y - d[1] * e2x];
    const det = e1x * hx + e1y * hy + e1z * hz;
    const [sx, sy, sz] = [p[0] - a[0], p[1] - a[1], p[2] - a[2]];
    const u = (sx * hx + sy * hy + sz * hz) / det;
    if (!(u >= 0 && u <= 1)) continue;
    const [qx, qy, qz] = [sy * e1z - sz * e1y, sz * e1x - sx * e1z, sx * e1y - sy * e1x];
    const v = (d[0] * qx + d[1] * qy + d[2] * qz) / det;
    if (v >= 0 && u + v <= 1 && (e2x * qx + e2y * qy + e2z * qz) / det > 1e-9) crossings++;
  }
  return crossings % 2 === 1;
}

const within = (p: Point, { min, max }: Body): boolean => p.every((v, c) => v >= min[c]! && v <= max[c]!);

describe.each(index)('$name', ({ file, camera, animationSeconds }) => {
  it('compiles without a warning, with its camera, lights and animation', async () => {
    const scene = await compiled(file, 0);
    const { summary } = scene;
    expect(summary.warnings).toEqual([]);
    expect(bytesPerTriangle(scene)).toBeLessThanOrEqual(110);
    expect(summary.cameras[camera]?.name).toBe('Camera');
    expect(summary.animationSeconds).toBe(animationSeconds);
    expect(summary.lights).toBeGreaterThan(0);
  });

  it('has no body with a corner inside another', async () => {
    const all = await bodies(file);
    const found = all.flatMap((a) =>
      all
        .filter((b) => a !== b)
        .flatMap((b) => (a.points.some((p) => within(p, b) && inside(b, p)) ? [`${a.name} reaches into ${b.name}`] : [])),
    );
    expect(found).toEqual([]);
  });
});

describe('the orrery', () => {
  /** Mean of the first corners of all triangles with a material. */
  async function middle(scene: CompiledScene, material: number): Promise<Point> {
    const view = new DataView(scene.triangles.buffer, scene.triangles.byteOffset);
    const sum = [0, 0, 0];
    let count = 0;
    for (let at = 0; at < scene.triangles.length; at += Triangle.size) {
      // The upper bits of the field carry flags; a sample has far fewer materials than 2^16.
      if ((view.getUint32(at + Triangle.offsets.material, true) & 0xffff) !== material) continue;
      for (let c = 0; c < 3; c++) sum[c]! += view.getFloat32(at + Triangle.offsets.v0 + 4 * c, true);
      count++;
    }
    expect(count).toBeGreaterThan(0);
    return sum.map((v) => v / count) as unknown as Point;
  }

  it.each([
    ['first planet enamel', 0, 205],
    ['first planet enamel', 1.5, 205 + (360 * 6 * 1.5) / 24],
    ['fourth planet enamel', 1.5, -22 + (360 * 2 * 1.5) / 24],
    ['fourth planet enamel', 24, -22],
  ])('has the %s at %f s on the angle its gears give', async (name, seconds, degrees) => {
    const { materials } = (await new NodeIO().registerExtensions(ALL_EXTENSIONS).readAsJSON(join(shipped, 'orrery.glb'))).json;
    const [x, , z] = await middle(
      await compiled('orrery.glb', seconds),
      materials!.findIndex((m) => m.name === name),
    );
    const angle = (Math.atan2(-z, x) * 180) / Math.PI;
    expect((((angle - degrees) % 360) + 540) % 360).toBeCloseTo(180, 0);
  });
});
