/**
 * What a compiled scene takes on a device, before there is a device: all of it, and the largest
 * buffer. The same for every peer that compiled the same root, so an order can say it and a
 * coordinator can compare it with what a worker holds. It counts the binary tree, the larger of the two
 * that GPUs choose from. Processors that read triangles from texels hold them twice and the wide tree:
 * what that takes is known only where the tree is built, and said where such a device refuses.
 */
import type { DeviceRoom } from '#lib/gpu/engine.ts';
import type { Tree } from '#shaders/index.ts';
import {
  Light,
  LIGHT_NODES_PER_ROW,
  LightNode,
  NODES_PER_ROW,
  PROFILE_ROW,
  TextureUse,
  Triangle,
  TRIANGLES_PER_ROW,
  WideNode,
} from '#shaders/layout.ts';
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

/** The tree that is uploaded, and the bytes of its rows. */
export interface HeldTree {
  readonly form: Tree;
  readonly byteLength: number;
}

/** @param tree as one device holds it; the compiled one, which an order counts, when left out. */
export function sceneBytes(scene: SceneSections, tree: HeldTree = { form: 'binary', byteLength: scene.nodes.byteLength }): DeviceRoom {
  const inTexels = tree.form === 'wide-texels';
  // Extras lie among the vertices.
  const vertices = { byteLength: scene.vertices.byteLength + scene.extras.byteLength };
  const sections = { ...scene, vertices, nodes: tree };
  const buffers = BUFFER_SECTIONS.filter((name) => name !== 'nodes' || !inTexels).map((name) => bufferBytes(sections[name]));
  const { side, layers } = scene.texels;
  const { width, height } = scene.environment;
  const textures = [
    side * side * layers * 4,
    width * height * (16 + 8), // radiance, and the alias table beside it
    rowBytes(scene.lightNodes, LIGHT_NODES_PER_ROW * LightNode.size),
    rowBytes(scene.profiles, PROFILE_ROW * 4),
    ...(inTexels ? [rowBytes(tree, NODES_PER_ROW * WideNode.size), rowBytes(scene.triangles, TRIANGLES_PER_ROW * Triangle.size)] : []),
  ];
  return { bytes: [...buffers, ...textures].reduce((sum, bytes) => sum + bytes, 0), bindingBytes: Math.max(...buffers) };
}

/**
 * Bytes per stored triangle of its mesh, on a device: corners, what vertices carry, and one tree. Nothing
 * that pictures, materials or lights take, which do not grow with it.
 * @param tree as it is uploaded; the compiled one when left out. In texels, the triangles lie there once more.
 */
export function bytesPerTriangle(scene: SceneSections, tree: HeldTree = { form: 'binary', byteLength: scene.nodes.byteLength }): number {
  const triangles = scene.triangles.byteLength / Triangle.size;
  const again = tree.form === 'wide-texels' ? scene.triangles.byteLength : 0;
  return (tree.byteLength + again + MESH_SECTIONS.reduce((sum, name) => sum + scene[name].byteLength, 0)) / Math.max(triangles, 1);
}
