/** Layout and sizes that the kernels of the edge-avoiding filter and TypeScript share. */
import { defineStruct } from '../struct.ts';

/** A strip of the picture, as wide as it is, and the band of it that one dispatch does. */
export const Strip = defineStruct('Strip', {
  width: ['u32', 'pixels'],
  height: ['u32', 'rows of the strip'],
  first_row: ['u32', 'of this dispatch'],
  end_row: ['u32', 'the one after its last'],
  step: ['u32', 'pixels between the taps of this pass'],
});

/** Pixels on either side of one whose variance is estimated together with its own. */
export const VARIANCE_REACH = 3;
/** Distance of the taps, pass after pass. */
export const STEPS = [1, 2, 4, 8, 16] as const;
/** Taps on either side. */
export const TAPS_REACH = 2;

/** Pixels that a result depends on in each direction: all passes, the variance, and the slope of depth. */
export const REACH_PX = STEPS.reduce((sum, step) => sum + step * TAPS_REACH, 0) + VARIANCE_REACH + 1;

/** Side of a workgroup. */
export const WORKGROUP_PX = 8;
