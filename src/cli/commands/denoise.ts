/** `pictor denoise`: clears a linear picture of grain, whoever rendered it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DenoiseQuality } from '#lib/gpu/engine.ts';
import { CommandError, EXIT_INTERRUPTED, EXIT_OK, parseWords, UsageError, type Command } from '../command.ts';
import { PICTURE_TYPES } from '../frame-options.ts';
import { readBits, readQuality, readTone, requireWritable, TONE_KINDS } from '../image-options.ts';
import { catchInterrupts } from '../interrupt.ts';
import { writePicture } from '../outputs.ts';
import { readPictureFile, type LinearPicture } from '../picture-file.ts';
import { progressBar } from '../progress.ts';
import { deviceText, probeOrExplain } from '../scene-files.ts';
import { ThreadEngine } from '../thread-engine.ts';

const HELP = `
Usage: pictor denoise COLOR [options]

Clears a picture of the grain of path tracing, with the networks of Open Image Denoise. COLOR and
its guides are linear: .pfm, or .exr as scanlines (stored plain, RLE, ZIP, ZIPS or PIZ).

  --out PATH            .png (tone mapped), .exr or .pfm (linear); may be given several times
  --albedo FILE         what surfaces reflect, 0 to 1: keeps textures sharp
  --normal FILE         normals, -1 to 1: keeps edges sharp; needs an albedo
                        An albedo and a normal layer of COLOR.exr itself are used unless files are named;
                        so are moment and samples, with which light that no grain explains is kept.
  --clean               the guides hold no grain (they were denoised, or rendered apart)
  --quality fast|final  default final
  --tonemap NAME        agx, neutral, aces or none, for .png; default neutral
  --exposure STOPS      for .png; default 0
  --bits 8|16           of each .png; default 8
  --overwrite           replace files that are there
  --json                one line of JSON on stdout

Examples:
  pictor denoise noisy.exr --out clean.exr
  pictor denoise color.pfm --albedo albedo.pfm --normal normal.pfm --quality fast --out clean.png
`;

const KINDS = {
  ...TONE_KINDS,
  out: 'list',
  albedo: 'string',
  normal: 'string',
  clean: 'boolean',
  quality: 'string',
  overwrite: 'boolean',
  json: 'boolean',
} as const;

interface Guides {
  readonly albedo?: Float32Array<ArrayBuffer> | undefined;
  readonly normal?: Float32Array<ArrayBuffer> | undefined;
}

type Words = ReturnType<typeof readDenoiseOptions>;

/** @throws UsageError */
export function readDenoiseOptions(args: readonly string[]) {
  const { options, positionals } = parseWords(args, KINDS, 1);
  const color = positionals[0];
  if (!color) throw new UsageError('name the picture: pictor denoise noisy.exr --out clean.exr');
  if (options.out.length === 0) throw new UsageError('--out says where the picture goes');
  const inputs = [color, options.albedo, options.normal].filter((path) => path !== undefined);
  for (const path of options.out) {
    requireWritable(path, PICTURE_TYPES);
    if (inputs.some((input) => resolve(input) === resolve(path))) throw new UsageError(`--out ${path} is what is read; name another file`);
    if (!options.overwrite && existsSync(path))
      throw new UsageError(`--out ${path} is there already; name another file or say --overwrite`);
  }
  const quality: DenoiseQuality = readQuality('quality', options.quality ?? 'final');
  const { albedo, normal, clean, json } = options;
  return { color, albedo, normal, clean, json, quality, outputs: options.out, tone: readTone(options), pngBits: readBits(options) };
}

export const denoiseCommand: Command = {
  name: 'denoise',
  summary: 'clear a picture of grain, whoever rendered it',
  help: HELP,
  run: async (args) => {
    const words = readDenoiseOptions(args);
    const interrupts = catchInterrupts();
    const picture = await readPictureFile(words.color, 'color', ['albedo', 'normal']);
    const guides = await readGuides(words, picture);
    const report = await denoise(interrupts.first, words, picture, guides);
    if (!report) {
      process.stderr.write('Interrupted; nothing was written.\n');
      return EXIT_INTERRUPTED;
    }
    if (words.json) process.stdout.write(`${JSON.stringify(report)}\n`);
    else for (const { path } of report.outputs) process.stdout.write(`${path}\n`);
    return EXIT_OK;
  },
};

/** Files that were named, else layers of the picture itself. @throws CommandError */
async function readGuides(words: Words, picture: LinearPicture): Promise<Guides> {
  const named = words.albedo !== undefined || words.normal !== undefined;
  const guide = async (role: 'albedo' | 'normal'): Promise<Float32Array<ArrayBuffer> | undefined> => {
    const path = words[role];
    if (path === undefined) return named ? undefined : picture.planes[role];
    const { width, height, planes } = await readPictureFile(path, role);
    if (width !== picture.width || height !== picture.height)
      throw new CommandError(`${path} is ${width} × ${height} px, but ${words.color} is ${picture.width} × ${picture.height}`);
    return planes[role];
  };
  const [albedo, normal] = [await guide('albedo'), await guide('normal')];
  if (words.normal !== undefined && !albedo) throw new CommandError('--normal counts only beside an albedo; give --albedo too');
  return { albedo, normal: albedo && normal };
}

async function denoise(signal: AbortSignal, words: Words, picture: LinearPicture, { albedo, normal }: Guides) {
  const { width, height, coverage, noise } = picture;
  const engine = await ThreadEngine.start();
  const device = await probeOrExplain(engine);
  const guided = albedo ? ` by albedo${normal ? ' and normal' : ''}` : '';
  if (!words.json) process.stderr.write(`${words.color}: ${width} × ${height} px, denoising${guided} on ${deviceText(device)}\n`);
  const bar = progressBar();
  const request = {
    width,
    height,
    color: picture.planes.color!,
    albedo,
    normal,
    ...noise,
    guides: words.clean ? 'clean' : 'noisy',
    quality: words.quality,
  } as const;
  const result = await engine.denoise(signal, request, (share) => bar.update(share, 'denoising'));
  bar.end();
  if (signal.aborted) return null;
  if (!result.ok) throw new CommandError(`denoising failed (${result.reason}): ${result.text}`);
  const state = { width, height, light: result.image, denoised: null, coverage, auxiliary: null, samples: 0 };
  const notes = { Software: 'Pictor', Denoised: result.models.join(', ') };
  const outputs = await writePicture(state, { paths: words.outputs, auxiliaries: [], tone: words.tone, pngBits: words.pngBits, notes });
  return { device: device.adapter.name, width, height, models: result.models, denoiseSeconds: result.seconds, outputs };
}
