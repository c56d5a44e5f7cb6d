/** The denoiser's linked programs. Of its own, because pages that only trace need none of it. */
import { link } from '../linker.ts';
import { wgslStruct } from '../struct.ts';
import { directSource, type ConvolutionShape } from './convolution.ts';
import { gemmSource } from './gemm.ts';
import input from './input.wgsl?raw';
import { stored, type Precision } from './kernel-text.ts';
import { Convolution, Pool, Tile } from './layout.ts';
import output from './output.wgsl?raw';
import pool from './pool.wgsl?raw';
import transfer from './transfer.wgsl?raw';
import { winogradInSource, winogradOutSource, winogradProductSource } from './winograd.ts';

const structs = [Tile, Pool, Convolution].map(wgslStruct).join('\n');

/** @param entry text of a module. */
function program(entry: string, precision: Precision): string {
  const tile = `alias Stored = ${stored(precision)};\n${structs}`;
  const text = link({ 'denoise/transfer': transfer, 'denoise/tile': tile, entry }, 'entry');
  return precision === 'f16' ? `enable f16;\n${text}` : text;
}

export const inputProgram = (precision: Precision): string => program(input, precision);
export const outputProgram = (precision: Precision): string => program(output, precision);
export const poolProgram = (precision: Precision): string => program(pool, precision);
export const directProgram = (shape: ConvolutionShape, precision: Precision): string => program(directSource(shape, precision), precision);
export const gemmProgram = (precision: Precision): string => program(gemmSource(precision), precision);
export const winogradPrograms = (precision: Precision) => ({
  spread: program(winogradInSource(precision), precision),
  multiply: program(winogradProductSource(precision), precision),
  gather: program(winogradOutSource(precision), precision),
});
