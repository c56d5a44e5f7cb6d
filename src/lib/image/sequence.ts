/**
 * The pictures of an animation become one file: a ZIP of them, or a video. Runs in the worker that
 * writes files; a page drives it through `SequenceAside`. What can not be done is said, not thrown.
 */
import type { Bytes } from './bytes.ts';
import { develop, fileName, type DevelopChoices, type Picture } from './develop.ts';
import { VideoFile, type VideoKind } from './video.ts';
import { videoFrame } from './video-frame.ts';
import { PictureZip } from './zip.ts';

export interface SequenceChoices {
  readonly kind: 'zip' | VideoKind;
  /** Frames a second, of video. */
  readonly fps: number;
  /** How each picture is developed; video takes only its state and tone. */
  readonly frame: DevelopChoices;
}

export interface SequenceFile {
  readonly blob: Blob;
  readonly name: string;
}

/** Null when all is well, else a sentence. */
type Trouble = string | null;

const TYPES = { zip: 'application/zip', mp4: 'video/mp4', webm: 'video/webm' } as const;
const DIGITS = 4;

export class Sequence {
  readonly #choices: SequenceChoices;
  readonly #pieces: Bytes[] = [];
  readonly #zip = new PictureZip((piece) => this.#pieces.push(piece));
  #video: VideoFile | null = null;

  constructor(choices: SequenceChoices) {
    this.#choices = choices;
  }

  /** In the order of the video; @param frame numbers a picture in a ZIP. @param notes of this picture alone, in place of those of all. */
  async add(picture: Picture, frame: number, notes = this.#choices.frame.notes): Promise<Trouble> {
    const { kind, frame: choices } = this.#choices;
    if (kind !== 'zip') return this.#addToVideo(picture, kind);
    const file = await develop(picture, { ...choices, notes });
    const numbered = file.name.replace(/(\.[a-z]+)$/, `-${String(frame).padStart(DIGITS, '0')}$1`);
    return this.#zip.add(numbered, file.bytes) ? null : 'The ZIP would grow beyond 4 GB; take fewer frames or a smaller format.';
  }

  async #addToVideo(picture: Picture, kind: VideoKind): Promise<Trouble> {
    const { fps, frame } = this.#choices;
    const shown = frame.state === 'denoised' ? picture.denoised : picture.light;
    if (!shown) throw new RangeError('the picture is not denoised');
    const bytes = videoFrame(shown, picture.width, picture.height, frame.tone);
    this.#video ??= await VideoFile.open(kind, bytes.width, bytes.height, fps);
    if (!this.#video)
      return `This browser can't encode a video of ${bytes.width} × ${bytes.height} px for ${kind}; take the ZIP of pictures.`;
    await this.#video.add(bytes);
    return null;
  }

  /** After at least one picture. */
  async finish(): Promise<SequenceFile> {
    const { kind, frame } = this.#choices;
    if (kind === 'zip') this.#zip.end();
    else if (this.#video) this.#pieces.push(await this.#video.finish());
    return { blob: new Blob(this.#pieces, { type: TYPES[kind] }), name: fileName(frame.title, kind) };
  }
}
