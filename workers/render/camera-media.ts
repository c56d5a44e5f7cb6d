/**
 * Which volumes a camera stands in: the winding number of each volume's mesh around the eye (Jacobson,
 * Kavan and Sorkine-Hornung 2013), which a hole here and there does not upset. A path begins with the
 * list it gives, so that water absorbs from the camera on and glass in it refracts as in water. Packs
 * the list as shaders/transport/media.wgsl does. Of nested volumes of one priority the smaller counts as
 * entered last. Knows one eye: the points of a lens and of a parallel view are taken to be with it.
 */
import { BvhNode, Instance, Material, NODE_INSTANCE, Triangle, TRIANGLE_MATERIAL, TRIANGLE_MIRRORED } from '#shaders/layout.ts';
import type { CompiledScene } from '../scene/compiled-scene.ts';

type Vec3 = readonly [number, number, number];
/** Media of the kernel: four of 16 bits, material + 1, the one that is there lowest. */
export type MediaWords = readonly [number, number];

const NOWHERE: MediaWords = [0, 0];
/** Media that fit the list. */
const LIST_MAX = 4;

/** Triangles of one material in one space. */
interface Body {
  readonly material: number;
  readonly triangles: number[];
  readonly min: [number, number, number];
  readonly max: [number, number, number];
}

interface Space {
  /** Row of the node array; null: the world. */
  readonly instance: number | null;
  readonly bodies: readonly Body[];
}

const viewOf = (bytes: Uint8Array<ArrayBuffer>): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const read3 = (view: DataView, at: number): Vec3 => [
  view.getFloat32(at, true),
  view.getFloat32(at + 4, true),
  view.getFloat32(at + 8, true),
];
const sub = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vec3, b: Vec3): Vec3 => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** Signed solid angle of a triangle around the origin (Van Oosterom and Strackee 1983); positive when seen from behind. */
function solidAngle(a: Vec3, b: Vec3, c: Vec3): number {
  const [la, lb, lc] = [Math.sqrt(dot(a, a)), Math.sqrt(dot(b, b)), Math.sqrt(dot(c, c))];
  return 2 * Math.atan2(dot(a, cross(b, c)), la * lb * lc + dot(a, b) * lc + dot(b, c) * la + dot(c, a) * lb);
}

export class CameraMedia {
  readonly #scene: CompiledScene;
  readonly #volumes: ReadonlySet<number>;
  #spaces: readonly Space[] | null = null;
  #last: { readonly eye: Vec3; readonly media: MediaWords } | null = null;

  constructor(scene: CompiledScene) {
    this.#scene = scene;
    const view = viewOf(scene.materials);
    const at = Material.offsets;
    this.#volumes = new Set(
      Array.from({ length: scene.materials.byteLength / Material.size }, (_, i) => i).filter((i) => {
        const f = (offset: number): number => view.getFloat32(i * Material.size + offset, true);
        return f(at.thickness) > 0 && (f(at.transmission) > 0 || f(at.diffuse_transmission) > 0);
      }),
    );
  }

  /** Remembers its last answer: a frame is asked about once per dispatch. */
  at(eye: Vec3): MediaWords {
    if (this.#volumes.size === 0) return NOWHERE;
    if (this.#last?.eye.every((x, i) => x === eye[i])) return this.#last.media;
    this.#spaces ??= this.#gather();
    const around: { readonly material: number; readonly size: number }[] = [];
    for (const { instance, bodies } of this.#spaces) {
      const [place, scale] = instance === null ? [eye, 1] : this.#inside(instance, eye);
      for (const body of bodies) {
        const times = this.#winding(body, place);
        const extent = sub(body.max, body.min);
        for (let k = 0; k < times; k++) around.push({ material: body.material, size: dot(extent, extent) * scale });
      }
    }
    around.sort((a, b) => b.size - a.size || a.material - b.material);
    const media = this.#pack(around.map(({ material }) => material));
    this.#last = { eye: [...eye], media };
    return media;
  }

  /** How often the body surrounds a place in its own space. */
  #winding({ triangles, min, max }: Body, place: Vec3): number {
    if (place.some((x, axis) => x < min[axis]! || x > max[axis]!)) return 0;
    const view = viewOf(this.#scene.triangles);
    let sum = 0;
    for (const t of triangles) {
      const corner = (offset: number): Vec3 => sub(read3(view, t * Triangle.size + offset), place);
      const mirrored = (view.getUint32(t * Triangle.size + Triangle.offsets.material, true) & TRIANGLE_MIRRORED) !== 0;
      const angle = solidAngle(corner(Triangle.offsets.v0), corner(Triangle.offsets.v1), corner(Triangle.offsets.v2));
      sum += mirrored ? -angle : angle;
    }
    return Math.min(Math.max(Math.round(sum / (4 * Math.PI)), 0), LIST_MAX);
  }

  /** The eye in the space of an instance, and about how much larger, squared, the world is. */
  #inside(instance: number, eye: Vec3): readonly [Vec3, number] {
    const view = viewOf(this.#scene.nodes);
    const row = (offset: number): Vec3 => read3(view, instance * BvhNode.size + offset);
    const [x, y, z, t] = [Instance.offsets.x_axis, Instance.offsets.y_axis, Instance.offsets.z_axis, Instance.offsets.translation].map(
      row,
    ) as [Vec3, Vec3, Vec3, Vec3];
    const place = [0, 1, 2].map((i) => x[i]! * eye[0] + y[i]! * eye[1] + z[i]! * eye[2] + t[i]!) as unknown as Vec3;
    return [place, 3 / (dot(x, x) + dot(y, y) + dot(z, z))];
  }

  /** By falling priority, of equal ones the last first; twin of enter_medium. */
  #pack(outermostFirst: readonly number[]): MediaWords {
    const view = viewOf(this.#scene.materials);
    const priority = (material: number): number => view.getUint32(material * Material.size + Material.offsets.priority, true);
    const list: number[] = [];
    for (const material of outermostFirst) {
      const place = list.findIndex((other) => priority(other) <= priority(material));
      list.splice(place < 0 ? list.length : place, 0, material);
    }
    const word = (i: number): number => (list[i] ?? -1) + 1;
    return [(word(0) | (word(1) << 16)) >>> 0, (word(2) | (word(3) << 16)) >>> 0];
  }

  /** Every space with triangles of volumes. */
  #gather(): Space[] {
    const byRoot = new Map<number, readonly Body[]>();
    const view = viewOf(this.#scene.nodes);
    const spaces: Space[] = [];
    const bodiesBelow = (root: number): readonly Body[] => {
      const known = byRoot.get(root);
      if (known) return known;
      const { bodies, instances } = this.#bodiesBelow(root);
      byRoot.set(root, bodies);
      for (const instance of instances) {
        const own = bodiesBelow(view.getUint32(instance * BvhNode.size + Instance.offsets.root, true));
        if (own.length > 0) spaces.push({ instance, bodies: own });
      }
      return bodies;
    };
    spaces.push({ instance: null, bodies: bodiesBelow(0) });
    return spaces;
  }

  #bodiesBelow(root: number): { readonly bodies: readonly Body[]; readonly instances: readonly number[] } {
    const view = viewOf(this.#scene.nodes);
    const found = new Map<number, Body>();
    const instances: number[] = [];
    const stack = [root];
    while (stack.length > 0) {
      const row = stack.pop()! * BvhNode.size;
      for (const side of ['left', 'right'] as const) {
        const at = BvhNode.offsets;
        // An empty child has its bounds the wrong way round.
        if (view.getFloat32(row + at[`${side}_min`], true) > view.getFloat32(row + at[`${side}_max`], true)) continue;
        const [ref, count] = [view.getUint32(row + at[`${side}_ref`], true), view.getUint32(row + at[`${side}_count`], true)];
        if (count === NODE_INSTANCE) instances.push(ref);
        else if (count === 0) stack.push(ref);
        else for (let t = ref; t < ref + count; t++) this.#add(found, t);
      }
    }
    return { bodies: [...found.values()], instances };
  }

  #add(found: Map<number, Body>, triangle: number): void {
    const view = viewOf(this.#scene.triangles);
    const material = view.getUint32(triangle * Triangle.size + Triangle.offsets.material, true) & TRIANGLE_MATERIAL;
    if (!this.#volumes.has(material)) return;
    let body = found.get(material);
    if (!body)
      found.set(
        material,
        (body = { material, triangles: [], min: [Infinity, Infinity, Infinity], max: [-Infinity, -Infinity, -Infinity] }),
      );
    body.triangles.push(triangle);
    for (const offset of [Triangle.offsets.v0, Triangle.offsets.v1, Triangle.offsets.v2]) {
      read3(view, triangle * Triangle.size + offset).forEach((x, axis) => {
        body.min[axis] = Math.min(body.min[axis]!, x);
        body.max[axis] = Math.max(body.max[axis]!, x);
      });
    }
  }
}
