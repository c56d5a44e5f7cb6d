/**
 * Classes of materials by what shading needs for them, so that a plain surface is not shaded by a
 * kernel that holds glass. A material's class lies in the bits of its triangles on the device.
 */
import { SHADE_CLASSES, type ShadeClass } from '#shaders/wavefront/layout.ts';
import type { Feature, Features } from './features.ts';

/** What shading needs beyond plain materials. A class knows its own features and those before it. */
const CLASS_FEATURES: Readonly<Record<Exclude<ShadeClass, 'plain'>, readonly Feature[]>> = {
  layered: ['COATED', 'SHEEN', 'IRIDESCENT', 'ANISOTROPIC'],
  clear: ['TRANSMISSIVE', 'VOLUMES', 'DISPERSIVE', 'DIFFUSE_TRANSMISSIVE'],
};

/** What an emitter's own material has of these changes the light that every surface samples from it, whatever its class. */
const OF_EMITTERS: readonly Feature[] = ['COATED'];

/** Classes that materials of a scene with these features may be of. */
export function shadeClasses(features: Features): readonly ShadeClass[] {
  return SHADE_CLASSES.filter((name) => name === 'plain' || CLASS_FEATURES[name].some((feature) => features[feature]));
}

/** The scene's features without those that neither a material of the class nor a light has. */
export function classFeatures(features: Features, of: ShadeClass): Features {
  const out = { ...features };
  if (of !== 'clear') for (const name of CLASS_FEATURES.clear) out[name] = false;
  if (of === 'plain') for (const name of CLASS_FEATURES.layered) out[name] = false;
  if (features.EMISSIVE) for (const name of OF_EMITTERS) out[name] = features[name];
  return out;
}

/** The least class that holds all that a material asks for; index into SHADE_CLASSES. */
export function shadeClassOf(material: Partial<Features>): number {
  const asks = (name: Exclude<ShadeClass, 'plain'>): boolean => CLASS_FEATURES[name].some((feature) => material[feature] === true);
  return SHADE_CLASSES.indexOf(asks('clear') ? 'clear' : asks('layered') ? 'layered' : 'plain');
}
