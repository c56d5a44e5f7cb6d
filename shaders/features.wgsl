// What a scene uses. A pipeline is built per combination, and what is false is compiled away: the
// source stays one and the same, only these constants come from the scene (workers/render/features.ts).

/// Materials cut out or blended.
override SEE_THROUGH: bool = true;
/// Meshes traced in their own space.
override INSTANCED: bool = true;
/// KHR_materials_transmission, through thin walls and volumes.
override TRANSMISSIVE: bool = true;
/// KHR_materials_volume: refraction, attenuation, nested dielectrics.
override VOLUMES: bool = true;
/// KHR_materials_dispersion.
override DISPERSIVE: bool = true;
/// KHR_materials_diffuse_transmission.
override DIFFUSE_TRANSMISSIVE: bool = true;
/// KHR_materials_clearcoat.
override COATED: bool = true;
/// KHR_materials_sheen.
override SHEEN: bool = true;
/// KHR_materials_iridescence.
override IRIDESCENT: bool = true;
/// KHR_materials_anisotropy.
override ANISOTROPIC: bool = true;
/// More than one light with a place.
override LIGHT_TREE: bool = true;
/// Triangles that emit.
override EMISSIVE: bool = true;
/// Materials with emission, whether light sampling knows their triangles or not.
override GLOWING: bool = true;
/// EXT_lights_ies.
override PHOTOMETRIC: bool = true;
/// A second set of texture coordinates, or colours of vertices.
override VERTEX_EXTRAS: bool = true;
/// Surroundings that shine.
override ENVIRONMENT: bool = true;
/// Lights that are points, spots or far away.
override PUNCTUAL: bool = true;
/// Materials read textures at all, and which of their slots.
override TEXTURED: bool = true;
override TEXTURED_BASE: bool = true;
override TEXTURED_METAL_ROUGH: bool = true;
override TEXTURED_EMISSIVE: bool = true;
override TEXTURED_NORMAL: bool = true;
/// Any slot of an extension.
override TEXTURED_EXTENSIONS: bool = true;

/// Invocations per workgroup of the kernels that trace and shade.
override GROUP: u32 = 64u;
