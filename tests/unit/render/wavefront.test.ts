/**
 * The stages' bookkeeping, without a device: bytes per path as the kernels' own text gives them, places
 * of queues and rounds, classes of materials.
 */
import { describe, expect, it } from 'vitest';
import { JOB_BOUNCES_MAX } from '#lib/protocol/limits.ts';
import { Stage, QUEUES, ROUNDS_MAX, ROW_BYTES, roundsOf, STATE_ROWS } from '#shaders/wavefront/layout.ts';
import { LANE_PATHS_MAX } from '#workers/render/lane.ts';
import { DEFAULT_LIMITS } from '#workers/render/device.ts';
import { FEATURES, PLAIN, type Features } from '#workers/render/features.ts';
import { classFeatures, shadeClasses, shadeClassOf } from '#workers/render/shade-class.ts';
import { CHUNKS_MAX, dispatchOffset, stageOffset, STATE_PATHS_MAX, stateRows } from '#workers/render/wavefront-memory.ts';
import { STAGE_NAMES, sumBytes, traffic } from '../../reference/traffic.ts';

const always = STAGE_NAMES.map((name) => [name, sumBytes(traffic(name).filter(({ when }) => when === null))] as const);

describe('traffic', () => {
  it('of a vertex of a plain scene is at most 300 bytes, and 48 more where its light is seen', () => {
    console.log(`bytes per path and stage: ${always.map(([name, bytes]) => `${name} ${bytes}`).join(', ')}`);
    for (const [, bytes] of always) expect(bytes).toBeGreaterThan(0);
    expect(always.reduce((sum, [, bytes]) => sum + bytes, 0)).toBeLessThanOrEqual(300);
    expect(sumBytes(traffic('shadow').filter(({ when }) => when === 'lights that are seen'))).toBe(48);
  });

  it('touches no row that nobody reads, and reads none that nobody wrote', () => {
    const ends = ['layers', 'light', 'core', 'ray_origin', 'ray_direction', 'guide', 'media'];
    const all = STAGE_NAMES.flatMap((name) => [...traffic(name)]);
    const rows = (way: 'read' | 'write'): Set<string> => new Set(all.filter((access) => access.way === way).map(({ row }) => row));
    for (const row of rows('read')) expect(row === 'queue' || rows('write').has(row) || ends.includes(row)).toBe(true);
    for (const row of rows('write')) expect(row === 'queue' || row === 'hit' || rows('read').has(row) || ends.includes(row)).toBe(true);
    expect([...rows('write')].filter((row) => row !== 'queue').toSorted()).toEqual(
      STATE_ROWS.filter((row) => !row.startsWith('queues')).toSorted(),
    );
  });
});

describe('memory', () => {
  const everything = Object.fromEntries(FEATURES.map((name) => [name, true])) as Features;

  it('fits a default binding however much a scene needs, and holds every lane in its chunks', () => {
    expect(stateRows(everything) * ROW_BYTES * STATE_PATHS_MAX).toBeLessThanOrEqual(DEFAULT_LIMITS.maxStorageBufferBindingSize);
    expect(stateRows(PLAIN)).toBeLessThan(stateRows(everything));
    expect(STATE_PATHS_MAX * CHUNKS_MAX).toBeGreaterThanOrEqual(LANE_PATHS_MAX);
  });

  it('has queues for the longest job, and no dispatch of more workgroups than WebGPU allows', () => {
    expect(ROUNDS_MAX).toBe(roundsOf(JOB_BOUNCES_MAX));
    expect(dispatchOffset(1, 'extend') - dispatchOffset(0, 'shadow')).toBe(16);
    expect(dispatchOffset(ROUNDS_MAX, 'extend')).toBe(ROUNDS_MAX * QUEUES.length * 16);
    expect(stageOffset(1, 0) - stageOffset(0, ROUNDS_MAX - 1)).toBeGreaterThanOrEqual(Stage.size);
    expect(STATE_PATHS_MAX / 32).toBeLessThanOrEqual(65_535);
  });
});

describe('classes of shading', () => {
  it('are the least that hold a material', () => {
    expect(shadeClassOf({ EMISSIVE: true })).toBe(0);
    expect(shadeClassOf({ SHEEN: true })).toBe(1);
    expect(shadeClassOf({ TRANSMISSIVE: true, COATED: true })).toBe(2);
  });

  it('are built where the scene has them, without what no material of them has', () => {
    expect(shadeClasses(PLAIN)).toEqual(['plain']);
    expect(shadeClasses({ ...PLAIN, COATED: true, VOLUMES: true })).toEqual(['plain', 'layered', 'clear']);
    const glass = { ...PLAIN, COATED: true, TRANSMISSIVE: true, LIGHT_TREE: true };
    expect(classFeatures(glass, 'plain')).toEqual({ ...PLAIN, LIGHT_TREE: true });
    expect(classFeatures(glass, 'layered')).toEqual({ ...PLAIN, LIGHT_TREE: true, COATED: true });
    expect(classFeatures(glass, 'clear')).toEqual(glass);
    // A coat on a lamp dims what plain surfaces sample from it.
    expect(classFeatures({ ...glass, EMISSIVE: true }, 'plain')).toEqual({ ...PLAIN, LIGHT_TREE: true, EMISSIVE: true, COATED: true });
  });
});
