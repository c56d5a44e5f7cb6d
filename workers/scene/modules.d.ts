/** Types of packages that bring none; only what the scene compiler calls. */
declare module 'draco3dgltf/draco_decoder_gltf_nodejs.js' {
  const createDecoder: (options: { readonly wasmBinary: Uint8Array }) => Promise<unknown>;
  export default createDecoder;
}
