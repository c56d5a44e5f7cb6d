/**
 * Video in Node through the ffmpeg that is installed: H.264 in MP4, VP9 in WebM, from the same planes
 * that a browser's encoder gets. Refuses to bring an encoder of its own, and says so before anything is traced.
 */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { rename, rm, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { VideoFrameBytes } from '#lib/image/video-frame.ts';
import { CommandError } from './command.ts';

const ENCODERS: Readonly<Record<string, { readonly name: string; readonly words: readonly string[] }>> = {
  '.mp4': { name: 'libx264', words: ['-crf', '16', '-preset', 'medium', '-movflags', '+faststart', '-f', 'mp4'] },
  '.webm': { name: 'libvpx-vp9', words: ['-crf', '24', '-b:v', '0', '-row-mt', '1', '-f', 'webm'] },
};

/** @throws CommandError when this machine has no ffmpeg that could write the path. */
export function requireFfmpeg(path: string): void {
  const { name } = ENCODERS[extname(path)]!;
  const told = spawnSync('ffmpeg', ['-hide_banner', '-encoders'], { encoding: 'utf8' });
  if (told.error || told.status !== 0)
    throw new CommandError(`${path}: videos are written by ffmpeg, which is not installed; install it, or name a .zip`);
  if (!told.stdout.includes(` ${name} `))
    throw new CommandError(`${path}: the installed ffmpeg can't encode ${name}; install one that can, or name a .zip`);
}

export class FfmpegVideo {
  readonly #path: string;
  readonly #part: string;
  readonly #process: ChildProcessByStdio<Writable, null, Readable>;
  readonly #closed: Promise<number>;
  #complaint = '';

  /** @param width and height, of every frame, are even. */
  constructor(path: string, width: number, height: number, fps: number) {
    this.#path = path;
    this.#part = `${path}.${process.pid}.part`;
    const { name, words } = ENCODERS[extname(path)]!;
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-framerate', String(fps), '-i', 'pipe:0'];
    const colours = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'iec61966-2-1', '-color_range', 'tv'];
    const all = ['-hide_banner', '-loglevel', 'error', '-y', ...colours, ...raw, '-c:v', name, ...colours, ...words, this.#part];
    this.#process = spawn('ffmpeg', all, { stdio: ['pipe', 'ignore', 'pipe'] });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint = (this.#complaint + text).slice(-500)));
    // An encoder that died is told by how it ends.
    this.#process.stdin.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      this.#process.on('error', () => resolve(-1));
      this.#process.on('close', (code) => resolve(code ?? -1));
    });
  }

  /** @throws CommandError */
  async add({ planes }: VideoFrameBytes): Promise<void> {
    const { stdin } = this.#process;
    if (!stdin.writable) await this.#fail();
    if (!stdin.write(planes)) await Promise.race([once(stdin, 'drain').catch(() => undefined), this.#closed]);
  }

  /** @returns the file's bytes. @throws CommandError */
  async finish(): Promise<number> {
    this.#process.stdin.end();
    if ((await this.#closed) !== 0) await this.#fail();
    await rename(this.#part, this.#path);
    return (await stat(this.#path)).size;
  }

  /** Leaves nothing behind. */
  async abandon(): Promise<void> {
    this.#process.kill();
    await this.#closed;
    await rm(this.#part, { force: true });
  }

  async #fail(): Promise<never> {
    await this.abandon();
    throw new CommandError(`${this.#path}: ffmpeg stopped: ${this.#complaint.trim().split('\n').at(-1) || 'it said nothing'}`);
  }
}
