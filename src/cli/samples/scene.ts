/**
 * A thin layer over glTF-Transform in the words of the samples: surfaces, parts, cameras, turns.
 * Writes one GLB whose bytes depend on nothing but the calls made. Refuses environment lookups:
 * the samples are lit by what is in them.
 */
import { Document, NodeIO, type Material as GltfMaterial, type Node, type Texture } from '@gltf-transform/core';
import {
  ALL_EXTENSIONS,
  KHRMaterialsClearcoat,
  KHRMaterialsEmissiveStrength,
  KHRMaterialsIOR,
  KHRMaterialsSheen,
  KHRMaterialsTransmission,
  KHRMaterialsVolume,
} from '@gltf-transform/extensions';
import type { Mesh } from './mesh.ts';
import { axisAngle, linear, lookAt, tidy, type Quat, type Vec3 } from './vec.ts';

interface Surface {
  readonly name: string;
  /** `#rrggbb`, sRGB; multiplies the picture when there is one. */
  readonly colour?: string;
  readonly picture?: Uint8Array<ArrayBuffer>;
  readonly normal?: { readonly picture: Uint8Array<ArrayBuffer>; readonly scale: number };
  readonly metallic?: number;
  readonly roughness?: number;
  readonly emission?: { readonly colour: string; readonly strength: number; readonly picture?: Uint8Array<ArrayBuffer> };
  /** Clear solid glass: index of refraction, thickness in metres, and what is left of white light after `distance` metres. */
  readonly glass?: { readonly ior: number; readonly thickness: number; readonly colour?: string; readonly distance?: number };
  readonly sheen?: { readonly colour: string; readonly roughness: number };
  readonly coat?: { readonly factor: number; readonly roughness: number };
}

interface Part {
  readonly mesh: Mesh;
  readonly surface: GltfMaterial;
}

export interface Pose {
  readonly at?: Vec3;
  readonly turn?: Quat;
  readonly size?: number;
  readonly under?: Node;
}

export class SampleScene {
  readonly #doc = new Document();
  readonly #buffer = this.#doc.createBuffer();
  readonly #scene;
  readonly #pictures = new Map<Uint8Array, Texture>();
  readonly #meshes = new Map<Mesh, ReturnType<Document['createPrimitive']>>();

  constructor(title: string) {
    this.#scene = this.#doc.createScene(title);
    this.#doc.getRoot().getAsset().generator = 'Pictor samples';
    this.#doc.getRoot().setDefaultScene(this.#scene);
  }

  surface(s: Surface): GltfMaterial {
    const doc = this.#doc;
    const m = doc
      .createMaterial(s.name)
      .setMetallicFactor(s.metallic ?? 0)
      .setRoughnessFactor(s.roughness ?? 0.6);
    if (s.colour) m.setBaseColorFactor([...linear(s.colour), 1]);
    if (s.picture) m.setBaseColorTexture(this.#texture(s.picture, `${s.name} colour`));
    if (s.normal) m.setNormalTexture(this.#texture(s.normal.picture, `${s.name} normal`)).setNormalScale(s.normal.scale);
    if (s.emission) {
      m.setEmissiveFactor([...linear(s.emission.colour)]);
      if (s.emission.picture) m.setEmissiveTexture(this.#texture(s.emission.picture, `${s.name} light`));
      const strength = doc.createExtension(KHRMaterialsEmissiveStrength).createEmissiveStrength();
      m.setExtension('KHR_materials_emissive_strength', strength.setEmissiveStrength(s.emission.strength));
    }
    if (s.glass) this.#glass(m, s.glass);
    if (s.sheen) {
      const sheen = doc.createExtension(KHRMaterialsSheen).createSheen();
      m.setExtension(
        'KHR_materials_sheen',
        sheen.setSheenColorFactor([...linear(s.sheen.colour)]).setSheenRoughnessFactor(s.sheen.roughness),
      );
    }
    if (s.coat) {
      const coat = doc.createExtension(KHRMaterialsClearcoat).createClearcoat();
      m.setExtension('KHR_materials_clearcoat', coat.setClearcoatFactor(s.coat.factor).setClearcoatRoughnessFactor(s.coat.roughness));
    }
    return m;
  }

  #glass(m: GltfMaterial, glass: NonNullable<Surface['glass']>): void {
    const transmission = this.#doc.createExtension(KHRMaterialsTransmission).createTransmission().setTransmissionFactor(1);
    const ior = this.#doc.createExtension(KHRMaterialsIOR).createIOR().setIOR(glass.ior);
    const volume = this.#doc.createExtension(KHRMaterialsVolume).createVolume().setThicknessFactor(glass.thickness);
    if (glass.colour) volume.setAttenuationColor([...linear(glass.colour)]).setAttenuationDistance(glass.distance ?? 0.05);
    m.setExtension('KHR_materials_transmission', transmission);
    m.setExtension('KHR_materials_ior', ior);
    m.setExtension('KHR_materials_volume', volume);
  }

  #texture(png: Uint8Array<ArrayBuffer>, name: string): Texture {
    const known = this.#pictures.get(png);
    if (known) return known;
    const texture = this.#doc.createTexture(name).setImage(png).setMimeType('image/png');
    this.#pictures.set(png, texture);
    return texture;
  }

  #primitive({ mesh, surface }: Part): ReturnType<Document['createPrimitive']> {
    const doc = this.#doc;
    const known = this.#meshes.get(mesh);
    if (known) return known.clone().setMaterial(surface);
    const floats = (array: Float32Array<ArrayBuffer>, type: 'VEC2' | 'VEC3' | 'VEC4') =>
      doc.createAccessor().setType(type).setArray(array).setBuffer(this.#buffer);
    const primitive = doc
      .createPrimitive()
      .setMaterial(surface)
      .setIndices(doc.createAccessor().setArray(mesh.indices).setBuffer(this.#buffer));
    primitive.setAttribute('POSITION', floats(mesh.positions, 'VEC3')).setAttribute('NORMAL', floats(mesh.normals, 'VEC3'));
    // Untextured parts do without coordinates: half a megabyte of them would never be read.
    if (surface.getBaseColorTexture() ?? surface.getNormalTexture() ?? surface.getEmissiveTexture())
      primitive.setAttribute('TEXCOORD_0', floats(mesh.uvs, 'VEC2'));
    if (mesh.tangents && surface.getNormalTexture()) primitive.setAttribute('TANGENT', floats(mesh.tangents, 'VEC4'));
    this.#meshes.set(mesh, primitive);
    return primitive;
  }

  /** A node that shows parts together as one mesh. */
  add(name: string, parts: readonly Part[], pose: Pose = {}): Node {
    const mesh = this.#doc.createMesh(name);
    for (const part of parts) mesh.addPrimitive(this.#primitive(part));
    return this.group(name, pose).setMesh(mesh);
  }

  /** The same mesh once more, elsewhere. */
  again(name: string, like: Node, pose: Pose): Node {
    return this.group(name, pose).setMesh(like.getMesh());
  }

  group(name: string, { at = [0, 0, 0], turn = [0, 0, 0, 1], size = 1, under }: Pose): Node {
    const [x, y, z, w] = turn.map(tidy);
    const node = this.#doc
      .createNode(name)
      .setTranslation([tidy(at[0]), tidy(at[1]), tidy(at[2])])
      .setRotation([x!, y!, z!, w!]);
    node.setScale([size, size, size]);
    if (under) under.addChild(node);
    else this.#scene.addChild(node);
    return node;
  }

  /** Perspective camera; `vfov` in degrees. */
  camera(name: string, eye: Vec3, target: Vec3, vfov: number, aspect = 1.5): void {
    const camera = this.#doc
      .createCamera(name)
      .setType('perspective')
      .setYFov(tidy((vfov * Math.PI) / 180));
    camera.setAspectRatio(aspect).setZNear(0.01).setZFar(100);
    this.group(name, { at: eye, turn: lookAt(eye, target) }).setCamera(camera);
  }

  /**
   * Turns nodes about axes at constant speed for `seconds`: `turns` may be negative or fractional.
   * Keys lie at most a quarter turn apart, so that shorter-way interpolation never goes back.
   */
  spin(name: string, seconds: number, wheels: readonly { node: Node; axis: Vec3; turns: number; from?: number }[]): void {
    const animation = this.#doc.createAnimation(name);
    for (const { node, axis, turns, from = 0 } of wheels) {
      const keys = Math.max(1, Math.ceil(Math.abs(turns) * 4));
      const times = new Float32Array(keys + 1);
      const values = new Float32Array(4 * (keys + 1));
      for (let k = 0; k <= keys; k++) {
        times[k] = (seconds * k) / keys;
        values.set(axisAngle(axis, from + (360 * turns * k) / keys).map(tidy), 4 * k);
      }
      const input = this.#doc.createAccessor().setType('SCALAR').setArray(times).setBuffer(this.#buffer);
      const output = this.#doc.createAccessor().setType('VEC4').setArray(values).setBuffer(this.#buffer);
      const sampler = this.#doc.createAnimationSampler().setInput(input).setOutput(output).setInterpolation('LINEAR');
      const channel = this.#doc.createAnimationChannel().setTargetNode(node).setTargetPath('rotation').setSampler(sampler);
      animation.addSampler(sampler).addChannel(channel);
    }
  }

  glb(): Promise<Uint8Array> {
    return new NodeIO().registerExtensions(ALL_EXTENSIONS).writeBinary(this.#doc);
  }
}
