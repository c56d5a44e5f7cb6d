/** EXT_lights_ies from a file to the device: tabulated values, what lies between them, orientation, and a lit floor. */
import { Document } from '@gltf-transform/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Light } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import type { CompiledScene } from '#workers/scene/compiled-scene.ts';
import { addQuads, editGlb, sceneFiles, writeGlb } from '../unit/scene/fixtures.ts';
import { testGpu } from './device.ts';
import { runLight } from './light-kit.ts';

let gpu: GPU;
beforeAll(async () => {
  gpu = await testGpu();
});

const V = [0, 20, 50, 90];
const H = [0, 45, 90];
const candela = (h: number, v: number): number => 100 + 37 * h + 11 * v + 5 * h * v;
const TEXT = ['IESNA:LM-63-2002', 'TILT=NONE', `1 -1 2 ${V.length} ${H.length} 1 2 0 0 0`, '1 1 10', V.join(' '), H.join(' ')]
  .concat(H.map((_, h) => V.map((__, v) => candela(h, v)).join(' ')))
  .join('\n');

/** A floor and one profile that hangs at height 3; `use` are further fields of the node's extension. */
async function scene(rotation: readonly number[], use: object = {}): Promise<CompiledScene> {
  const document = new Document();
  const grey = document.createMaterial('grey').setBaseColorFactor([0.5, 0.5, 0.5, 1]).setMetallicFactor(0);
  addQuads(document, 'floor', [{ corner: [-9, 0, 9], edge1: [18, 0, 0], edge2: [0, 0, -18] }], grey);
  const glb = await writeGlb(document);
  const lit = editGlb(glb, (json) => {
    const uri = `data:application/x-ies-lm-63;base64,${btoa(TEXT)}`;
    json.extensionsUsed = ['EXT_lights_ies'];
    json.extensions = { EXT_lights_ies: { lights: [{ uri }] } };
    json.nodes.push({ translation: [0, 3, 0], rotation, scale: [2, 2, 2], extensions: { EXT_lights_ies: { light: 0, ...use } } });
    (json.scenes as { nodes: number[] }[])[0]!.nodes.push(json.nodes.length - 1);
  });
  return compileScene(new AbortController().signal, sceneFiles(lit));
}

/** Intensities towards directions of the world. */
async function intensities(compiled: CompiledScene, directions: readonly (readonly number[])[]): Promise<number[]> {
  const view = new DataView(compiled.lights.buffer, compiled.lights.byteOffset);
  const header = view.getUint32(Light.offsets.profile, true);
  const aim = [0, 4, 8].map((k) => view.getFloat32(Light.offsets.direction + k, true));
  const body = `
    let d = vec3f(data[i * 3u], data[i * 3u + 1u], data[i * 3u + 2u]);
    return vec2f(profile_intensity(${header}u, vec3f(${aim.join(', ')}), d), 0.0);`;
  const bindings = { profiles: compiled.profiles };
  const got = await runLight(gpu, ['light/profile'], body, bindings, Float32Array.from(directions.flat()), directions.length);
  return directions.map((_, i) => got[i * 2]!);
}

/** Of an unrotated light: aim -Z, horizontal 0 along +X, counter-clockwise about +Z. */
function towards(vertical: number, horizontal: number): number[] {
  const [v, h] = [(vertical / 180) * Math.PI, (horizontal / 180) * Math.PI];
  return [Math.sin(v) * Math.cos(h), Math.sin(v) * Math.sin(h), -Math.cos(v)];
}

describe('a photometric profile', () => {
  it('shines as tabulated, in all four quadrants, and linearly between', async () => {
    const compiled = await scene([0, 0, 0, 1]);
    const cases: { direction: number[]; expected: number }[] = [];
    H.forEach((h, i) => {
      V.forEach((v, k) => {
        for (const at of [h, 180 - h, 180 + h, 360 - h])
          cases.push({ direction: towards(v, at), expected: 2 * candela(v === 0 ? 0 : i, k) });
      });
    });
    // At the aim itself no horizontal angle is told; the table of a real lamp has one value there.
    const told = cases.filter(({ direction }) => direction[2]! > -0.999999);
    for (const [v, h, expected] of [
      [35, 0, candela(0, 1.5)],
      [20, 22.5, (candela(0, 1) + candela(1, 1)) / 2],
      [35, 202.5, (candela(0, 1) + candela(1, 1) + candela(0, 2) + candela(1, 2)) / 4],
    ] as const) {
      told.push({ direction: towards(v, h), expected: 2 * expected });
    }
    const got = await intensities(
      compiled,
      told.map(({ direction }) => direction),
    );
    const worst = Math.max(...told.map(({ expected }, i) => Math.abs(got[i]! / expected - 1)));
    console.log(`worst relative difference from the table: ${worst.toExponential(2)}`);
    expect(worst).toBeLessThan(0.005);
    expect(await intensities(compiled, [towards(91, 10), towards(180, 0)])).toEqual([0, 0]);
  });

  it('turns with its node and is not scaled by it', async () => {
    // A quarter turn about x: the aim goes from -Z to -Y, y to -Z… and x stays.
    const s = Math.SQRT1_2;
    const got = await intensities(await scene([-s, 0, 0, s]), [
      [0, -1, 0],
      [1, 0, 0],
      [0, 0, -1],
    ]);
    expect(got[1]! / (2 * candela(0, 3))).toBeCloseTo(1, 3);
    expect(got[2]! / (2 * candela(2, 3))).toBeCloseTo(1, 3);
  });

  it('takes multiplier and colour, clamped to one, into the light', async () => {
    const { lights } = await scene([0, 0, 0, 1], { multiplier: 3, color: [0.5, 2, -1] });
    const view = new DataView(lights.buffer, lights.byteOffset);
    expect([0, 4, 8].map((k) => view.getFloat32(Light.offsets.color + k, true))).toEqual([1.5, 3, 0]);
  });
});
