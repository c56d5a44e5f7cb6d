/** Layouts that the denoiser's kernels and TypeScript share. */
import { defineStruct } from '../struct.ts';

/** A tile of a picture: what the network sees of it, and the part that is kept. Coordinates are the tile's own. */
export const Tile = defineStruct('Tile', {
  width: ['u32', 'of what the network sees, pixels, a multiple of 16; may reach beyond the picture'],
  height: ['u32', 'as width'],
  there_width: ['u32', 'pixels that the picture has there'],
  there_height: ['u32', ''],
  keep_x: ['u32', 'left pixel of the part that is kept'],
  keep_y: ['u32', 'top pixel'],
  keep_width: ['u32', 'pixels'],
  keep_height: ['u32', ''],
  first_row: ['u32', 'of what this dispatch encodes or decodes'],
  first_block: ['u32', 'where the encoded blocks begin in their tensor'],
  scale: ['f32', 'exposure that light is multiplied with before it is encoded'],
});

/** A pooling: sizes are of the result. */
export const Pool = defineStruct('Pool', {
  width: ['u32', 'pixels'],
  height: ['u32', ''],
  from_block: ['u32', 'of the source'],
  to_block: ['u32', 'of the result'],
  first_row: ['u32', 'of this dispatch'],
});

/** A rectangle of one convolution. */
export const Convolution = defineStruct('Convolution', {
  width: ['u32', 'of the source, pixels'],
  height: ['u32', ''],
  from_block: ['u32', 'first block of four channels that is read'],
  in_blocks: ['u32', 'blocks that are read'],
  to_block: ['u32', 'first block that is written'],
  out_blocks: ['u32', 'blocks that are written'],
  first_column: ['u32', 'of this dispatch, even'],
  columns: ['u32', 'of this dispatch'],
  first_row: ['u32', 'of this dispatch'],
  rows: ['u32', 'of this dispatch'],
  enlarge: ['u32', '1: each pixel is written four times, to a tensor of twice the sides'],
  patches: ['u32', 'of 2 x 2 pixels in the rectangle, row by row (Winograd)'],
  patch_stride: ['u32', 'from one plane of patches to the next'],
});
