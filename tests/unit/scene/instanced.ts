/** Scenes with repeated meshes: the same placements written as instances and as meshes of their own. */
import { Document, type Accessor, type Material } from '@gltf-transform/core';
import { EXTMeshGPUInstancing } from '@gltf-transform/extensions';
import { writeGlb, type Bytes } from './fixtures.ts';
import { randomNumbers } from './oracle.ts';

export type Matrix16 = readonly number[];

/** A bumpy closed ball of 2 · rings · segments - 2 · segments triangles around the origin, with normals and texture coordinates. */
export function ball(
  rings: number,
  segments: number,
): {
  positions: Float32Array<ArrayBuffer>;
  normals: Float32Array<ArrayBuffer>;
  uv: Float32Array<ArrayBuffer>;
  indices: Uint32Array<ArrayBuffer>;
} {
  const positions: number[] = [];
  const normals: number[] = [];
  const uv: number[] = [];
  const indices: number[] = [];
  for (let i = 0; i <= rings; i++) {
    for (let j = 0; j <= segments; j++) {
      const [theta, phi] = [(i / rings) * Math.PI, ((j % segments) / segments) * 2 * Math.PI];
      const n =
        i === 0 || i === rings
          ? [0, i === 0 ? 1 : -1, 0]
          : [Math.sin(theta) * Math.cos(phi), Math.cos(theta), Math.sin(theta) * Math.sin(phi)];
      const r = i === 0 || i === rings ? 1 : 1 + 0.1 * Math.sin(5 * theta) * Math.sin(4 * phi);
      positions.push(...n.map((x) => x * r));
      normals.push(...n);
      uv.push(j / segments, i / rings);
    }
  }
  for (let i = 0; i < rings; i++) {
    for (let j = 0; j < segments; j++) {
      const [a, b] = [i * (segments + 1) + j, (i + 1) * (segments + 1) + j];
      if (i < rings - 1) indices.push(a, b + 1, b);
      if (i > 0) indices.push(a, a + 1, b + 1);
    }
  }
  return {
    positions: Float32Array.from(positions),
    normals: Float32Array.from(normals),
    uv: Float32Array.from(uv),
    indices: Uint32Array.from(indices),
  };
}

export interface Repeated {
  readonly mesh: ReturnType<typeof ball>;
  readonly placements: readonly Matrix16[];
  readonly material?: (document: Document) => Material;
}

/** `shared`: one mesh for all nodes; else each node has a mesh of its own, which compiles flattened. */
export async function repeatedGlb({ mesh, placements, material }: Repeated, shared: boolean, floor = true): Promise<Bytes> {
  const document = new Document();
  const buffer = document.createBuffer();
  const accessor = (type: 'SCALAR' | 'VEC2' | 'VEC3', array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Accessor =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const scene = document.createScene();
  const look = material?.(document) ?? document.createMaterial('grey').setMetallicFactor(0).setBaseColorFactor([0.7, 0.5, 0.3, 1]);
  const attributes = {
    POSITION: accessor('VEC3', mesh.positions),
    NORMAL: accessor('VEC3', mesh.normals),
    TEXCOORD_0: accessor('VEC2', mesh.uv),
  };
  const indices = accessor('SCALAR', mesh.indices);
  const make = () => {
    const primitive = document.createPrimitive().setIndices(indices).setMaterial(look);
    for (const [name, one] of Object.entries(attributes)) primitive.setAttribute(name, one);
    return document.createMesh('ball').addPrimitive(primitive);
  };
  const one = make();
  placements.forEach((matrix, i) => {
    scene.addChild(
      document
        .createNode(`n${i}`)
        .setMesh(shared ? one : make())
        .setMatrix([...matrix] as Parameters<ReturnType<Document['createNode']>['setMatrix']>[0]),
    );
  });
  if (floor) {
    const plane = document.createPrimitive().setMaterial(document.createMaterial('floor').setMetallicFactor(0).setDoubleSided(true));
    plane.setAttribute('POSITION', accessor('VEC3', Float32Array.of(-20, -2, -20, 20, -2, -20, 20, -2, 20, -20, -2, 20)));
    plane.setIndices(accessor('SCALAR', Uint32Array.of(0, 2, 1, 0, 3, 2)));
    scene.addChild(document.createNode('floor').setMesh(document.createMesh('floor').addPrimitive(plane)));
  }
  return writeGlb(document);
}

/** The mesh placed by EXT_mesh_gpu_instancing at these points. */
export async function gpuInstancedGlb(mesh: ReturnType<typeof ball>, points: Float32Array<ArrayBuffer>): Promise<Bytes> {
  const document = new Document();
  const buffer = document.createBuffer();
  const accessor = (type: 'SCALAR' | 'VEC3', array: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>): Accessor =>
    document.createAccessor().setType(type).setArray(array).setBuffer(buffer);
  const primitive = document.createPrimitive().setIndices(accessor('SCALAR', mesh.indices)).setMaterial(document.createMaterial('m'));
  primitive.setAttribute('POSITION', accessor('VEC3', mesh.positions)).setAttribute('NORMAL', accessor('VEC3', mesh.normals));
  const node = document.createNode('many').setMesh(document.createMesh('ball').addPrimitive(primitive));
  const list = document.createExtension(EXTMeshGPUInstancing).createInstancedMesh().setAttribute('TRANSLATION', accessor('VEC3', points));
  node.setExtension('EXT_mesh_gpu_instancing', list);
  document.createScene().addChild(node);
  return writeGlb(document);
}

/** Random placements: rotation, uneven scale, shear, and every third one mirrored; columns as glTF has them. */
export function randomPlacements(count: number, seed: number, spread: number, size: number): Matrix16[] {
  const random = randomNumbers(seed);
  const signed = (): number => random() * 2 - 1;
  return Array.from({ length: count }, (_, i) => {
    const [yaw, pitch] = [random() * 7, signed()];
    const turn = [
      Math.cos(yaw),
      0,
      -Math.sin(yaw),
      Math.sin(yaw) * Math.sin(pitch),
      Math.cos(pitch),
      Math.cos(yaw) * Math.sin(pitch),
      Math.sin(yaw) * Math.cos(pitch),
      -Math.sin(pitch),
      Math.cos(yaw) * Math.cos(pitch),
    ];
    const scale = [size * (0.6 + random()) * (i % 3 === 2 ? -1 : 1), size * (0.6 + random()), size * (0.6 + random())];
    const c = [0, 1, 2].map((k) => [0, 1, 2].map((axis) => (turn[k * 3 + axis] as number) * (scale[k] as number)));
    // The nested node a shear comes from: the second column leans over the first.
    const lean = 0.4 * signed();
    const [x, y, z] = c as [number[], number[], number[]];
    const sheared = y.map((value, axis) => value + lean * (x[axis] as number));
    return [...x, 0, ...sheared, 0, ...z, 0, signed() * spread, signed() * spread * 0.4, signed() * spread, 1];
  });
}
