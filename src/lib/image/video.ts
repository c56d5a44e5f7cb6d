/**
 * Video in a browser: WebCodecs encodes, mediabunny puts the packets into MP4 or WebM. Knows neither
 * scenes nor tone: frames come as they are coded. Refuses to bring an encoder of its own.
 */
import {
  BufferTarget,
  canEncodeVideo,
  Mp4OutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';
import type { Bytes } from './bytes.ts';
import type { VideoFrameBytes } from './video-frame.ts';

export type VideoKind = 'mp4' | 'webm';

/** Most widely played first. */
const CODECS = { mp4: ['avc', 'av1', 'vp9'], webm: ['vp9', 'av1', 'vp8'] } as const;
const KEY_FRAME_SECONDS = 2;
/** What the planes are; it goes into the file. */
const CODED = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'bt709', fullRange: false } as const;
/** By rate where an encoder takes no quantizer (most of H.264): what 1080p at 24 frames gets at 12 Mbit/s, and small pictures more. */
const BITS_PER_PIXEL = 0.25;
const BITS_PER_SECOND_MIN = 4_000_000;

export class VideoFile {
  readonly #output: Output;
  readonly #target: BufferTarget;
  readonly #source: VideoSampleSource;
  readonly #fps: number;
  #frames = 0;

  private constructor(output: Output, target: BufferTarget, source: VideoSampleSource, fps: number) {
    this.#output = output;
    this.#target = target;
    this.#source = source;
    this.#fps = fps;
  }

  /** @param width and height are even. @returns null when this browser encodes none of the container's codecs at this size. */
  static async open(kind: VideoKind, width: number, height: number, fps: number): Promise<VideoFile | null> {
    const bitrate = Math.max(BITS_PER_SECOND_MIN, Math.round(width * height * fps * BITS_PER_PIXEL));
    const qualityOf = (one: string): Quality => (one === 'avc' ? new Quality({ bitrate }) : new Quality('very-high'));
    let codec: (typeof CODECS)[VideoKind][number] | undefined;
    if (typeof VideoEncoder !== 'undefined')
      for (const one of CODECS[kind])
        if (!codec && (await canEncodeVideo(one, { width, height, frameRate: fps, quality: qualityOf(one) }))) codec = one;
    if (!codec) return null;
    const target = new BufferTarget();
    const format = kind === 'mp4' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat();
    const output = new Output({ format, target });
    const source = new VideoSampleSource({ codec, quality: qualityOf(codec), keyFrameInterval: KEY_FRAME_SECONDS });
    output.addVideoTrack(source, { frameRate: fps });
    await output.start();
    return new VideoFile(output, target, source, fps);
  }

  /** Frames follow each other; resolves when the encoder can take another. */
  async add({ planes, width, height }: VideoFrameBytes): Promise<void> {
    const [timestamp, duration] = [this.#frames / this.#fps, 1 / this.#fps];
    this.#frames++;
    const sample = new VideoSample(planes, {
      ...{ format: 'I420', codedWidth: width, codedHeight: height, timestamp, duration },
      colorSpace: CODED,
    });
    try {
      await this.#source.add(sample);
    } finally {
      sample.close();
    }
  }

  async finish(): Promise<Bytes> {
    await this.#output.finalize();
    return new Uint8Array(this.#target.buffer!);
  }
}
