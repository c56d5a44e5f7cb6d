/**
 * The shipped sample scenes: that the committed files are what the generator writes, and that they
 * are what a renderer may ask of a scene (closed, finite, unit normals, within size).
 */
import { NodeIO, type Document, type Mesh } from '@gltf-transform/core';
import { ALL_EXTENSIONS } from '@gltf-transform/extensions';
import { decode } from 'fast-png';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildSamples, type SampleEntry } from '#cli/samples/build.ts';

const shipped = join(import.meta.dirname, '../../../static/samples');
const index = JSON.parse(await readFile(join(shipped, 'index.json'), 'utf8')) as SampleEntry[];
const open = (file: string): Promise<Document> => new NodeIO().registerExtensions(ALL_EXTENSIONS).read(join(shipped, file));

describe('the generator', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'pictor-samples-'));
    await buildSamples(dir);
  }, 120_000);
  afterAll(() => rm(dir, { recursive: true }));

  it('writes the committed bytes again', async () => {
    const written = await readdir(dir);
    expect(written).toContain('index.json');
    expect(written.length).toBe(index.length + 1);
    for (const file of written) {
      const same = Buffer.compare(await readFile(join(dir, file)), await readFile(join(shipped, file))) === 0;
      expect(same, `${file}: run \`npm run pictor -- samples\` and commit static/samples`).toBe(true);
    }
  });
});

/** Edges by welded position that are not walked once in each direction, and triangles without area. */
function defects(mesh: Mesh): string[] {
  const corner = new Map<string, number>();
  const edges = new Map<string, number>();
  const found: string[] = [];
  for (const primitive of mesh.listPrimitives()) {
    const positions = primitive.getAttribute('POSITION')!;
    const ids = Array.from({ length: positions.getCount() }, (_, i) => {
      const p = positions.getElement(i, [0, 0, 0]);
      if (!p.every(Number.isFinite)) found.push(`${mesh.getName()}: position ${i} is not finite`);
      const key = p.join(' ');
      if (!corner.has(key)) corner.set(key, corner.size);
      return corner.get(key)!;
    });
    const triangles = primitive.getIndices()!.getArray()!;
    for (let t = 0; t < triangles.length; t += 3) {
      const abc = [0, 1, 2].map((k) => ids[triangles[t + k]!]!);
      if (new Set(abc).size < 3) found.push(`${mesh.getName()}: triangle ${t / 3} has no area`);
      abc.forEach((a, k) => {
        const b = abc[(k + 1) % 3]!;
        const [key, way] = a < b ? [`${a} ${b}`, 1] : [`${b} ${a}`, 1000];
        edges.set(key, (edges.get(key) ?? 0) + way);
      });
    }
  }
  for (const [edge, count] of edges)
    if (count !== 1001) found.push(`${mesh.getName()}: edge ${edge} is walked ${count % 1000} + ${Math.floor(count / 1000)} times`);
  return found;
}

/** Six times the enclosed volume: positive when the mesh faces outwards. */
function volume(mesh: Mesh): number {
  let sum = 0;
  for (const primitive of mesh.listPrimitives()) {
    const positions = primitive.getAttribute('POSITION')!;
    const triangles = primitive.getIndices()!.getArray()!;
    for (let t = 0; t < triangles.length; t += 3) {
      const [a, b, c] = [0, 1, 2].map((k) => positions.getElement(triangles[t + k]!, [0, 0, 0])) as [number[], number[], number[]];
      sum += a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) + a[1]! * (b[2]! * c[0]! - b[0]! * c[2]!) + a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!);
    }
  }
  return sum;
}

describe.each(index)('$name', ({ file, bytes, title, camera, animationSeconds, picture, width, height }) => {
  it('has a picture in the shape of its first order, neither black nor burnt out', async () => {
    const image = decode(await readFile(join(shipped, picture)));
    expect(image.width * height).toBe(image.height * width);
    const mean = Array.from(image.data).reduce((sum, v) => sum + v, 0) / image.data.length;
    expect(mean).toBeGreaterThan(20);
    expect(mean).toBeLessThan(180);
  });

  it('has the size and the camera that the index claims, and its title', async () => {
    const doc = await open(file);
    const raw = await readFile(join(shipped, file));
    expect(raw.length).toBe(bytes);
    expect(bytes).toBeLessThan(1.5e6);
    expect(doc.getRoot().listCameras().length).toBeGreaterThan(camera);
    expect(doc.getRoot().getDefaultScene()!.getName()).toBe(title);
    const ends = doc
      .getRoot()
      .listAnimations()
      .flatMap((a) => a.listSamplers().map((s) => Math.max(...s.getInput()!.getArray()!)));
    expect(Math.max(0, ...ends)).toBe(animationSeconds);
  });

  it('is closed, faces outwards and has no triangle without area', async () => {
    const meshes = (await open(file)).getRoot().listMeshes();
    expect(meshes.flatMap(defects).slice(0, 5)).toEqual([]);
    expect(meshes.filter((m) => volume(m) <= 0).map((m) => m.getName())).toEqual([]);
  });

  it('has unit normals, and 10,000 to 80,000 triangles', async () => {
    const root = (await open(file)).getRoot();
    let triangles = 0;
    for (const node of root.listNodes()) {
      for (const primitive of node.getMesh()?.listPrimitives() ?? []) triangles += primitive.getIndices()!.getCount() / 3;
    }
    expect(triangles).toBeGreaterThan(10_000);
    expect(triangles).toBeLessThan(80_000);
    for (const mesh of root.listMeshes()) {
      for (const primitive of mesh.listPrimitives()) {
        const normals = primitive.getAttribute('NORMAL')!.getArray()!;
        for (let i = 0; i < normals.length; i += 3) {
          const length = Math.hypot(normals[i]!, normals[i + 1]!, normals[i + 2]!);
          if (Math.abs(length - 1) > 1e-4) throw new Error(`${mesh.getName()}: normal ${i / 3} has length ${length}`);
        }
      }
    }
  });

  it('carries no picture wider than 1,024 texels and at least one light made of geometry', async () => {
    const root = (await open(file)).getRoot();
    for (const texture of root.listTextures()) expect(Math.max(...texture.getSize()!)).toBeLessThanOrEqual(1024);
    const lit = root
      .listMaterials()
      .filter((m) => Math.max(...m.getEmissiveFactor()) > 0 && m.getExtension('KHR_materials_emissive_strength'));
    expect(lit.length).toBeGreaterThan(0);
  });
});
