/**
 * The document at a frame time: every animated property that this renderer reads, in its place in
 * the JSON, so that cameras, lights, materials and nodes are read as if nothing moved. Node channels
 * and KHR_animation_pointer channels are the same thing under two spellings.
 *
 * At time 0 nothing is applied: the document is shown as its author saved it. glTF leaves open
 * whether a viewer plays anything; three.js, Blender's rest pose and the still renderers that this
 * one is compared with show the saved state, which no animation time could bring back. Who wants an
 * animation's first frame asks for the smallest time above 0. From there on all animations play
 * together; a property that several drive follows the first of them, so that a character with three
 * clips plays its first.
 */
import type { Document } from '@gltf-transform/core';
import { resolvePointer, type Target } from './animation/pointers.ts';
import { JsonOverlay } from './animation/json-overlay.ts';
import { sampleTrack, TrackReader } from './animation/tracks.ts';
import type { GltfJson } from './gltf-json.ts';

export interface AnimatedGltf {
  readonly json: GltfJson;
  /** End of the longest animation, seconds. */
  readonly animationSeconds: number;
  readonly warnings: readonly string[];
}

type Channel = GltfJson['animations'][number]['channels'][number];

/** Paths of a channel that names a node (glTF 2.0, section 3.11). */
const NODE_PATHS: ReadonlySet<string> = new Set(['translation', 'rotation', 'scale', 'weights']);

/** @throws SceneError when an animation is inconsistent, at any time. */
export function animateGltf(json: GltfJson, document: Document, timeS: number): AnimatedGltf {
  const tracks = new TrackReader(document.getRoot().listAccessors());
  const overlay = new JsonOverlay(json);
  const driven = new Set<string>();
  const lost: string[] = [];
  const jumping = new Set<string>();
  let animationSeconds = 0;
  json.animations.forEach((animation, a) =>
    animation.channels.forEach((channel, c) => {
      const pointer = pointerOf(channel);
      if (pointer === null) return;
      const target = resolvePointer(pointer);
      if (!target || !leadsSomewhere(overlay, target)) {
        lost.push(`"${pointer.slice(0, 100)}" (animations[${a}].channels[${c}])`);
        return;
      }
      const sampler = animation.samplers[channel.sampler] as (typeof animation.samplers)[number];
      const what = target.path[target.path.length - 1] as string;
      const where = `animations[${a}].samplers[${channel.sampler}]`;
      const track = tracks.read(sampler, target.width, what, where);
      if (track.jumps) jumping.add(where);
      animationSeconds = Math.max(animationSeconds, track.times[track.times.length - 1] ?? 0);
      if (timeS <= 0 || target.silent || driven.has(pointer)) return;
      driven.add(pointer);
      write(overlay, target, sampleTrack(track, target.kind, timeS));
    }),
  );
  const warnings: string[] = [];
  if (lost.length > 0) warnings.push(`The animation of ${firstOf(lost)} drives nothing that is rendered and was ignored.`);
  if (jumping.size > 0) warnings.push(`Keys of ${firstOf([...jumping])} have equal times, where the value jumps to that of the last.`);
  return { json: overlay.root, animationSeconds, warnings };
}

const firstOf = (list: readonly string[]): string => `${list[0]}${list.length > 1 ? ` and ${list.length - 1} more` : ''}`;

/** null: the channel has no target, which the specification allows. */
function pointerOf({ target: { node, path, extensions } }: Channel): string | null {
  if (path === 'pointer') {
    const pointer: unknown = extensions?.['KHR_animation_pointer']?.['pointer'];
    return typeof pointer === 'string' ? pointer : '';
  }
  return node === undefined || !NODE_PATHS.has(path) ? null : `/nodes/${node}/${path}`;
}

/**
 * Whether what the pointer names is in the file: elements of lists and textures must be, while
 * objects of plain values (an extension, `spot`) may be left out and then have their defaults.
 * Specular-glossiness must be there, because it would change the meaning of all the rest.
 */
function leadsSomewhere(overlay: JsonOverlay<GltfJson>, { path }: Target): boolean {
  return path.every((key, i) => {
    const listed = typeof key === 'number' && path[i - 1] !== 'weights';
    const needed = listed || String(key).endsWith('Texture') || key === 'KHR_materials_pbrSpecularGlossiness';
    return !needed || overlay.get(path.slice(0, i + 1)) !== undefined;
  });
}

function write(overlay: JsonOverlay<GltfJson>, { path, kind, width }: Target, value: readonly number[]): void {
  const [list, index, property] = path;
  if (list === 'nodes' && (property === 'translation' || property === 'rotation' || property === 'scale')) {
    // A node that moves has no matrix (section 3.11); one that has both in a file moves all the same.
    overlay.set(['nodes', index as number, 'matrix'], undefined);
  }
  if (property === 'weights' && path.length === 4) {
    writeWeight(overlay, path, value[0] as number);
    return;
  }
  overlay.set(path, kind === 'boolean' ? value[0] !== 0 : width === 1 ? value[0] : value);
}

/** One morph weight: the others of its list keep the values that the node, or else its mesh, gives them. */
function writeWeight(overlay: JsonOverlay<GltfJson>, path: readonly (string | number)[], value: number): void {
  const list = path.slice(0, 3);
  const at = path[3] as number;
  const mesh: unknown = path[0] === 'nodes' ? overlay.get(['nodes', path[1] as number, 'mesh']) : undefined;
  const given = overlay.get(list) ?? (typeof mesh === 'number' ? overlay.get(['meshes', mesh, 'weights']) : undefined);
  const weights = Array.isArray(given) ? [...(given as number[])] : [];
  if (at >= MORPH_TARGETS_MAX) return;
  while (weights.length <= at) weights.push(0);
  weights[at] = value;
  overlay.set(list, weights);
}

/** No exporter writes more; a pointer to the billionth weight must not make a list of that length. */
const MORPH_TARGETS_MAX = 65_536;
