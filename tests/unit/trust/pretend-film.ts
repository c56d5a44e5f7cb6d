/** A film that nobody traced, with all that a checker of it promises and shows. */
import { FILM_BYTES_PER_PIXEL, type Film } from '#lib/job/film.ts';
import { leafRects, passes, tileCount, tileRect, type Rect } from '#lib/job/plan.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import type { JobOrder } from '#lib/protocol/order.ts';
import { commit, cutLeaf, type Commitment } from '#lib/trust/commitment.ts';
import { retraceHashes, retraceRoot, show, shownPlace, type Shown, type Tracer } from '#lib/trust/retrace.ts';
import { seededRandom } from '../../sim/virtual-clock.ts';

export class PretendFilm {
  readonly leaves: readonly Rect[];
  readonly commitment: Commitment;
  readonly #tile: Rect;
  readonly #film: Film;
  /** The same, as the checker's device traces it. */
  readonly #own: Film;

  /** @param differing paths of each leaf that fell another way at its worker. */
  constructor(order: JobOrder, slot: number, { seed = 5, differing = 0 }: { seed?: number; differing?: number } = {}) {
    const random = seededRandom(seed);
    const tiles = tileCount(order);
    this.#tile = tileRect(order, slot % tiles);
    this.leaves = leafRects(this.#tile);
    const { x: left, y: top, width, height } = this.#tile;
    const samples = passes(order)[Math.floor(slot / tiles)]!.count;
    const light = Uint8Array.from({ length: width * height * FILM_BYTES_PER_PIXEL }, () => random() * 256);
    const signatures = Uint16Array.from({ length: width * height * samples }, () => random() * 65_536);
    const others = signatures.slice();
    for (const leaf of this.leaves) {
      for (let path = 0; path < differing; path++) {
        const pixel = Math.floor(path / samples);
        const [x, y] = [leaf.x - left + (pixel % leaf.width), leaf.y - top + Math.floor(pixel / leaf.width)];
        others[(y * width + x) * samples + (path % samples)]! ^= 257;
      }
    }
    this.#own = { width, height, samples, light, signatures };
    this.#film = { ...this.#own, signatures: others };
    this.commitment = commit(this.#film, this.#tile);
  }

  /** What a checker of it promises. */
  promise(tracer: Tracer, drawn: readonly number[]): string {
    return retraceRoot(this.#hashes(tracer, drawn));
  }

  /** What it shows, once it was told the beacon. */
  shown(tracer: Tracer, drawn: readonly number[], beacon: string, classes: readonly number[] | null = null): Shown {
    const hashes = this.#hashes(tracer, drawn);
    const place = shownPlace(beacon, retraceRoot(hashes), drawn, classes);
    const index = drawn[place]!;
    const film = { leafHashes: this.commitment.leafHashes, index, ...cutLeaf(this.#film, this.#tile, this.leaves[index]!) };
    return show({ hashes, place, signatures: this.#signatures(index) }, film);
  }

  #hashes(tracer: Tracer, drawn: readonly number[]): Bytes[] {
    return retraceHashes(
      tracer,
      drawn.map((index) => this.#signatures(index)),
    );
  }

  #signatures(index: number): Bytes {
    return cutLeaf(this.#own, this.#tile, this.leaves[index]!).signatures;
  }
}
