/**
 * What a compiled scene takes on a device, before there is a device: all of it, and the largest
 * buffer. The same for every peer that compiled the same root, so an order can say it and a
 * coordinator can compare it with what a worker holds. Counts the binary tree, the larger one: a
 * device holds one tree, and which one is its own choice.
 */
import type { DeviceRoom } from '#lib/gpu/engine.ts';
import { Light, LIGHT_NODES_PER_ROW, LightNode, PROFILE_ROW, TextureUse, Triangle } from '#shaders/layout.ts';
import type { CompiledScene } from '../scene/compiled-scene.ts';

/** One storage buffer each, in the order of their bindings. */
export const BUFFER_SECTIONS = ['nodes', 'triangles', 'corners', 'vertices', 'materials', 'textures', 'lights'] as const;
/** What grows with the mesh, besides its tree. */
const MESH_SECTIONS = ['triangles', 'corners', 'vertices', 'extras'] as const;

/** An empty section still needs one element to be bound. */
export const bufferBytes = ({ byteLength }: { readonly byteLength: number }): number => Math.max(byteLength, TextureUse.size, Light.size);

/** Of a texture whose rows are filled up; one texel of at most 16 bytes stands for nothing. */
const rowBytes = (data: { byteLength: number }, row: number): number => Math.max(Math.ceil(data.byteLength / row) * row, 16);

export type SceneSections = Omit<CompiledScene, 'summary'>;

export function sceneBytes(scene: SceneSections): DeviceRoom {
  // Extras lie among the vertices.
  const vertices = { byteLength: scene.vertices.byteLength + scene.extras.byteLength };
  const buffers = BUFFER_SECTIONS.map((name) => bufferBytes(name === 'vertices' ? vertices : scene[name]));
  const { side, layers } = scene.texels;
  const { width, height } = scene.environment;
  const textures = [
    side * side * layers * 4,
    width * height * (16 + 8), // radiance, and the alias table beside it
    rowBytes(scene.lightNodes, LIGHT_NODES_PER_ROW * LightNode.size),
    rowBytes(scene.profiles, PROFILE_ROW * 4),
  ];
  return { bytes: [...buffers, ...textures].reduce((sum, bytes) => sum + bytes, 0), bindingBytes: Math.max(...buffers) };
}

/**
 * Bytes per stored triangle of its mesh, on a device: corners, what vertices carry, and one tree. Nothing
 * that pictures, materials or lights take, which do not grow with it.
 * @param tree bytes of the rows of the tree that is uploaded; the compiled one's when left out.
 */
export function bytesPerTriangle(scene: SceneSections, tree = scene.nodes.byteLength): number {
  const triangles = scene.triangles.byteLength / Triangle.size;
  return (tree + MESH_SECTIONS.reduce((sum, name) => sum + scene[name].byteLength, 0)) / Math.max(triangles, 1);
}
