/** Whether a moment of an animation is ordered or a range of its frames. What is typed is cut to what an order may say. */
import { frameCount, type FrameRange } from '../job/frames.ts';
import { SEQUENCE_FPS_MAX, SEQUENCE_FPS_MIN, SEQUENCE_FRAME_MAX, SEQUENCE_FRAMES_PAGE_MAX } from '../protocol/limits.ts';

/** A look at what moves, before hours are ordered. */
const BEGIN_SECONDS = 2;

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

export class Motion {
  wanted = $state(false);
  first = $state(0);
  last = $state(0);
  fps = $state(24);
  /** Of the animation; 0 when nothing moves. */
  seconds = $state(0);
  readonly range: FrameRange | null = $derived(
    this.wanted && this.seconds > 0 ? { first: this.first, last: this.last, fps: this.fps } : null,
  );
  readonly frames = $derived(this.range ? frameCount(this.range) : 1);
  /** The last frame before the animation begins again. */
  readonly end = $derived(Math.min(SEQUENCE_FRAMES_PAGE_MAX, Math.max(1, Math.round(this.seconds * this.fps))) - 1);

  /** Another scene lies on the desk. */
  begin(seconds: number): void {
    this.seconds = seconds;
    this.wanted = false;
    this.first = 0;
    this.last = Math.min(this.end, Math.round(BEGIN_SECONDS * this.fps) - 1);
  }

  from(frame: number): void {
    if (Number.isNaN(frame)) return;
    this.first = clamp(Math.round(frame), 0, SEQUENCE_FRAME_MAX);
    this.to(this.last);
  }

  to(frame: number): void {
    if (Number.isNaN(frame)) return;
    this.last = clamp(Math.round(frame), this.first, Math.min(SEQUENCE_FRAME_MAX, this.first + SEQUENCE_FRAMES_PAGE_MAX - 1));
  }

  at(fps: number): void {
    if (!Number.isNaN(fps)) this.fps = clamp(fps, SEQUENCE_FPS_MIN, SEQUENCE_FPS_MAX);
  }

  /** From the first frame to the last. */
  whole(): void {
    this.first = 0;
    this.last = this.end;
  }
}
