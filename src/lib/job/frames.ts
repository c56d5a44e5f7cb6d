/** The frames of a sequence: which, how many a second, and at what moment of the animation each stands. */

export interface FrameRange {
  /** Both ends are rendered; frame n is at n / fps seconds. */
  readonly first: number;
  readonly last: number;
  readonly fps: number;
}

/** The file at rest is what stands at 0; a sequence starts in its animation, a moment later. */
const START_S = 1e-6;

export const frameTimeS = ({ fps }: Pick<FrameRange, 'fps'>, frame: number): number => Math.max(frame / fps, START_S);

export const frameCount = ({ first, last }: Pick<FrameRange, 'first' | 'last'>): number => last - first + 1;

/** Their numbers, in order. */
export const framesOf = (range: Pick<FrameRange, 'first' | 'last'>): number[] =>
  Array.from({ length: frameCount(range) }, (_, i) => range.first + i);
