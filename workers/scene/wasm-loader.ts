/**
 * Fetches the WebAssembly of the decoders: in a browser from the asset Vite emitted, in Node from
 * the package that is installed beside the running file (a bundled command line included). The
 * one place of the scene compiler that knows where it runs.
 */
import avifUrl from '@jsquash/avif/codec/dec/avif_dec.wasm?url';
import dracoUrl from 'draco3dgltf/draco_decoder_gltf.wasm?url';
import jpegUrl from '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm?url';
import basisUrl from 'three/examples/jsm/libs/basis/basis_transcoder.wasm?url';
import webpUrl from '@jsquash/webp/codec/dec/webp_dec.wasm?url';

const SOURCES = {
  avif: { file: '@jsquash/avif/codec/dec/avif_dec.wasm', url: avifUrl },
  basis: { file: 'three/examples/jsm/libs/basis/basis_transcoder.wasm', url: basisUrl },
  draco: { file: 'draco3dgltf/draco_decoder_gltf.wasm', url: dracoUrl },
  jpeg: { file: '@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm', url: jpegUrl },
  webp: { file: '@jsquash/webp/codec/dec/webp_dec.wasm', url: webpUrl },
} as const;
export type WasmName = keyof typeof SOURCES;

/** The two built-ins of Node that are used; typed here because a worker's types know no Node. */
interface NodeProcess {
  getBuiltinModule(name: 'node:fs'): { readFileSync(path: string | URL): Uint8Array<ArrayBuffer> };
  getBuiltinModule(name: 'node:module'): { createRequire(from: string): { resolve(file: string): string } };
}

/** @throws Error when the asset cannot be read, which is a fault of the installation. */
export async function loadWasm(name: WasmName): Promise<Uint8Array<ArrayBuffer>> {
  const source = SOURCES[name];
  const node = (globalThis as { readonly process?: Partial<NodeProcess> }).process;
  // Going through `process` keeps node: imports out of the browser bundle altogether.
  if (typeof node?.getBuiltinModule === 'function') {
    const { getBuiltinModule } = node as NodeProcess;
    // The embedding build has the file beside it; elsewhere it lies in its package.
    const path = source.url.startsWith('file:')
      ? new URL(source.url)
      : getBuiltinModule('node:module')
          .createRequire(import.meta.url)
          .resolve(source.file);
    return Uint8Array.from(getBuiltinModule('node:fs').readFileSync(path));
  }
  const response = await fetch(source.url);
  if (!response.ok) throw new Error(`The ${name} decoder could not be fetched (status ${response.status}).`);
  return new Uint8Array(await response.arrayBuffer());
}
