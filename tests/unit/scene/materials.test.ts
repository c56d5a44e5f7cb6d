/** Every factor of every material extension lands in its field; what is wrong or out of range is said. */
import { describe, expect, test } from 'vitest';
import {
  MATERIAL_ALPHA_BLEND,
  MATERIAL_ALPHA_MASK,
  MATERIAL_DOUBLE_SIDED,
  MATERIAL_SPECULAR_GLOSSINESS,
  MATERIAL_UNLIT,
  NONE,
  TEXTURE_SRGB,
} from '#shaders/layout.ts';
import { SceneError } from '#workers/scene/compile.ts';
import { compiled, extension, type Json } from './material-kit.ts';

describe('factors', () => {
  test.each<readonly [string, Json, string, number | readonly number[]]>([
    ['anisotropy', { anisotropyStrength: 0.25 }, 'anisotropy', 0.25],
    ['clearcoat', { clearcoatFactor: 0.5 }, 'clearcoat', 0.5],
    ['clearcoat', { clearcoatRoughnessFactor: 0.5 }, 'clearcoat_roughness', 0.5],
    ['clearcoat', { clearcoatNormalTexture: { index: 0, scale: -2 } }, 'clearcoat_normal_scale', -2],
    ['diffuse_transmission', { diffuseTransmissionFactor: 0.75 }, 'diffuse_transmission', 0.75],
    ['diffuse_transmission', { diffuseTransmissionColorFactor: [0.1, 0.2, 0.3] }, 'diffuse_transmission_color', [0.1, 0.2, 0.3]],
    ['dispersion', { dispersion: 0.33 }, 'dispersion', 0.33],
    ['emissive_strength', { emissiveStrength: 8 }, 'emissive', [8, 4, 0]],
    ['ior', { ior: 1.33 }, 'ior', 1.33],
    ['ior', { ior: 0 }, 'ior', 0],
    ['iridescence', { iridescenceFactor: 0.5 }, 'iridescence', 0.5],
    ['iridescence', { iridescenceIor: 1.8 }, 'iridescence_ior', 1.8],
    ['iridescence', { iridescenceThicknessMinimum: 50 }, 'iridescence_thickness_min', 50],
    ['iridescence', { iridescenceThicknessMaximum: 900 }, 'iridescence_thickness_max', 900],
    ['sheen', { sheenColorFactor: [0.1, 0.2, 0.3] }, 'sheen_color', [0.1, 0.2, 0.3]],
    ['sheen', { sheenRoughnessFactor: 0.5 }, 'sheen_roughness', 0.5],
    ['specular', { specularFactor: 0.5 }, 'specular', 0.5],
    ['specular', { specularColorFactor: [2, 1, 0.5] }, 'specular_color', [2, 1, 0.5]],
    ['transmission', { transmissionFactor: 0.5 }, 'transmission', 0.5],
    ['volume', { thicknessFactor: 2 }, 'thickness', 2],
  ])('KHR_materials_%s %j is %s', (name, body, field, value) => {
    const plain = { emissiveFactor: [1, 0.5, 0] };
    const { row, warnings } = compiled({ ...plain, ...extension(name, body) });
    expect(row[field]).toEqual(value);
    expect(warnings).toEqual([]);
    // The control: without the extension the field has another value.
    expect(compiled(plain).row[field]).not.toEqual(value);
  });

  test('a rotation is kept as its cosine and sine, absorption per unit of distance', () => {
    const { row } = compiled({
      extensions: {
        KHR_materials_anisotropy: { anisotropyStrength: 1, anisotropyRotation: 2.5 },
        KHR_materials_volume: { thicknessFactor: 1, attenuationDistance: 2, attenuationColor: [0.5, 1, 0] },
      },
    });
    const [c, s] = row['anisotropy_direction'] as readonly [number, number];
    expect([c, s]).toEqual([expect.closeTo(Math.cos(2.5), 14), expect.closeTo(Math.sin(2.5), 14)]);
    expect(row['attenuation']).toEqual([expect.closeTo(Math.LN2 / 2, 12), 0, expect.closeTo(Math.log(1e6) / 2, 12)]);
  });

  test('the defaults are those of the specifications', () => {
    const { row } = compiled({});
    expect(row).toMatchObject({
      base_color: [1, 1, 1, 1],
      metallic: 1,
      roughness: 1,
      emissive: [0, 0, 0],
      alpha_cutoff: 0.5,
      flags: 0,
      ior: 1.5,
      specular: 1,
      specular_color: [1, 1, 1],
      normal_scale: 1,
      clearcoat_normal_scale: 1,
      anisotropy: 0,
      anisotropy_direction: [1, 0],
      iridescence: 0,
      iridescence_ior: 1.3,
      iridescence_thickness_min: 100,
      iridescence_thickness_max: 400,
      transmission: 0,
      thickness: 0,
      attenuation: [0, 0, 0],
      diffuse_transmission: 0,
      diffuse_transmission_color: [1, 1, 1],
      dispersion: 0,
      priority: 1500,
    });
  });

  test('flags', () => {
    const flags = (material: Json) => compiled(material).row['flags'];
    expect(flags({ doubleSided: true })).toBe(MATERIAL_DOUBLE_SIDED);
    expect(flags({ alphaMode: 'MASK' })).toBe(MATERIAL_ALPHA_MASK);
    expect(flags({ alphaMode: 'BLEND' })).toBe(MATERIAL_ALPHA_BLEND);
    expect(flags(extension('unlit', {}))).toBe(MATERIAL_UNLIT);
    expect(flags(extension('pbrSpecularGlossiness', {}))).toBe(MATERIAL_SPECULAR_GLOSSINESS);
  });

  test('specular-glossiness brings its own colours, and one image for F0 and glossiness', () => {
    const body = {
      diffuseFactor: [0.1, 0.2, 0.3, 0.4],
      specularFactor: [0.5, 0.6, 0.7],
      glossinessFactor: 0.75,
      diffuseTexture: { index: 1 },
      specularGlossinessTexture: { index: 2 },
    };
    const pbrMetallicRoughness = { baseColorTexture: { index: 3 }, metallicRoughnessTexture: { index: 4 } };
    const { row, slots, warnings } = compiled({ pbrMetallicRoughness, ...extension('pbrSpecularGlossiness', body) });
    expect(row).toMatchObject({ base_color: [0.1, 0.2, 0.3, 0.4], specular_color: [0.5, 0.6, 0.7], roughness: 0.25, metallic: 0 });
    const slot = (field: string) => slots[row[field] as number];
    expect([slot('base_color_texture')?.image, row['metal_rough_texture']]).toEqual([1, NONE]);
    expect(slot('specular_texture')).toMatchObject({ image: 2, flags: 0 });
    expect(slot('specular_color_texture')).toMatchObject({ image: 2, flags: TEXTURE_SRGB });
    expect(warnings).toEqual([]);
  });

  test('an unlit material is its base colour and nothing else', () => {
    const material = { pbrMetallicRoughness: { baseColorFactor: [0.1, 0.2, 0.3, 1], metallicFactor: 1 }, emissiveFactor: [1, 1, 1] };
    const { row, first } = compiled({ ...material, normalTexture: { index: 1 }, ...extension('unlit', {}) });
    expect([row['base_color'], first.emissive, row['normal_texture'], first.tangentUv]).toEqual([
      [0.1, 0.2, 0.3, 1],
      [0, 0, 0],
      NONE,
      null,
    ]);
    expect(compiled(material).first.emissive).toEqual([1, 1, 1]);
  });

  test('an ior of 0 is a mirror: nothing passes', () => {
    const glass = { KHR_materials_transmission: { transmissionFactor: 1 }, KHR_materials_volume: { thicknessFactor: 1 } };
    expect(compiled({ extensions: { ...glass, KHR_materials_ior: { ior: 0 } } }).row).toMatchObject({
      ior: 0,
      transmission: 0,
      thickness: 0,
    });
    expect(compiled({ extensions: glass }).row).toMatchObject({ ior: 1.5, transmission: 1, thickness: 1 });
  });

  test('the denser medium has priority unless extras say otherwise', () => {
    const priority = (material: Json) => compiled(material);
    expect(priority(extension('ior', { ior: 1.33 })).row['priority']).toBe(1330);
    expect(priority({ ...extension('ior', { ior: 1.33 }), extras: { priority: 9000 } }).row['priority']).toBe(9000);
    const wrong = priority({ extras: { priority: 'high' } });
    expect([wrong.row['priority'], wrong.warnings]).toEqual([
      1500,
      ['materials[0].extras.priority: a whole number from 1 to 1000000 was expected; the index of refraction decides instead.'],
    ]);
  });
});

describe('ranges and types', () => {
  test.each<readonly [Json, string, number | readonly number[], string]>([
    [
      { pbrMetallicRoughness: { roughnessFactor: 1.5 } },
      'roughness',
      1,
      'pbrMetallicRoughness.roughnessFactor: 1.5 is outside the range 0 to 1; 1 is used.',
    ],
    [{ pbrMetallicRoughness: { baseColorFactor: [2, 0, 0, 1] } }, 'base_color', [1, 0, 0, 1], 'pbrMetallicRoughness.baseColorFactor: 2 is'],
    [extension('ior', { ior: 0.5 }), 'ior', 1, 'extensions.KHR_materials_ior.ior: 0.5 is outside the range 1 to 1000; 1 is used.'],
    [
      extension('transmission', { transmissionFactor: -1 }),
      'transmission',
      0,
      'extensions.KHR_materials_transmission.transmissionFactor: -1 is',
    ],
    [extension('dispersion', { dispersion: -1 }), 'dispersion', 0, 'extensions.KHR_materials_dispersion.dispersion: -1 is'],
  ])('%j is moved into its range with a sentence', (material, field, value, text) => {
    const { row, warnings } = compiled(material);
    expect(row[field]).toEqual(value);
    expect(warnings).toEqual([expect.stringContaining(`materials[0].${text}`)]);
  });

  test('a rounding error of the exporter is moved without a word', () => {
    const { row, warnings } = compiled({ pbrMetallicRoughness: { roughnessFactor: 1.0000001 } });
    expect([row['roughness'], warnings]).toEqual([1, []]);
  });

  test.each<readonly [Json, RegExp]>([
    [
      extension('clearcoat', { clearcoatFactor: 'much' }),
      /^materials\[0\]\.extensions\.KHR_materials_clearcoat\.clearcoatFactor: expected a finite number/,
    ],
    [extension('clearcoat', { clearcoatFactor: Infinity }), /clearcoatFactor: expected a finite number/],
    [extension('sheen', { sheenColorFactor: [1, 1] }), /sheenColorFactor: expected a list of 3 finite numbers/],
    [extension('sheen', { sheenColorFactor: [1, 1, null] }), /sheenColorFactor: expected a list of 3 finite numbers/],
    [extension('sheen', { sheenColorTexture: 5 }), /KHR_materials_sheen\.sheenColorTexture: expected an object/],
    [
      extension('anisotropy', { anisotropyStrength: 1, anisotropyTexture: { index: 0, texCoord: -1 } }),
      /anisotropyTexture\.texCoord: expected a whole number/,
    ],
    [
      { normalTexture: { index: 0, extensions: { KHR_texture_transform: { scale: [1, 'x'] } } } },
      /normalTexture\.extensions\.KHR_texture_transform\.scale: expected a list of 2 finite numbers/,
    ],
  ])('%j is refused by its path', (material, text) => {
    let error: unknown;
    try {
      compiled(material);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SceneError);
    expect((error as SceneError).message).toMatch(text);
  });

  test('no value of any factor makes a row that is not finite', () => {
    const extremes = [-1e300, -1, 0, 1e-300, 1, 1e300];
    for (const value of extremes) {
      const rgb = [value, value, value];
      const { row } = compiled({
        pbrMetallicRoughness: { baseColorFactor: [...rgb, value], metallicFactor: value, roughnessFactor: value },
        emissiveFactor: rgb,
        alphaCutoff: value,
        normalTexture: { index: 0, scale: value },
        extensions: {
          KHR_materials_emissive_strength: { emissiveStrength: value },
          KHR_materials_volume: { thicknessFactor: value, attenuationDistance: value, attenuationColor: rgb },
          KHR_materials_anisotropy: { anisotropyStrength: value, anisotropyRotation: value },
          KHR_materials_iridescence: { iridescenceFactor: 1, iridescenceThicknessMinimum: value, iridescenceIor: value },
          KHR_materials_specular: { specularFactor: value, specularColorFactor: rgb },
          KHR_materials_dispersion: { dispersion: value },
          KHR_materials_ior: { ior: value },
        },
      });
      for (const [field, number] of Object.entries(row))
        expect(
          [number].flat().every((x) => Number.isFinite(Math.fround(x))),
          field,
        ).toBe(true);
    }
  });
});
