/**
 * Where the pictures of a sequence go: numbered files, a ZIP of them, or a video. A container
 * appears under its name only when it is whole; numbered files appear one by one and stay.
 */
import { basename, extname } from 'node:path';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { develop, type Picture } from '#lib/image/develop.ts';
import { videoFrame } from '#lib/image/video-frame.ts';
import { PictureZip } from '#lib/image/zip.ts';
import type { Bytes } from '#lib/protocol/bytes.ts';
import { CommandError } from './command.ts';
import { FfmpegVideo, requireFfmpeg } from './ffmpeg.ts';
import { framePath, VIDEO_TYPES } from './frame-options.ts';
import { choicesFor, writePicture, type OutputWishes, type Written } from './outputs.ts';

/** Calls come one at a time. All of them throw CommandError when the file can not be written. */
export interface FrameSink {
  add(picture: Picture, frame: number, wishes: OutputWishes): Promise<void>;
  /** @returns what was written. */
  finish(): Promise<readonly Written[]>;
  /** Leaves no part of a container behind. */
  abandon(): Promise<void>;
}

const isVideo = (path: string): boolean => VIDEO_TYPES.some((type) => path.endsWith(type));

/** @throws CommandError when a path needs a program that is not there. */
export function requireEncoders(paths: readonly string[]): void {
  paths.filter(isVideo).forEach(requireFfmpeg);
}

export function sinkFor(path: string, fps: number): FrameSink {
  if (isVideo(path)) return new VideoSink(path, fps);
  return path.endsWith('.zip') ? new ZipSink(path) : new FilesSink(path);
}

class FilesSink implements FrameSink {
  readonly #pattern: string;
  readonly #written: Written[] = [];

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  async add(picture: Picture, frame: number, wishes: OutputWishes): Promise<void> {
    this.#written.push(...(await writePicture(picture, { ...wishes, paths: [framePath(this.#pattern, frame)] })));
  }

  async finish(): Promise<readonly Written[]> {
    return this.#written;
  }

  async abandon(): Promise<void> {
    // Frames that are finished are worth keeping.
  }
}

/** `a.zip` holds a-0000.png and so on, `a.exr.zip` a-0000.exr, `a.pfm.zip` a-0000.pfm. */
class ZipSink implements FrameSink {
  readonly #path: string;
  readonly #part: string;
  readonly #pattern: string;
  readonly #zip = new PictureZip((piece) => this.#pieces.push(piece));
  #pieces: Bytes[] = [];
  #file: FileHandle | null = null;
  #bytes = 0;

  constructor(path: string) {
    this.#path = path;
    this.#part = `${path}.${process.pid}.part`;
    const name = basename(path, '.zip');
    const type = ['.exr', '.pfm'].find((one) => extname(name) === one) ?? '.png';
    this.#pattern = `${basename(basename(name, type), '.png')}-####${type}`;
  }

  async add(picture: Picture, frame: number, wishes: OutputWishes): Promise<void> {
    const name = framePath(this.#pattern, frame);
    const { bytes } = await develop(picture, choicesFor(name, picture, wishes));
    if (!this.#zip.add(name, bytes)) throw new CommandError(`${this.#path} would grow beyond 4 GB; write numbered files instead`);
    await this.#flush();
  }

  async finish(): Promise<readonly Written[]> {
    this.#zip.end();
    await this.#flush();
    await this.#try(async () => {
      await this.#file!.sync();
      await this.#file!.close();
      await rename(this.#part, this.#path);
    });
    return [{ path: this.#path, bytes: this.#bytes }];
  }

  async abandon(): Promise<void> {
    await this.#file?.close().catch(() => undefined);
    await rm(this.#part, { force: true });
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    await this.#try(async () => {
      this.#file ??= await open(this.#part, 'w');
      for (const piece of pieces) {
        await this.#file.writeFile(piece);
        this.#bytes += piece.length;
      }
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      throw new CommandError(`${this.#path} could not be written: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}

class VideoSink implements FrameSink {
  readonly #path: string;
  readonly #fps: number;
  #video: FfmpegVideo | null = null;

  constructor(path: string, fps: number) {
    this.#path = path;
    this.#fps = fps;
  }

  async add(picture: Picture, _frame: number, { tone }: OutputWishes): Promise<void> {
    const coded = videoFrame(picture.denoised ?? picture.light, picture.width, picture.height, tone);
    this.#video ??= new FfmpegVideo(this.#path, coded.width, coded.height, this.#fps);
    await this.#video.add(coded);
  }

  async finish(): Promise<readonly Written[]> {
    return [{ path: this.#path, bytes: (await this.#video?.finish()) ?? 0 }];
  }

  async abandon(): Promise<void> {
    await this.#video?.abandon();
  }
}
