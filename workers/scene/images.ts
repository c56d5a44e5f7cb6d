/** Decodes the images that materials use, once each, under the limits, and packs them into layers. */
import type { Document } from '@gltf-transform/core';
import { SCENE_TEXELS_MAX } from '#lib/protocol/limits.ts';
import { SceneError, type CompiledScene } from './compiled-scene.ts';
import { decodeImage, inspectImage, type DecodedImage } from './image-decode.ts';
import type { TextureSlot } from './materials.ts';
import { packTexels, type PlacedImage } from './texels.ts';

export interface CompiledImages {
  readonly texels: CompiledScene['texels'];
  /** By index in the file's images. */
  readonly placed: ReadonlyMap<number, PlacedImage>;
}

/** @throws SceneError naming the image that cannot be used. */
export async function compileImages(
  document: Document,
  slots: readonly TextureSlot[],
  pause: () => Promise<void>,
): Promise<CompiledImages> {
  const textures = document.getRoot().listTextures();
  const used = [...new Set(slots.map((slot) => slot.image))].sort((a, b) => a - b);
  const sources = used.map((index) => {
    const texture = textures[index];
    const name = texture?.getName();
    const label = `images[${index}]${name ? ` ("${name.slice(0, 60)}")` : ''}`;
    return { label, bytes: (texture?.getImage() ?? new Uint8Array()) as Uint8Array<ArrayBuffer> };
  });
  // What the headers claim is added up before the first image is decoded.
  let texels = 0;
  for (const { label, bytes } of sources) {
    const claim = inspectImage(bytes, label);
    texels += claim.width * claim.height;
    if (texels > SCENE_TEXELS_MAX) {
      throw new SceneError(
        `${label}: the images up to here have ${texels} texels, at most ${SCENE_TEXELS_MAX} can be used; make them smaller.`,
      );
    }
  }
  const decoded: DecodedImage[] = [];
  for (const { label, bytes } of sources) {
    await pause();
    decoded.push(await decodeImage(bytes, label));
  }
  const { texels: layers, placed } = packTexels(decoded);
  return { texels: layers, placed: new Map(used.map((index, i) => [index, placed[i] as PlacedImage])) };
}
