// Bind group 0: the compiled scene and the frame, shared by every pass that traces. Binding 1 is the tree
// and is declared by scene/tree, the module of whichever tree a program walks (shaders/index.ts).
//#import layout

@group(0) @binding(0) var<uniform> frame: Frame;
@group(0) @binding(2) var<storage, read> triangles: array<Triangle>;
@group(0) @binding(3) var<storage, read> corners: array<TriangleCorners>;
// Vertex rows as words, with VERTEX_EXTRAS each followed by its VertexExtra: read through scene/vertex.
@group(0) @binding(4) var<storage, read> vertices: array<vec4u>;
@group(0) @binding(5) var<storage, read> materials: array<Material>;
@group(0) @binding(6) var<storage, read> texture_uses: array<TextureUse>;
@group(0) @binding(7) var<storage, read> lights: array<Light>;
@group(0) @binding(8) var texels: texture_2d_array<u32>;
// Environment: rgb radiance, w = probability density over the unit square that the alias table implies.
@group(0) @binding(9) var env_texels: texture_2d<f32>;
@group(0) @binding(10) var env_alias: texture_2d<u32>;
// The light tree: LightNode rows of LIGHT_NODE_TEXELS texels, LIGHT_NODES_PER_ROW rows of the struct to a row of texels.
@group(0) @binding(11) var light_nodes: texture_2d<u32>;
// Photometric profiles of EXT_lights_ies, one texel after the other, PROFILE_ROW texels to a row.
@group(0) @binding(12) var profiles: texture_2d<f32>;
// Directional albedos, the same for every scene (shaders/bsdf/tables.ts).
@group(0) @binding(13) var albedo_tables: texture_2d_array<f32>;
