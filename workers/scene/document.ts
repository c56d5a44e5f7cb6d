/**
 * Lets glTF-Transform decode what of a checked document is numbers: buffers, sparse and quantised
 * accessors, Draco and Meshopt, image bytes. Materials, nodes and animations stay JSON, which other
 * modules read themselves. The library never sees a file that preflight.ts has not passed, and
 * never fetches.
 */
/// <reference path="./modules.d.ts" />
import { type Document, GLB_BUFFER, Logger, PlatformIO, type GLTF, type JSONDocument } from '@gltf-transform/core';
import { EXTMeshoptCompression, KHRDracoMeshCompression, KHRMeshQuantization } from '@gltf-transform/extensions';
import { SceneError } from './compiled-scene.ts';
import { MESHOPT_EXTENSIONS } from './extensions.ts';
import type { CheckedGltf } from './preflight.ts';
import { loadWasm } from './wasm-loader.ts';

const DRACO = 'KHR_draco_mesh_compression';
/** The name under which the library knows Meshopt. */
const MESHOPT = 'EXT_meshopt_compression';

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

/**
 * Accessors, images (as textures) and meshes in file order; nothing else of the document is there.
 *
 * @throws SceneError when a compressed mesh does not decode.
 */
export async function readDocument(checked: CheckedGltf): Promise<Document> {
  const { json } = checked;
  const names = new Set([...json.extensionsUsed, ...json.extensionsRequired]);
  const io = new MemoryIO()
    .setLogger(new Logger(Logger.Verbosity.SILENT))
    .registerExtensions([EXTMeshoptCompression, KHRDracoMeshCompression, KHRMeshQuantization]);
  // The reader trusts extensionsUsed alone, and exporters do forget to list what they require.
  const used = ['KHR_mesh_quantization'];
  if (names.has(DRACO)) {
    const { default: createDecoder } = await import('draco3dgltf/draco_decoder_gltf_nodejs.js');
    io.registerDependencies({ 'draco3d.decoder': await createDecoder({ wasmBinary: await loadWasm('draco') }) });
    used.push(DRACO);
  }
  if (MESHOPT_EXTENSIONS.some((name) => names.has(name))) {
    const { MeshoptDecoder } = await import('meshoptimizer/decoder');
    await MeshoptDecoder.ready;
    io.registerDependencies({ 'meshopt.decoder': MeshoptDecoder });
    used.push(MESHOPT);
  }
  try {
    return await io.readJSON(inMemory(checked, used));
  } catch (error) {
    if (error instanceof SceneError) throw error;
    // The decoder's own complaint may help an artist; that of the machine does not.
    const reason = error instanceof Error && error.constructor === Error ? ` (${error.message.slice(0, 160)})` : '';
    throw new SceneError(`The meshes of the file cannot be decoded${reason}; export the file again.`);
  }
}

type Extensions = Readonly<Record<string, Readonly<Record<string, unknown>>>> | undefined;

/** Only what is decoded here, with every buffer and image under a name of its own. */
function inMemory({ json, buffers, resource }: CheckedGltf, extensionsUsed: readonly string[]): JSONDocument {
  const resources: Record<string, Uint8Array<ArrayBuffer>> = {};
  const named = json.buffers.map((buffer, i) => {
    const bytes = buffers[i];
    const uri = buffer.uri === undefined ? undefined : `__buffer${i}.bin`;
    if (bytes) resources[uri ?? GLB_BUFFER] = bytes;
    return { byteLength: buffer.byteLength, ...(uri && { uri }), ...meshopt(buffer.extensions) };
  });
  const images = json.images.map((image, i) => {
    if (image.uri === undefined) return image;
    const uri = `__image${i}.bin`;
    resources[uri] = resource(image.uri, `images[${i}].uri`);
    return { ...image, uri };
  });
  const bufferViews = json.bufferViews.map((view) => ({ ...view, ...meshopt(view.extensions) }));
  const meshes = json.meshes.map(({ primitives }) => ({
    primitives: primitives.map(({ attributes, indices, mode, targets, extensions }) => {
      const draco = extensions?.[DRACO];
      return { attributes, ...(indices !== undefined && { indices }), mode, targets, extensions: draco ? { [DRACO]: draco } : {} };
    }),
  }));
  const asset = { version: '2.0' };
  const decoded = { asset, extensionsUsed, buffers: named, bufferViews, accessors: json.accessors, images, meshes };
  return { json: decoded as unknown as GLTF.IGLTF, resources };
}

/** The extension under the name the library knows, whichever of its names the file uses. */
function meshopt(extensions: Extensions): { readonly extensions: Extensions } {
  const packed = MESHOPT_EXTENSIONS.map((name) => extensions?.[name]).find((value) => value !== undefined);
  return { extensions: packed ? { [MESHOPT]: packed } : {} };
}
