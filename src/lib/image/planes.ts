/**
 * A picture on its way to a worker: its planes are copied piece by piece with pauses between, so that
 * no single copy holds the page up, and put together on the other side.
 */
import type { Picture } from './develop.ts';

type Plane = Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Everything of a picture but its values: where one was, its name and length stand in `planes`. */
export interface PictureHead {
  readonly width: number;
  readonly height: number;
  readonly samples: number;
  readonly planes: readonly PlaneHead[];
}

interface PlaneHead {
  readonly name: string;
  readonly length: number;
  readonly whole: boolean;
}

export interface Piece {
  readonly plane: number;
  readonly offset: number;
  readonly values: Plane;
}

/** 8 MB. */
const PIECE_VALUES = 2 * 1024 * 1024;

function planesOf({ light, denoised, coverage, samples, auxiliary }: Picture): [string, Plane][] {
  const named: Record<string, Plane | number | null> = { light, denoised, coverage, samples, ...auxiliary };
  return Object.entries(named).filter(
    (entry): entry is [string, Plane] => entry[1] instanceof Float32Array || entry[1] instanceof Uint32Array,
  );
}

/** The head, and copies of all values, one piece at a time. */
export function takeApart(picture: Picture): { readonly head: PictureHead; readonly pieces: Iterable<Piece> } {
  const { width, height, samples } = picture;
  const planes = planesOf(picture);
  const heads = planes.map(([name, values]) => ({ name, length: values.length, whole: values instanceof Uint32Array }));
  function* pieces(): Generator<Piece> {
    for (const [plane, [, values]] of planes.entries())
      for (let offset = 0; offset < values.length; offset += PIECE_VALUES)
        yield { plane, offset, values: values.slice(offset, offset + PIECE_VALUES) };
  }
  return { head: { width, height, samples: typeof samples === 'number' ? samples : 0, planes: heads }, pieces: pieces() };
}

/** A picture that fills up piece by piece. */
export class Assembly {
  readonly #head: PictureHead;
  readonly #planes: readonly Plane[];

  constructor(head: PictureHead) {
    this.#head = head;
    this.#planes = head.planes.map(({ length, whole }) => (whole ? new Uint32Array(length) : new Float32Array(length)));
  }

  add({ plane, offset, values }: Piece): void {
    this.#planes[plane]!.set(values, offset);
  }

  /** What was taken apart, once every piece is in. */
  picture(): Picture {
    const { width, height, samples, planes } = this.#head;
    const floats = (name: string): Float32Array<ArrayBuffer> | null => {
      const found = this.#planes[planes.findIndex((head) => head.name === name)];
      return found instanceof Float32Array ? found : null;
    };
    const object = this.#planes.find((values) => values instanceof Uint32Array);
    const [albedo, normal, depth, moment] = ['albedo', 'normal', 'depth', 'moment'].map(floats);
    return {
      width,
      height,
      light: floats('light') ?? new Float32Array(0),
      denoised: floats('denoised'),
      coverage: floats('coverage'),
      samples: floats('samples') ?? samples,
      auxiliary: albedo && normal && depth && moment && object ? { albedo, normal, depth, moment, object } : null,
    };
  }
}
