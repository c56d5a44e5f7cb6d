/**
 * One small GLB per place where Cycles and glTF part, each with its twin that lacks the cause, and the
 * light that glTF's rules give for both on paper. Every picture is one colour: the eye looks through a
 * narrow angle at the middle of a large rectangle. Refuses scenes whose value is not a formula.
 */
import { Document, type Material } from '@gltf-transform/core';
import { KHRMaterialsTransmission, KHRMaterialsVolume } from '@gltf-transform/extensions';
import type { PerspectiveCamera } from '#lib/protocol/order.ts';
import { addQuads, boxQuads, pngImage, writeGlb, type Bytes } from '../../unit/scene/fixtures.ts';

export interface Departure {
  readonly name: string;
  readonly scene: () => Promise<Bytes>;
  readonly sky: number;
  /** What glTF's rules give. */
  readonly paper: number;
  /** Where Cycles lies, as a share of `paper`. */
  readonly cycles: readonly [least: number, most: number];
  readonly twoSided?: boolean;
}

/** From +Z, narrow enough that all its rays are one direction to 1 %. */
export const NARROW: PerspectiveCamera = { eye: [0, 0, 4], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.004, lens: null };

const IOR = 1.5;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Exact Fresnel reflectance of unpolarised light from vacuum. */
export function fresnel(degrees: number): number {
  const cosine = Math.cos(radians(degrees));
  const inside = Math.sqrt(1 - Math.sin(radians(degrees)) ** 2 / IOR ** 2);
  const [s, p] = [(cosine - IOR * inside) / (cosine + IOR * inside), (IOR * cosine - inside) / (IOR * cosine + inside)];
  return (s * s + p * p) / 2;
}

/** A rectangle of side 6 through the origin, turned so that its front's normal is `degrees` from the viewer, or its back's. */
function turned(document: Document, degrees: number, material: Material, back = false): void {
  const [c, s] = [Math.cos(radians(degrees)), Math.sin(radians(degrees))];
  const [across, up] = [
    [6 * c, 0, -6 * s],
    [0, 6, 0],
  ] as const;
  const corner = [-3 * c, -3, 3 * s] as const;
  addQuads(document, 'panel', [back ? { corner, edge1: up, edge2: across } : { corner, edge1: across, edge2: up }], material);
}

function paint(document: Document, grey: number, roughness: number): Material {
  const material = document.createMaterial('paint').setBaseColorFactor([grey, grey, grey, 1]);
  return material.setMetallicFactor(0).setRoughnessFactor(roughness).setDoubleSided(true);
}

/** An opaque panel; `lean` turns its vertex normals about the vertical, away from its plane. */
function panel(degrees: number, grey: number, roughness: number, how: { back?: boolean; lean?: number } = {}): Promise<Bytes> {
  const document = new Document();
  turned(document, degrees, paint(document, grey, roughness), how.back);
  if (how.lean !== undefined) {
    const normal = [Math.sin(radians(degrees - how.lean)), 0, Math.cos(radians(degrees - how.lean))];
    const accessor = document.getRoot().listMeshes()[0]!.listPrimitives()[0]!.getAttribute('NORMAL')!;
    accessor.setArray(Float32Array.from([0, 1, 2, 3].flatMap(() => normal)));
  }
  return writeGlb(document);
}

/** Clear glass at 60 degrees before a lamp: a wall, or a strip that a bent ray misses. */
function pane(lamp: 'wall' | 'strip', how: { back?: boolean; volume?: boolean } = {}): Promise<Bytes> {
  const document = new Document();
  const glass = document.createMaterial('glass').setMetallicFactor(0).setRoughnessFactor(0).setDoubleSided(true);
  const transmission = document.createExtension(KHRMaterialsTransmission).createTransmission().setTransmissionFactor(1);
  glass.setExtension('KHR_materials_transmission', transmission);
  if (how.volume) {
    glass.setExtension('KHR_materials_volume', document.createExtension(KHRMaterialsVolume).createVolume().setThicknessFactor(0.01));
    addQuads(document, 'slab', boxQuads([-3, -3, -0.005], [3, 3, 0.005]), glass);
    document
      .getRoot()
      .listNodes()[0]!
      .setRotation([0, Math.sin(radians(30)), 0, Math.cos(radians(30))]);
  } else turned(document, 60, glass, how.back);
  const light = document.createMaterial('lamp').setBaseColorFactor([0, 0, 0, 1]).setEmissiveFactor([1, 1, 1]).setMetallicFactor(1);
  // The wall ends where the pane's reflection, towards +x, would meet it.
  const [width, left] = lamp === 'wall' ? [41, -40] : [1, -0.5];
  addQuads(document, 'lamp', [{ corner: [left, -width / 2, -8], edge1: [width, 0, 0], edge2: [0, width, 0] }], light);
  return writeGlb(document);
}

/** A mirror at 45 degrees before a lamp that it shows where the map of two opposite normals is flat: halfway. */
function halfwayMirror(): Promise<Bytes> {
  const document = new Document();
  const map = pngImage(2, 1, (x) => [x === 0 ? 64 : 191, 128, 238, 255]);
  const mirror = document.createMaterial('mirror').setMetallicFactor(1).setRoughnessFactor(0);
  turned(document, 45, mirror.setNormalTexture(document.createTexture('map').setImage(map).setMimeType('image/png')));
  const light = document.createMaterial('lamp').setBaseColorFactor([0, 0, 0, 1]).setEmissiveFactor([1, 1, 1]).setMetallicFactor(1);
  addQuads(document, 'lamp', [{ corner: [8, -0.5, 0.5], edge1: [0, 0, -1], edge2: [0, 1, 0] }], light.setDoubleSided(true));
  return writeGlb(document);
}

const T60 = 1 - fresnel(60);
/** Light through a slab, all reflections between its two faces together: (1 - F)^2 / (1 - F^2). */
const SLAB = T60 / (1 + fresnel(60));
/** A smooth dielectric over a Lambert base in uniform light: decision 7 of the README. */
const layered = (degrees: number, grey: number): number => fresnel(degrees) + (1 - fresnel(degrees)) * grey;

const SAME = [0.99, 1.01] as const;

export const DEPARTURES: readonly Departure[] = [
  { name: 'control: a normal map is filtered before it is used', scene: halfwayMirror, sky: 0, paper: 1, cycles: SAME },
  {
    name: 'control: a volume of glass before a strip of light',
    scene: () => pane('strip', { volume: true }),
    sky: 0,
    paper: SLAB,
    cycles: SAME,
  },
  {
    name: 'a thin wall before a strip of light displaces nothing; Cycles bends the view off the strip',
    scene: () => pane('strip'),
    sky: 0,
    paper: T60,
    cycles: [0, 0.001],
  },
  { name: 'control: a thin wall before a wall of light, seen from its front', scene: () => pane('wall'), sky: 0, paper: T60, cycles: SAME },
  {
    name: 'a thin wall has no inside; seen from its back, Cycles reflects totally past 42 degrees',
    scene: () => pane('wall', { back: true }),
    sky: 0,
    paper: T60,
    cycles: [0, 0.001],
  },
  { name: 'control: the front of a two-sided face', scene: () => panel(60, 0.5, 0.1), sky: 1, paper: layered(60, 0.5), cycles: SAME },
  {
    name: 'the back of a two-sided face is like its front; the reference takes it for the inside of glass',
    scene: () => panel(60, 0.5, 0.1, { back: true }),
    sky: 1,
    paper: layered(60, 0.5),
    cycles: [0.15, 0.18],
  },
  {
    name: 'control: the same back with the Fresnel term of the front',
    scene: () => panel(60, 0.5, 0.1, { back: true }),
    sky: 1,
    paper: layered(60, 0.5),
    cycles: SAME,
    twoSided: true,
  },
  {
    name: 'control: a vertex normal that stands upright',
    scene: () => panel(0, 0.5, 0.1, { lean: 0 }),
    sky: 1,
    paper: layered(0, 0.5),
    cycles: SAME,
  },
  {
    name: 'a vertex normal 60 degrees off its plane loses nothing; Cycles drops what goes below the plane',
    scene: () => panel(60, 0.5, 0.1, { lean: 60 }),
    sky: 1,
    paper: layered(0, 0.5),
    cycles: [0.75, 0.79],
  },
  { name: 'control: white under a smooth layer at 80 degrees', scene: () => panel(80, 1, 0.1), sky: 1, paper: 1, cycles: SAME },
  {
    name: 'white under a rough layer at 80 degrees stays white; the reference loses some',
    scene: () => panel(80, 1, 1),
    sky: 1,
    paper: 1,
    cycles: [0.65, 0.7],
  },
];
