/**
 * Video in a browser: WebCodecs encodes, mediabunny puts the packets into MP4 or WebM. Knows neither
 * scenes nor tone: frames come as display bytes. Refuses to bring an encoder of its own.
 */
import {
  BufferTarget,
  getFirstEncodableVideoCodec,
  Mp4OutputFormat,
  Output,
  QUALITY_VERY_HIGH,
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
/** sRGB pixels; an encoder makes of them what it codes. */
const SRGB = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'rgb', fullRange: true } as const;

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
    const options = { width, height, frameRate: fps, quality: QUALITY_VERY_HIGH };
    const codec = typeof VideoEncoder === 'undefined' ? null : await getFirstEncodableVideoCodec([...CODECS[kind]], options);
    if (!codec) return null;
    const target = new BufferTarget();
    const format = kind === 'mp4' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat();
    const output = new Output({ format, target });
    const source = new VideoSampleSource({ codec, quality: QUALITY_VERY_HIGH, keyFrameInterval: KEY_FRAME_SECONDS });
    output.addVideoTrack(source, { frameRate: fps });
    await output.start();
    return new VideoFile(output, target, source, fps);
  }

  /** Frames follow each other; resolves when the encoder can take another. */
  async add({ rgba, width, height }: VideoFrameBytes): Promise<void> {
    const [timestamp, duration] = [this.#frames / this.#fps, 1 / this.#fps];
    this.#frames++;
    const sample = new VideoSample(new Uint8Array(rgba.buffer), {
      ...{ format: 'RGBA', codedWidth: width, codedHeight: height, timestamp, duration },
      colorSpace: SRGB,
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
