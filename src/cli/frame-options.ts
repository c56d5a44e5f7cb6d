/** Words about sequences: which frames, how many a second, and what a path of many pictures looks like. */
import type { FrameRange } from '#lib/job/frames.ts';
import { SEQUENCE_FPS_MAX, SEQUENCE_FPS_MIN, SEQUENCE_FRAME_MAX, SEQUENCE_FRAMES_MAX } from '#lib/protocol/limits.ts';
import { readInteger, readNumber, UsageError } from './command.ts';
import { requireWritable } from './image-options.ts';

export const PICTURE_TYPES = ['.png', '.exr', '.pfm'] as const;
/** Containers of a sequence: pictures in a ZIP, and videos. */
export const ARCHIVE_TYPES = ['.zip'] as const;
export const VIDEO_TYPES = ['.mp4', '.webm'] as const;

const FPS_DEFAULT = '24';
interface FrameWords {
  readonly frames: string | undefined;
  readonly fps: string | undefined;
  readonly 'frame-time': string | undefined;
}

/** @throws UsageError */
export function readFrames({ frames, fps, ...words }: FrameWords): FrameRange | null {
  if (frames === undefined) {
    if (fps !== undefined) throw new UsageError('--fps needs --frames');
    return null;
  }
  if (words['frame-time'] !== undefined) throw new UsageError('--frames says when each picture is taken; leave out --frame-time');
  const found = /^(\d+)\.\.(\d+)$/.exec(frames);
  if (!found) throw new UsageError(`--frames must be FIRST..LAST, for example 0..47, not '${frames}'`);
  const [first, last] = [1, 2].map((i) => readInteger('frames', found[i]!, 0, SEQUENCE_FRAME_MAX)) as [number, number];
  if (last < first) throw new UsageError(`--frames ${frames}: the last comes before the first`);
  if (last - first >= SEQUENCE_FRAMES_MAX) throw new UsageError(`--frames ${frames}: at most ${SEQUENCE_FRAMES_MAX} at a time`);
  return { first, last, fps: readNumber('fps', fps ?? FPS_DEFAULT, SEQUENCE_FPS_MIN, SEQUENCE_FPS_MAX) };
}

/** @throws UsageError */
export function requireSequencePath(path: string): void {
  const container = [...ARCHIVE_TYPES, ...VIDEO_TYPES].some((type) => path.endsWith(type));
  if (!container && !path.includes('#'))
    throw new UsageError(`--out ${path}: many frames go into .zip, .mp4, .webm, or a name with # for the number, as frame-####.png`);
  requireWritable(path, container ? [...ARCHIVE_TYPES, ...VIDEO_TYPES] : PICTURE_TYPES);
}

/** `a-####.png` → `a-0007.png`; of several runs of # the last counts. */
export const framePath = (pattern: string, frame: number): string =>
  pattern.replace(/(#+)(?!.*#)/s, (marks) => String(frame).padStart(marks.length, '0'));
