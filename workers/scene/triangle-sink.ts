/** Collects placed primitives; sized once, from the counts in the file. */
import { TRIANGLE_MIRRORED } from '#shaders/layout.ts';
import { SceneError } from './compiled-scene.ts';
import type { Geometry, PlacedGroup } from './geometry.ts';
import type { SharingPlan } from './instances.ts';
import { placeVertices, type Placement } from './placement.ts';
import type { PrimitiveData } from './primitive.ts';
import { VertexSink } from './vertex-sink.ts';

export class TriangleSink {
  readonly #triangles: Float32Array<ArrayBuffer>;
  readonly #corners: Uint32Array<ArrayBuffer>;
  readonly #ids: Uint32Array<ArrayBuffer>;
  readonly #materials: Uint32Array<ArrayBuffer>;
  readonly #vertices = new VertexSink();
  readonly #capacity: number;
  readonly #placedCount: number;
  readonly #ends: number[] = [];
  readonly #instances: PlacedGroup[] = [];
  #kept = 0;
  #seen = 0;
  #id = 0;

  constructor({ stored, placed }: SharingPlan) {
    const capacity = stored;
    this.#capacity = capacity;
    this.#placedCount = placed;
    this.#triangles = new Float32Array(capacity * 9);
    this.#corners = new Uint32Array(capacity * 3);
    this.#ids = new Uint32Array(capacity);
    this.#materials = new Uint32Array(capacity);
  }

  /** Of the next triangle. */
  get nextId(): number {
    return this.#id;
  }

  /** Leaves ids to triangles that are stored elsewhere. */
  passOver(triangles: number): void {
    this.#id += triangles;
  }

  place(instance: PlacedGroup): void {
    this.#instances.push(instance);
  }

  /** The triangles of a group count from 0. */
  startGroup(): void {
    this.#id = 0;
  }

  /** Of the world first, then of each group. */
  endGroup(): void {
    this.#ends.push(this.#kept);
  }

  add(data: PrimitiveData, placement: Placement, material: number): void {
    const placed = placeVertices(data, placement);
    const rows = this.#vertices.add(placed);
    const p = placed.positions;
    for (let t = 0; t < placed.corners.length && this.#seen < this.#capacity; t += 3) {
      this.#seen++;
      const id = this.#id++;
      const [a, b, c] = [placed.corners[t] as number, placed.corners[t + 1] as number, placed.corners[t + 2] as number];
      if (!this.#writeCorners(p, a * 3, b * 3, c * 3)) continue;
      const at = this.#kept++;
      this.#corners.set([rows[a] as number, rows[b] as number, rows[c] as number], at * 3);
      this.#ids[at] = id;
      this.#materials[at] = placed.mirrored[a] ? (material | TRIANGLE_MIRRORED) >>> 0 : material;
    }
  }

  /** @returns false for a triangle without area, whose slot the next one takes. */
  #writeCorners(p: Float32Array, a: number, b: number, c: number): boolean {
    const out = this.#triangles;
    const at = this.#kept * 9;
    for (let axis = 0; axis < 3; axis++) {
      out[at + axis] = p[a + axis] as number;
      out[at + 3 + axis] = p[b + axis] as number;
      out[at + 6 + axis] = p[c + axis] as number;
    }
    const e = (corner: number, axis: number): number => (out[at + corner * 3 + axis] as number) - (out[at + axis] as number);
    const x = e(1, 1) * e(2, 2) - e(1, 2) * e(2, 1);
    const y = e(1, 2) * e(2, 0) - e(1, 0) * e(2, 2);
    const z = e(1, 0) * e(2, 1) - e(1, 1) * e(2, 0);
    return x !== 0 || y !== 0 || z !== 0;
  }

  finish(): Geometry {
    if (this.#kept === 0) throw new SceneError('All triangles of the scene have no area; export it at a larger scale.');
    const n = this.#kept;
    return {
      placedCount: this.#placedCount,
      ends: this.#ends,
      instances: this.#instances.filter(({ group }) => this.#ends[group] !== this.#ends[group + 1]),
      positions: this.#triangles.slice(0, n * 9),
      corners: this.#corners.slice(0, n * 3),
      primitiveIds: this.#ids.slice(0, n),
      materials: this.#materials.slice(0, n),
      ...this.#vertices.finish(),
      dropped: this.#seen - n,
    };
  }
}
