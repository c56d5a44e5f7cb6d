/**
 * Turns PNG, JPEG, WebP, AVIF and KTX2 bytes into rgba8 texels with decoders that travel with the
 * project, so that every peer gets the same texels; the browser's own decoders differ from one
 * another and are never asked. Colour profiles, gamma chunks and EXIF orientation are ignored, as
 * glTF says. A decoder is loaded when the first image needs it.
 */
import { IMAGE_SIDE_PX_MAX } from '#lib/protocol/limits.ts';
import { SceneError } from './compiled-scene.ts';
import { claimedSize, jpegChannels, sniff, type ImageClaim, type ImageKind } from './image-kind.ts';
import { loadWasm } from './wasm-loader.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  /** rgba8, rows from the top. */
  readonly data: Bytes;
}

/**
 * Kind and size by the header alone, so that a budget can be kept before anything is decoded.
 * @throws SceneError naming `label` when the bytes are no image of a known kind or too large.
 */
export function inspectImage(bytes: Bytes, label: string): ImageClaim & { readonly kind: ImageKind } {
  const kind = sniff(bytes);
  if (!kind) {
    throw new SceneError(`${label}: the image is neither PNG, JPEG, WebP, AVIF nor KTX2; convert it to one of these and export again.`);
  }
  const claim = claimedSize(bytes, kind);
  if (!claim || claim.width < 1 || claim.height < 1)
    throw new SceneError(`${label}: the ${kind} has no readable size; replace the image and export again.`);
  const { width, height } = claim;
  if (width > IMAGE_SIDE_PX_MAX || height > IMAGE_SIDE_PX_MAX) {
    throw new SceneError(
      `${label}: the image is ${width} × ${height} px, at most ${IMAGE_SIDE_PX_MAX} px a side can be used; make it smaller.`,
    );
  }
  if (kind === 'JPEG' && jpegChannels(bytes) === 4) {
    throw new SceneError(`${label}: the JPEG has CMYK colours, which are for print; save it as RGB and export again.`);
  }
  return { kind, width, height };
}

/** @throws SceneError naming `label` when the bytes are no image of a known kind, too large or damaged. */
export async function decodeImage(bytes: Bytes, label: string): Promise<DecodedImage> {
  const { kind, width, height } = inspectImage(bytes, label);
  try {
    const image = await decode(bytes, kind, label);
    if (image?.width === width && image.height === height && image.data.length === width * height * 4) return image;
  } catch (error) {
    if (error instanceof SceneError) throw error;
    // Decoders word their complaints for programmers; the sentence below serves everybody.
  }
  throw new SceneError(`${label}: the ${kind} is damaged and cannot be decoded; replace the image and export again.`);
}

async function decode(bytes: Bytes, kind: ImageKind, label: string): Promise<DecodedImage | null> {
  if (kind === 'PNG') return (await import('./png.ts')).decodePng(bytes);
  if (kind === 'KTX2') return (await import('./ktx2.ts')).decodeKtx2(bytes, label);
  return decodeWithWasm(bytes, kind);
}

interface Codec {
  init(options: { readonly wasmBinary: Bytes; readonly print: () => void; readonly printErr: () => void }): Promise<void> | void;
  default(bytes: ArrayBuffer): Promise<ImageData | null>;
}

const CODECS = {
  JPEG: { wasm: 'jpeg', load: (): Promise<Codec> => import('@jsquash/jpeg/decode.js') },
  WebP: { wasm: 'webp', load: (): Promise<Codec> => import('@jsquash/webp/decode.js') },
  AVIF: { wasm: 'avif', load: (): Promise<Codec> => import('@jsquash/avif/decode.js') },
} as const;
const ready = new Map<keyof typeof CODECS, Promise<Codec>>();

async function start(kind: keyof typeof CODECS): Promise<Codec> {
  const { wasm, load } = CODECS[kind];
  const [wasmBinary, codec] = await Promise.all([loadWasm(wasm), load()]);
  // Decoders mutter to the console about damaged files; the user gets one sentence instead.
  await codec.init({ wasmBinary, print: () => undefined, printErr: () => undefined });
  return codec;
}

async function decodeWithWasm(bytes: Bytes, kind: keyof typeof CODECS): Promise<DecodedImage | null> {
  const pending = ready.get(kind) ?? start(kind);
  ready.set(kind, pending);
  try {
    const codec = await pending;
    const image = await codec.default(bytes.slice().buffer);
    if (!image) return null;
    const { width, height, data } = image;
    return { width, height, data: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength) };
  } catch (error) {
    // A module that failed once may be left in any state: the next image gets a fresh one.
    ready.delete(kind);
    throw error;
  }
}
