/**
 * Layouts of everything a kernel and TypeScript share: the number lives here once. A test
 * reflects the linked shader against it (shaders/struct.ts).
 */

import { defineStruct } from './struct.ts';

export * from './layout-lights.ts';

/** An inner node of the binary BVH: bounds of both children, so that one load decides both. */
export const BvhNode = defineStruct('BvhNode', {
  left_min: ['vec3f', 'bounds of the left child, world units'],
  left_ref: ['u32', 'left child: node index, or first triangle when left_count > 0'],
  left_max: ['vec3f', ''],
  left_count: ['u32', 'triangles of the left child when it is a leaf, else 0'],
  right_min: ['vec3f', 'bounds of the right child'],
  right_ref: ['u32', 'right child, as left_ref'],
  right_max: ['vec3f', ''],
  right_count: ['u32', 'as left_count; a node with an empty right child has right_min > right_max'],
});

/**
 * A placed mesh that is traced in its own space. Lies in the array of BvhNode, whose size and field
 * types it shares, so that no binding is spent on it.
 */
export const Instance = defineStruct('Instance', {
  x_axis: ['vec3f', 'world to object: image of the world x axis'],
  root: ['u32', 'node index of the root of its BVH'],
  y_axis: ['vec3f', 'image of the world y axis'],
  first_primitive: ['u32', 'added to Triangle.primitive, so that ids are unique in the scene'],
  z_axis: ['vec3f', 'image of the world z axis'],
  flags: ['u32', 'INSTANCE_* bits'],
  translation: ['vec3f', 'image of the world origin'],
  pad: ['u32', 'zero'],
});
/** The placement mirrors (negative determinant): the front is where the corners run clockwise. */
export const INSTANCE_MIRRORED = 1;
/** Bit of `left_count` and `right_count`: the child is the one Instance at that index of the node array. */
export const NODE_INSTANCE = 0x80000000;

/**
 * A node of the wide tree (Ylitie, Karras and Laine, "Efficient Incoherent Ray Traversal on GPUs Through
 * Compressed Wide BVHs", HPG 2017, section 3): up to 8 children whose boxes stand on a grid of 255 steps
 * around them all. Inner children and instances follow one another in the array from `child_base`, in the
 * order of their slots; triangles of leaf children follow one another from `triangle_base`.
 */
export const WideNode = defineStruct('WideNode', {
  origin: ['vec3f', 'least corner of all children'],
  grid: ['u32', 'biased exponents of the width of a step along x, y, z, a byte each; top byte: bit per slot whose child has a row'],
  child_base: ['u32', 'row of the first inner child'],
  triangle_base: ['u32', 'first triangle of the leaf children'],
  meta_low: [
    'u32',
    'a byte for each of slots 0 to 3: 0 empty; 0x20 | 24 + slot: it has a row; else ones in the top three bits per triangle, and how far after triangle_base',
  ],
  meta_high: ['u32', 'of slots 4 to 7'],
  low_x: ['vec2u', 'least x of the children, in steps, a byte per slot'],
  low_y: ['vec2u', ''],
  low_z: ['vec2u', ''],
  high_x: ['vec2u', 'largest x'],
  high_y: ['vec2u', ''],
  high_z: ['vec2u', ''],
});

/** Instance in the array of WideNode, told apart by a `grid` of 0. */
export const WideInstance = defineStruct('WideInstance', {
  x_axis: ['vec3f', 'as Instance'],
  grid: ['u32', 'zero'],
  root: ['u32', 'row of the root of its tree'],
  first_primitive: ['u32', 'as Instance'],
  flags: ['u32', 'INSTANCE_* bits'],
  pad: ['u32', 'zero'],
  y_axis: ['vec3f', ''],
  z_x: ['f32', 'z_axis, word by word'],
  z_y: ['f32', ''],
  z_z: ['f32', ''],
  translation_x: ['f32', 'image of the world origin'],
  translation_y: ['f32', ''],
  translation_z: ['f32', ''],
  pad0: ['u32', 'zero'],
  pad1: ['u32', 'zero'],
  pad2: ['u32', 'zero'],
});
/** Triangles of a leaf of the wide tree; of all leaves of a node, at most 24. */
export const WIDE_LEAF_TRIANGLES = 3;
/** Where both are read from textures (shaders/scene/tree-wide-texels.wgsl): rows of theirs in a row of texels, and texels of each. */
export const NODES_PER_ROW = 1024;
export const NODE_TEXELS = 5;
export const TRIANGLES_PER_ROW = 2048;
export const TRIANGLE_TEXELS = 3;

/** Triangles in BVH leaf order: in world space, or in the space of the instances that share them. */
export const Triangle = defineStruct('Triangle', {
  v0: ['vec3f', 'first corner'],
  primitive: ['u32', 'id in file order (scene traversal, primitive, triangle); breaks ties and enters signatures'],
  v1: ['vec3f', 'second corner: exact, so that neighbours agree about their edge'],
  material: ['u32', 'index of its Material'],
  v2: ['vec3f', 'third corner'],
  light: ['u32', 'index of its Light when it emits, else NONE'],
});

/** `Triangle.material`: the index; above it TRIANGLE_MIRRORED, and on the device what the upload adds so that a leaf needs no material. */
export const TRIANGLE_MATERIAL = 0x00ffffff;
/** Back faces are not there: the material is single-sided and does not transmit. */
export const TRIANGLE_CULL = 0x80000000;
/** Rays may go straight through: the material is cut out, blended, transmissive or the boundary of a volume. */
export const TRIANGLE_SEE_THROUGH = 0x40000000;
/** Its placement mirrors: the front is where the corners run clockwise. Part of the compiled scene. */
export const TRIANGLE_MIRRORED = 0x20000000;

/** Where the two bits of its shading class begin (SHADE_CLASSES in shaders/wavefront/layout.ts). */
export const TRIANGLE_CLASS_SHIFT = 24;

/** Corner indices of a triangle into the vertex array, same order as Triangle. */
export const TriangleCorners = defineStruct('TriangleCorners', {
  a: ['u32', 'index of Vertex'],
  b: ['u32', ''],
  c: ['u32', ''],
});

/** No two are alike: triangles that see the same in a corner share it, wherever the corner lies. */
export const Vertex = defineStruct('Vertex', {
  normal: ['u32', 'world-space unit normal, octahedral, snorm 16+16 (x low)'],
  tangent: ['u32', 'world-space unit tangent, octahedral, snorm 16 (x low) + 15, top bit set: bitangent sign -1; NONE: no tangent'],
  uv0: ['vec2f', 'TEXCOORD_0'],
});

/** The rest of a vertex, in scenes of which any vertex has one. */
export const VertexExtra = defineStruct('VertexExtra', {
  uv1: ['vec2f', 'TEXCOORD_1'],
  color: ['vec2u', 'COLOR_0, linear, unorm 16+16 each: red (low) and green, blue (low) and alpha; all ones when absent'],
});

/**
 * glTF 2.0 material, factors linear. Texture fields index TextureUse, NONE when absent; a texture
 * multiplies the factor of its name. Names are those of the specification and the KHR_materials extensions.
 */
export const Material = defineStruct('Material', {
  base_color: ['vec4f', 'linear base colour factor and alpha; diffuse colour with MATERIAL_SPECULAR_GLOSSINESS'],
  emissive: ['vec3f', 'emissive factor times KHR_materials_emissive_strength, W/(sr m^2)-like units'],
  flags: ['u32', 'MATERIAL_* bits'],
  metallic: ['f32', ''],
  roughness: ['f32', 'perceptual; alpha = roughness^2'],
  ior: ['f32', 'KHR_materials_ior, 1.5 by default'],
  alpha_cutoff: ['f32', 'for MASK'],
  transmission: ['f32', 'KHR_materials_transmission factor'],
  thickness: ['f32', 'KHR_materials_volume thickness; 0: thin wall'],
  normal_scale: ['f32', ''],
  specular: ['f32', 'KHR_materials_specular factor'],
  attenuation: ['vec3f', 'absorption coefficient per world unit, -ln(attenuationColor)/attenuationDistance'],
  clearcoat: ['f32', 'KHR_materials_clearcoat factor'],
  specular_color: ['vec3f', 'KHR_materials_specular colour factor; F0 itself with MATERIAL_SPECULAR_GLOSSINESS'],
  clearcoat_roughness: ['f32', 'perceptual'],
  sheen_color: ['vec3f', 'KHR_materials_sheen colour factor, linear'],
  sheen_roughness: ['f32', 'perceptual'],
  diffuse_transmission_color: ['vec3f', 'KHR_materials_diffuse_transmission colour factor, linear'],
  diffuse_transmission: ['f32', 'KHR_materials_diffuse_transmission factor'],
  anisotropy_direction: ['vec2f', 'cosine and sine of KHR_materials_anisotropy rotation'],
  anisotropy: ['f32', 'KHR_materials_anisotropy strength'],
  dispersion: ['f32', 'KHR_materials_dispersion: 20 / Abbe number'],
  iridescence: ['f32', 'KHR_materials_iridescence factor'],
  iridescence_ior: ['f32', ''],
  iridescence_thickness_min: ['f32', 'nanometres, where the texture reads 0'],
  iridescence_thickness_max: ['f32', 'nanometres, where the texture reads 1, and without one'],
  clearcoat_normal_scale: ['f32', ''],
  priority: ['u32', 'of nested dielectrics: inside two volumes at once the higher one is there'],
  base_color_texture: ['u32', 'sRGB; A alpha'],
  metal_rough_texture: ['u32', 'G roughness, B metallic'],
  normal_texture: ['u32', 'tangent space'],
  emissive_texture: ['u32', 'sRGB'],
  transmission_texture: ['u32', 'R'],
  specular_texture: ['u32', 'A; the glossiness with MATERIAL_SPECULAR_GLOSSINESS'],
  specular_color_texture: ['u32', 'sRGB'],
  clearcoat_texture: ['u32', 'R'],
  clearcoat_roughness_texture: ['u32', 'G'],
  clearcoat_normal_texture: ['u32', 'tangent space'],
  sheen_color_texture: ['u32', 'sRGB'],
  sheen_roughness_texture: ['u32', 'A'],
  anisotropy_texture: ['u32', 'RG direction in [-1, 1], B strength'],
  iridescence_texture: ['u32', 'R'],
  iridescence_thickness_texture: ['u32', 'G'],
  diffuse_transmission_texture: ['u32', 'A'],
  diffuse_transmission_color_texture: ['u32', 'sRGB'],
});

export const MATERIAL_DOUBLE_SIDED = 1;
export const MATERIAL_UNLIT = 2;
export const MATERIAL_ALPHA_MASK = 4;
export const MATERIAL_ALPHA_BLEND = 8;
/** KHR_materials_pbrSpecularGlossiness: F0 and diffuse colour are given, nothing is metal. */
export const MATERIAL_SPECULAR_GLOSSINESS = 16;

/** How one material slot samples one image. */
export const TextureUse = defineStruct('TextureUse', {
  origin: ['vec2u', 'top left texel inside the layer'],
  size: ['vec2u', 'texels'],
  layer: ['u32', 'layer of the texel array'],
  flags: ['u32', 'bits 0-1 wrap S, 2-3 wrap T (WRAP_*), bit 4 nearest, bit 5 TEXCOORD_1, bit 6 sRGB'],
  pad0: ['u32', 'zero'],
  pad1: ['u32', 'zero'],
  transform_u: ['vec4f', "KHR_texture_transform, row for u: u' = x*u + y*v + z"],
  transform_v: ['vec4f', 'row for v'],
});
export const WRAP_REPEAT = 0;
export const WRAP_CLAMP = 1;
export const WRAP_MIRROR = 2;
export const TEXTURE_NEAREST = 16;
export const TEXTURE_UV1 = 32;
export const TEXTURE_SRGB = 64;

/** What one dispatch of the tracer reads besides the scene: camera, rectangle, samples, its range of paths. */
export const Frame = defineStruct('Frame', {
  eye: ['vec3f', 'camera position'],
  width: ['u32', 'of the whole frame, pixels'],
  right: ['vec3f', 'camera x axis times half the width of the image plane at distance 1'],
  height: ['u32', 'of the whole frame, pixels'],
  up: ['vec3f', 'camera y axis times half the height of the image plane at distance 1'],
  seed: ['u32', 'of the job'],
  forward: ['vec3f', 'unit viewing direction'],
  bounces: ['u32', 'of the job'],
  rect_x: ['u32', 'left pixel of the rectangle'],
  rect_y: ['u32', 'top pixel'],
  rect_width: ['u32', 'pixels'],
  first_sample: ['u32', 'of the pass'],
  samples_log2: ['u32', 'samples of the pass are a power of two'],
  first_pixel: ['u32', 'of this dispatch, row order inside the rectangle'],
  pixels: ['u32', 'of this dispatch'],
  lights: ['u32', 'rows of the light table'],
  env_width: ['u32', 'texels'],
  env_height: ['u32', 'texels'],
  env_pick: ['f32', 'probability that the environment is picked as light; 0 when black'],
  flags: ['u32', 'FRAME_* bits'],
  lens_radius: ['f32', 'of the thin lens, world units; 0: pinhole'],
  focus_distance: ['f32', 'along `forward` to the plane in focus, world units'],
  tree_lights: ['u32', 'rows of the light table that the light tree holds; distant lights follow'],
  tree_share: ['f32', 'probability that the light tree is asked for a light'],
  media: ['vec4u', 'volumes that the camera stands in, as x and y of Media (transport/media.wgsl); z and w zero'],
});
/** Rays leave the camera in parallel: `right` and `up` are half the width and height of the view in world units. */
export const FRAME_ORTHOGRAPHIC = 1;
/** A path that leaves the camera and meets no surface brings no light. */
export const FRAME_TRANSPARENT = 2;

/** What one path leaves behind. With COUNT, `albedo`, `normal`, `object` and `depth` carry node visits, triangle tests, shading calls and texel reads instead. */
export const PathSlot = defineStruct('PathSlot', {
  light: ['vec3f', 'radiance estimate'],
  tally: ['u32', 'segments << 16 | signature; segments 0xffff: the path met the node cap or a full stack'],
  depth: ['f32', 'distance from the camera ray to the first surface, world units; 0 when it saw none'],
  albedo: ['u32', 'unorm 10-10-10, r low: of the first surface that is no mirror or glass'],
  normal: ['u32', "three snorm fields of 10 bits, two's complement from -511 to 511, x low: shading normal of that surface, world space"],
  object: ['u32', 'id of the first surface seen; NONE: the path saw none, and depth, albedo and normal are zero'],
});
export const TALLY_FAULT = 0xffff;

/**
 * A pixel of a film: sums over the samples of one pass, of at most 64. The one layout of films for
 * kernels, TypeScript, hashes, files and the wire. Integers sum exactly; f32 as the balanced binary
 * tree over the aligned block (shaders/reduce.wgsl), so that no cut of a job changes a bit.
 */
export const FilmPixel = defineStruct('FilmPixel', {
  light: ['vec3f', 'radiance'],
  segments: ['u32', 'rays traced; NONE: a path met the node cap or a full stack'],
  albedo_rg: ['u32', 'two u16, r low: sums of the 10-bit values'],
  albedo_b: ['u32', 'sum of the 10-bit values'],
  normal_xy: ['u32', 'two i16, x low: sums of the 10-bit values'],
  normal_z: ['u32', 'i16 low: sum of the 10-bit values; u16 high: coverage, paths that saw a surface'],
  depth: ['f32', 'over the paths that saw a surface'],
  moment: ['f32', 'squared luminance; the luminance of a path counts up to 1e12, so that sums stay finite'],
  object: ['u32', 'of the lowest sample that saw a surface, else NONE'],
  pad: ['u32', 'zero'],
});
/** 10-bit fields of PathSlot. */
export const ALBEDO_STEPS = 1023;
export const NORMAL_STEPS = 511;

/** Paths per workgroup, and pixels per workgroup of the reduction. */
export const WORKGROUP = 64;
/** Entries of a ray's traversal stack; the builder makes no deeper trees (BVH_DEPTH_MAX), and a path that overruns it is a fault. */
export const STACK_DEPTH = 48;
/** Nodes one ray may visit. */
export const NODE_VISITS_MAX = 65536;

/** "No such index". */
export const NONE = 0xffffffff;
