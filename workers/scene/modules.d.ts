/** Types of packages that bring none; only what the scene compiler calls. */
declare module 'draco3dgltf/draco_decoder_gltf_nodejs.js' {
  const createDecoder: (options: { readonly wasmBinary: Uint8Array }) => Promise<unknown>;
  export default createDecoder;
}

/** A script, not a module: see ktx2.ts for how it hands itself over. */
declare module 'three/examples/jsm/libs/basis/basis_transcoder.js' {
  const factory: ((options: { readonly wasmBinary: Uint8Array }) => Promise<never>) | undefined;
  export default factory;
}
