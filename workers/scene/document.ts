/**
 * Lets glTF-Transform decode a checked document: buffers, sparse and quantised accessors, Draco and
 * Meshopt. The library never sees a file that preflight.ts has not passed, and never fetches.
 */
/// <reference path="./modules.d.ts" />
import { type Document, GLB_BUFFER, Logger, PlatformIO, type GLTF, type JSONDocument } from '@gltf-transform/core';
import {
  EXTMeshGPUInstancing,
  EXTMeshoptCompression,
  EXTTextureWebP,
  KHRDracoMeshCompression,
  KHRLightsPunctual,
  KHRMaterialsClearcoat,
  KHRMaterialsEmissiveStrength,
  KHRMaterialsIOR,
  KHRMaterialsPBRSpecularGlossiness,
  KHRMaterialsSheen,
  KHRMaterialsSpecular,
  KHRMaterialsTransmission,
  KHRMaterialsUnlit,
  KHRMaterialsVolume,
  KHRMeshQuantization,
  KHRTextureTransform,
} from '@gltf-transform/extensions';
import { SceneError } from './compiled-scene.ts';
import type { CheckedGltf } from './preflight.ts';
import { loadWasm } from './wasm-loader.ts';

const EXTENSIONS = [
  EXTMeshGPUInstancing,
  EXTMeshoptCompression,
  EXTTextureWebP,
  KHRDracoMeshCompression,
  KHRLightsPunctual,
  KHRMaterialsClearcoat,
  KHRMaterialsEmissiveStrength,
  KHRMaterialsIOR,
  KHRMaterialsPBRSpecularGlossiness,
  KHRMaterialsSheen,
  KHRMaterialsSpecular,
  KHRMaterialsTransmission,
  KHRMaterialsUnlit,
  KHRMaterialsVolume,
  KHRMeshQuantization,
  KHRTextureTransform,
];

/** Everything comes from memory; a request for anything else is a bug of preflight.ts. */
class MemoryIO extends PlatformIO {
  protected override readURI(uri: string, type: 'view'): Promise<Uint8Array<ArrayBuffer>>;
  protected override readURI(uri: string, type: 'text'): Promise<string>;
  protected override readURI(uri: string): Promise<never> {
    return Promise.reject(new Error(`The scene asked for ${uri}, which preflight should have refused.`));
  }

  protected override resolve(_base: string, path: string): string {
    return path;
  }

  protected override dirname(): string {
    return '';
  }
}

/** @throws SceneError when a compressed mesh does not decode. */
export async function readDocument(checked: CheckedGltf): Promise<Document> {
  const { json } = checked;
  const uses = (name: string): boolean => json.extensionsUsed.includes(name) || json.extensionsRequired.includes(name);
  const io = new MemoryIO().setLogger(new Logger(Logger.Verbosity.SILENT)).registerExtensions(EXTENSIONS);
  if (uses('KHR_draco_mesh_compression')) {
    const { default: createDecoder } = await import('draco3dgltf/draco_decoder_gltf_nodejs.js');
    io.registerDependencies({ 'draco3d.decoder': await createDecoder({ wasmBinary: await loadWasm('draco') }) });
  }
  if (uses('EXT_meshopt_compression')) {
    const { MeshoptDecoder } = await import('meshoptimizer/decoder');
    await MeshoptDecoder.ready;
    io.registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
  }
  try {
    return await io.readJSON(inMemory(checked));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SceneError(`The meshes of the file cannot be decoded (${reason.slice(0, 160)}); export the file again.`);
  }
}

/** The document with every buffer and image under a name of its own. */
function inMemory({ json, buffers, resource }: CheckedGltf): JSONDocument {
  const resources: Record<string, Uint8Array<ArrayBuffer>> = {};
  const named = json.buffers.map((buffer, i) => {
    const bytes = buffers[i];
    if (buffer.uri === undefined) {
      if (bytes) resources[GLB_BUFFER] = bytes;
      return buffer;
    }
    if (bytes) resources[`__buffer${i}.bin`] = bytes;
    return { ...buffer, uri: `__buffer${i}.bin` };
  });
  const images = json.images.map((image, i) => {
    if (image.uri === undefined) return image;
    const uri = `__image${i}.bin`;
    resources[uri] = resource(image.uri, `images[${i}].uri`);
    return { ...image, uri };
  });
  // The reader trusts extensionsUsed alone, and exporters do forget to list what they require.
  const extensionsUsed = [...new Set([...json.extensionsUsed, ...json.extensionsRequired])];
  return { json: { ...json, buffers: named, images, extensionsUsed } as unknown as GLTF.IGLTF, resources };
}
