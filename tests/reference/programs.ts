/**
 * Programs of others that the long tests ask: where they are, installed from Debian where root may.
 * Refuses to go on without one: a comparison is never skipped.
 */
import { execFileSync, spawnSync } from 'node:child_process';

/** `-version` is what ffmpeg's family answers to; the others answer to anything. */
const there = (name: string): boolean => spawnSync(name, ['-version']).error === undefined;

/** @param debian the package that brings it. @throws Error when it is not there and can not be installed. */
export function requireProgram(name: string, debian: string): void {
  if (there(name)) return;
  if (process.getuid?.() === 0 && there('apt-get')) {
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', debian], { stdio: 'ignore', timeout: 1_200_000 });
    if (there(name)) return;
  }
  throw new Error(`no ${name}: install it (Debian: apt-get install ${debian})`);
}

/** What a video holds, by ffprobe, which decodes every frame to count them. */
export function probeVideo(path: string): Readonly<Record<string, string>> {
  requireProgram('ffprobe', 'ffmpeg');
  const entries = 'stream=codec_name,width,height,nb_read_frames,r_frame_rate,color_space,color_range,duration:format=duration';
  const words = ['-v', 'error', '-count_frames', '-select_streams', 'v', '-show_entries', entries, '-of', 'json', path];
  const told = JSON.parse(execFileSync('ffprobe', words, { encoding: 'utf8' })) as Probe;
  return { ...told.streams[0]!, seconds: told.format.duration };
}

interface Probe {
  readonly streams: readonly Readonly<Record<string, string>>[];
  readonly format: { readonly duration: string };
}

/** Every pixel of every frame as ffmpeg decodes it. @param format a pixel format of ffmpeg's, as rgb48be. */
export function decodeByFfmpeg(path: string, format: string): Uint8Array<ArrayBuffer> {
  requireProgram('ffmpeg', 'ffmpeg');
  const words = ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', format, '-fps_mode', 'passthrough', 'pipe:1'];
  return Uint8Array.from(execFileSync('ffmpeg', words, { maxBuffer: 1 << 30 }));
}
