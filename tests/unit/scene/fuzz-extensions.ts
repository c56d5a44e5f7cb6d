/** One file that uses every extension that is JSON alone: materials, variants, cameras, lamps and pointers. */
import { editGlb, texturedQuadGlb, type Bytes, type LooseJson } from './fixtures.ts';

const IES = `IESNA:LM-63-2002\r\n[TEST] 1\r\nTILT=NONE\r\n1 1000 1 3 2 1 2 0 0 0\r\n1 1 10\r\n0 45 90\r\n0 180\r\n100 50 0\r\n100 60 0\r\n`;

/** Every material extension on one quad, with variants, an IES lamp, a pointer animation and sparse positions. */
export async function extensionsGlb(): Promise<Bytes> {
  return editGlb(await texturedQuadGlb(), (json) => {
    const texture = {
      index: 0,
      texCoord: 0,
      extensions: { KHR_texture_transform: { offset: [0.1, 0.2], rotation: 0.3, scale: [2, 2], texCoord: 0 } },
    };
    const extensions = {
      KHR_materials_anisotropy: { anisotropyStrength: 0.6, anisotropyRotation: 1, anisotropyTexture: texture },
      KHR_materials_clearcoat: {
        clearcoatFactor: 0.5,
        clearcoatRoughnessFactor: 0.2,
        clearcoatTexture: texture,
        clearcoatNormalTexture: texture,
      },
      KHR_materials_diffuse_transmission: {
        diffuseTransmissionFactor: 0.3,
        diffuseTransmissionColorFactor: [1, 0.5, 0.2],
        diffuseTransmissionTexture: texture,
      },
      KHR_materials_dispersion: { dispersion: 0.4 },
      KHR_materials_emissive_strength: { emissiveStrength: 4 },
      KHR_materials_ior: { ior: 1.4 },
      KHR_materials_iridescence: {
        iridescenceFactor: 1,
        iridescenceIor: 1.3,
        iridescenceThicknessMinimum: 100,
        iridescenceThicknessMaximum: 400,
        iridescenceTexture: texture,
        iridescenceThicknessTexture: texture,
      },
      KHR_materials_sheen: { sheenColorFactor: [0.1, 0.2, 0.3], sheenRoughnessFactor: 0.4, sheenColorTexture: texture },
      KHR_materials_specular: {
        specularFactor: 0.7,
        specularColorFactor: [1, 0.9, 0.8],
        specularTexture: texture,
        specularColorTexture: texture,
      },
      KHR_materials_transmission: { transmissionFactor: 0.5, transmissionTexture: texture },
      KHR_materials_volume: { thicknessFactor: 1, attenuationDistance: 2, attenuationColor: [0.2, 0.8, 0.5], thicknessTexture: texture },
    };
    Object.assign(json.materials[0] as object, {
      extensions,
      emissiveFactor: [1, 0.5, 0.25],
      normalTexture: { ...texture, scale: 0.5 },
      alphaMode: 'MASK',
      alphaCutoff: 0.4,
      doubleSided: true,
    });
    json.materials.push(
      {
        name: 'gloss',
        extensions: {
          KHR_materials_pbrSpecularGlossiness: {
            diffuseFactor: [0.5, 0.5, 0.5, 1],
            specularFactor: [0.2, 0.2, 0.2],
            glossinessFactor: 0.6,
            diffuseTexture: texture,
            specularGlossinessTexture: texture,
          },
        },
      },
      { name: 'flat', extensions: { KHR_materials_unlit: {} } },
    );
    const primitive = json.meshes[0]?.primitives[0] as unknown as LooseJson;
    Object.assign(primitive, {
      extensions: {
        KHR_materials_variants: {
          mappings: [
            { material: 1, variants: [0] },
            { material: 2, variants: [1] },
          ],
        },
      },
    });
    json.meshes[0]?.primitives.push({
      ...(primitive as unknown as LooseJson['meshes'][number]['primitives'][number]),
      mode: 5,
      material: 2,
    });
    const position = json.accessors[Number((primitive['attributes'] as Record<string, number>)['POSITION'])] as LooseJson;
    const indices = Number((primitive as unknown as Record<string, unknown>)['indices']);
    const view = Number((json.accessors[indices] as Record<string, unknown>)['bufferView']);
    Object.assign(position, {
      sparse: { count: 1, indices: { bufferView: view, componentType: 5123 }, values: { bufferView: Number(position['bufferView']) } },
    });
    const keys = btoa(String.fromCharCode(...new Uint8Array(Float32Array.of(0, 1).buffer)));
    const buffer = json.buffers.push({ uri: `data:application/octet-stream;base64,${keys}`, byteLength: 8 }) - 1;
    const bufferView = json.bufferViews.push({ buffer, byteLength: 8 }) - 1;
    const inputs = json.accessors.push({ bufferView, componentType: 5126, type: 'SCALAR', count: 2, min: [0], max: [1] }) - 1;
    Object.assign(json, {
      extensionsUsed: [
        ...Object.keys(extensions),
        'KHR_materials_pbrSpecularGlossiness',
        'KHR_materials_unlit',
        'KHR_materials_variants',
        'KHR_texture_transform',
        'EXT_lights_ies',
        'EXT_lights_image_based',
        'KHR_animation_pointer',
        'KHR_node_visibility',
        'KHR_xmp',
      ],
      extensions: {
        KHR_materials_variants: { variants: [{ name: 'dull' }, { name: 'flat' }] },
        EXT_lights_ies: { lights: [{ name: 'spot', uri: `data:application/octet-stream;base64,${btoa(IES)}` }] },
        EXT_lights_image_based: {
          lights: [
            {
              rotation: [0, 0, 0, 1],
              intensity: 1,
              irradianceCoefficients: Array.from({ length: 9 }, () => [0.1, 0.1, 0.1]),
              specularImages: [[0, 0, 0, 0, 0, 0]],
              specularImageSize: 2,
            },
          ],
        },
      },
      cameras: [
        { type: 'perspective', perspective: { yfov: 0.8, aspectRatio: 1.5, znear: 0.1 } },
        { type: 'orthographic', orthographic: { xmag: 1, ymag: 1, znear: 0.1, zfar: 10 } },
      ],
      animations: [
        {
          samplers: [{ input: inputs, output: inputs, interpolation: 'STEP' }],
          channels: [
            {
              sampler: 0,
              target: {
                path: 'pointer',
                extensions: { KHR_animation_pointer: { pointer: '/materials/0/pbrMetallicRoughness/roughnessFactor' } },
              },
            },
          ],
        },
      ],
    });
    json.nodes.push(
      { camera: 0 },
      { camera: 1, rotation: [0, 0.7071068, 0, 0.7071068] },
      { extensions: { EXT_lights_ies: { light: 0, multiplier: 2, color: [1, 1, 1] }, KHR_node_visibility: { visible: true } } },
    );
    const scene = (json['scenes'] as { nodes: number[] }[])[0] as { nodes: number[] };
    scene.nodes.push(json.nodes.length - 3, json.nodes.length - 2, json.nodes.length - 1);
    Object.assign(scene, { extensions: { EXT_lights_image_based: { light: 0 } } });
  });
}
