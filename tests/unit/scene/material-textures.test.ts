/** Every texture of every material extension lands in its field, with its image, coordinates, transform and sampler. */
import { describe, expect, test } from 'vitest';
import { NONE, TEXTURE_NEAREST, TEXTURE_SRGB, TEXTURE_UV1, WRAP_CLAMP, WRAP_MIRROR } from '#shaders/layout.ts';
import { compiled, extension, type Json } from './material-kit.ts';

/** All extensions with textures, each with a factor that makes its textures count. */
const MANY = { extensions: {} as Record<string, Json> };
for (const [name, body] of Object.entries({
  transmission: { transmissionFactor: 0.5 },
  clearcoat: { clearcoatFactor: 0.5 },
  sheen: { sheenColorFactor: [0.5, 0, 0] },
  specular: {},
  anisotropy: { anisotropyStrength: 0.5 },
  iridescence: { iridescenceFactor: 0.5 },
  diffuse_transmission: { diffuseTransmissionFactor: 0.5 },
}))
  MANY.extensions[`KHR_materials_${name}`] = body;

describe('textures', () => {
  const places: readonly (readonly [string, readonly string[], boolean])[] = [
    ['base_color_texture', ['pbrMetallicRoughness', 'baseColorTexture'], true],
    ['metal_rough_texture', ['pbrMetallicRoughness', 'metallicRoughnessTexture'], false],
    ['normal_texture', ['normalTexture'], false],
    ['emissive_texture', ['emissiveTexture'], true],
    ['transmission_texture', ['transmission', 'transmissionTexture'], false],
    ['specular_texture', ['specular', 'specularTexture'], false],
    ['specular_color_texture', ['specular', 'specularColorTexture'], true],
    ['clearcoat_texture', ['clearcoat', 'clearcoatTexture'], false],
    ['clearcoat_roughness_texture', ['clearcoat', 'clearcoatRoughnessTexture'], false],
    ['clearcoat_normal_texture', ['clearcoat', 'clearcoatNormalTexture'], false],
    ['sheen_color_texture', ['sheen', 'sheenColorTexture'], true],
    ['sheen_roughness_texture', ['sheen', 'sheenRoughnessTexture'], false],
    ['anisotropy_texture', ['anisotropy', 'anisotropyTexture'], false],
    ['iridescence_texture', ['iridescence', 'iridescenceTexture'], false],
    ['iridescence_thickness_texture', ['iridescence', 'iridescenceThicknessTexture'], false],
    ['diffuse_transmission_texture', ['diffuse_transmission', 'diffuseTransmissionTexture'], false],
    ['diffuse_transmission_color_texture', ['diffuse_transmission', 'diffuseTransmissionColorTexture'], true],
  ];

  function placed(path: readonly string[], info: Json): Json {
    const material = structuredClone({ ...MANY, emissiveFactor: [1, 1, 1] }) as Json & typeof MANY;
    const [holder, key] = path.length === 1 ? ['', path[0] as string] : (path as [string, string]);
    if (holder === '') return { ...material, [key]: info };
    if (holder === 'pbrMetallicRoughness') return { ...material, [holder]: { [key]: info } };
    (material.extensions[`KHR_materials_${holder}`] as Json)[key] = info;
    return material;
  }

  test.each(places)('%s: image, colour space, sampler, transform and coordinates', (field, path, srgb) => {
    const transform = { offset: [0.25, 0.5], rotation: 0.5, scale: [2, 3], texCoord: 1 };
    const info = { index: 5, texCoord: 0, extensions: { KHR_texture_transform: transform } };
    const textures = Array.from({ length: 8 }, (_, source) => ({ source, sampler: 1 }));
    const { row, slots, first, warnings } = compiled(placed(path, info), textures);
    expect(slots).toHaveLength(1);
    expect(slots[row[field] as number]).toEqual({
      image: 5,
      flags: WRAP_CLAMP | (WRAP_MIRROR << 2) | TEXTURE_NEAREST | TEXTURE_UV1 | (srgb ? TEXTURE_SRGB : 0),
      transformU: [expect.closeTo(Math.cos(0.5) * 2, 12), expect.closeTo(Math.sin(0.5) * 3, 12), 0.25, 0],
      transformV: [expect.closeTo(-Math.sin(0.5) * 2, 12), expect.closeTo(Math.cos(0.5) * 3, 12), 0.5, 0],
    });
    expect([first.uvSets, warnings]).toEqual([[0, 1], []]);
    for (const [other] of places) if (other !== field) expect(row[other], other).toBe(NONE);
  });

  test('the example of KHR_texture_transform: the lower left quarter of the image, turned clockwise by 90°', () => {
    const transform = { offset: [0, 1], rotation: Math.PI / 2, scale: [0.5, 0.5] };
    const info = { index: 0, extensions: { KHR_texture_transform: transform } };
    const slot = compiled({ pbrMetallicRoughness: { baseColorTexture: info } }).slots[0]!;
    // An image of 4 × 4 texels, row by row from its top, which is where v is 0.
    const image = ['abcd', 'efgh', 'ijkl', 'mnop'];
    const texel = (u: number, v: number): string => {
      const [x, y] = [slot.transformU, slot.transformV].map((row) => Math.floor((row[0] * u + row[1] * v + row[2]) * 4)) as [
        number,
        number,
      ];
      return image[y]?.[x] ?? `outside, at ${x} ${y}`;
    };
    // The quarter is ij over mn; clockwise, its left column becomes its top row from the right.
    expect([texel(0.25, 0.25), texel(0.75, 0.25), texel(0.25, 0.75), texel(0.75, 0.75)].join('')).toBe('minj');
  });

  test('a texture whose factor is zero is not loaded', () => {
    const material = (clearcoatFactor: number) => extension('clearcoat', { clearcoatFactor, clearcoatTexture: { index: 0 } });
    expect([compiled(material(0)).slots.length, compiled(material(0.1)).slots.length]).toEqual([0, 1]);
    const glow = (emissiveFactor: readonly number[]) => ({ emissiveFactor, emissiveTexture: { index: 0 } });
    expect([compiled(glow([0, 0, 0])).slots.length, compiled(glow([0, 0, 1])).slots.length]).toEqual([0, 1]);
  });

  test.each(['KHR_texture_basisu', 'EXT_texture_avif', 'EXT_texture_webp'])('%s names the image, the source is its fallback', (name) => {
    const material = { pbrMetallicRoughness: { baseColorTexture: { index: 0 } } };
    const image = (texture: Json) => compiled(material, [texture]).slots[0]?.image;
    expect(image({ source: 3, extensions: { [name]: { source: 4 } } })).toBe(4);
    expect(image({ extensions: { [name]: { source: 4 } } })).toBe(4);
    expect(image({ source: 3, extensions: { [name]: {} } })).toBe(3);
    expect(image({ source: 3, extensions: { ACME_texture: { source: 4 } } })).toBe(3);
    expect(image({})).toBeUndefined();
  });

  test('sets of coordinates beyond the first two take the place of those that are not used', () => {
    const using = (...sets: readonly number[]) => {
      const [a, b, c, d] = sets.map((texCoord, index) => ({ index, texCoord }));
      const material = { pbrMetallicRoughness: { baseColorTexture: a, metallicRoughnessTexture: b }, normalTexture: c, emissiveTexture: d };
      const { first, row, slots, warnings } = compiled(JSON.parse(JSON.stringify({ ...material, emissiveFactor: [1, 1, 1] })) as Json);
      const fields = ['base_color_texture', 'metal_rough_texture', 'normal_texture', 'emissive_texture'].slice(0, sets.length);
      const second = fields.map((field) => ((slots[row[field] as number]?.flags ?? 0) & TEXTURE_UV1) !== 0);
      return { sets: first.uvSets, second, warnings, tangentUv: first.tangentUv };
    };
    expect(using(1)).toMatchObject({ sets: [0, 1], second: [true] });
    expect(using(2)).toMatchObject({ sets: [0, 2], second: [true], warnings: [] });
    expect(using(1, 3, 3)).toMatchObject({ sets: [1, 3], second: [false, true, true], tangentUv: 1, warnings: [] });
    expect(using(0, 4, 4, 2)).toMatchObject({
      sets: [0, 4],
      second: [false, true, true, false],
      warnings: ['materials[0]: its textures use the texture coordinates 0, 2, 4, of which 0 and 4 are read; the others use 0.'],
    });
  });

  test('tangents follow the normal texture, then the clearcoat normal, then what is anisotropic', () => {
    const coat = (texCoord: number) => extension('clearcoat', { clearcoatFactor: 1, clearcoatNormalTexture: { index: 0, texCoord } });
    expect(compiled({}).first.tangentUv).toBeNull();
    expect(compiled(coat(1)).first.tangentUv).toBe(1);
    expect(compiled({ normalTexture: { index: 1 }, ...coat(1) }).first.tangentUv).toBe(0);
    expect(compiled(extension('anisotropy', { anisotropyStrength: 1 })).first.tangentUv).toBe(0);
    expect(compiled(extension('anisotropy', { anisotropyStrength: 0 })).first.tangentUv).toBeNull();
  });
});
