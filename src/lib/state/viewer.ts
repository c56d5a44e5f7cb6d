/**
 * The quick view: three.js shows the dropped file at once and turns it under the pointer. It serves
 * to find a camera; how the light falls is the path tracer's to say. Loaded lazily, because three is
 * the largest thing on the site.
 */
import {
  ACESFilmicToneMapping,
  AgXToneMapping,
  Box3,
  EquirectangularReflectionMapping,
  LinearToneMapping,
  NeutralToneMapping,
  OrthographicCamera,
  PerspectiveCamera,
  PMREMGenerator,
  Raycaster,
  Scene,
  Vector2,
  Vector3,
  WebGLRenderer,
  type DataTexture,
  type Object3D,
  type ToneMapping,
} from 'three';
import { OrbitControls } from 'three/examples/jsm/controls/OrbitControls.js';
import { RoomEnvironment } from 'three/examples/jsm/environments/RoomEnvironment.js';
import { MeshoptDecoder } from 'three/examples/jsm/libs/meshopt_decoder.module.js';
import { DRACOLoader } from 'three/examples/jsm/loaders/DRACOLoader.js';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import { HDRLoader } from 'three/examples/jsm/loaders/HDRLoader.js';
import type { SceneFiles } from '../gpu/engine.ts';
import type { ToneOperator, ToneOptions } from '../image/tonemap.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Camera } from '../protocol/order.ts';

/** three's own, which ours agree with. */
const TONE_MAPPINGS: Readonly<Record<ToneOperator, ToneMapping>> = {
  neutral: NeutralToneMapping,
  agx: AgXToneMapping,
  aces: ACESFilmicToneMapping,
  none: LinearToneMapping,
};

export class Viewer {
  /** Told when a person begins to turn the view, and with where it stands when they let go. */
  onstart: () => void = () => undefined;
  onturn: (camera: Camera) => void = () => undefined;
  readonly #renderer: WebGLRenderer;
  readonly #perspective = new PerspectiveCamera();
  readonly #parallel = new OrthographicCamera();
  #camera: PerspectiveCamera | OrthographicCamera = this.#perspective;
  #aspect = 1;
  readonly #controls: OrbitControls;
  readonly #scene = new Scene();
  #model: Object3D | null = null;
  #frame = 0;
  #turned = true;
  /** What `look` was told last: turning changes where it stands, never its optics. */
  #seen: Camera = { eye: [0, 0, 1], target: [0, 0, 0], up: [0, 1, 0], tanHalfVfov: 0.4, lens: null };

  /** @throws Error when the browser gives no WebGL context. */
  constructor(canvas: HTMLCanvasElement) {
    this.#renderer = new WebGLRenderer({ canvas, antialias: true });
    this.#controls = new OrbitControls(this.#camera, canvas);
    this.#controls.addEventListener('start', () => (this.#turned = false));
    this.#controls.addEventListener('change', () => {
      if (!this.#turned) this.onstart();
      this.#turned = true;
      this.draw();
    });
    // A press without a turn changes nothing.
    this.#controls.addEventListener('end', () => {
      if (this.#turned) this.onturn(this.#standing());
    });
  }

  /** @throws Error when three cannot read the file; the path tracer may still. */
  async load(files: SceneFiles): Promise<void> {
    const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
    const draco = new DRACOLoader();
    loader.setDRACOLoader(draco);
    try {
      const gltf = await loader.parseAsync(files.scene.slice().buffer, '');
      if (this.#model) this.#scene.remove(this.#model);
      this.#model = gltf.scene;
      this.#scene.add(gltf.scene);
      this.#light(files.environment);
    } finally {
      draco.dispose();
    }
    this.draw();
  }

  /** Stands at `camera`, exactly as the network would see it. */
  look(camera: Camera): void {
    const { eye, target, up } = camera;
    this.#seen = camera;
    this.#camera = 'halfHeight' in camera ? this.#parallel : this.#perspective;
    this.#controls.object = this.#camera;
    this.#camera.zoom = 1;
    this.#camera.position.set(...eye);
    this.#camera.up.set(...up).normalize();
    this.#controls.target.copy(this.#pivot(new Vector3(...eye), new Vector3(...target)));
    const size = this.#bounds().getSize(new Vector3()).length() || 1;
    // Parallel rays start at the eye's own plane.
    this.#camera.near = 'halfHeight' in camera ? 0 : size / 5000;
    this.#camera.far = size * 50;
    this.#camera.lookAt(this.#controls.target);
    this.#shape();
  }

  /** @param x, y from 0 to 1, from the top left. @returns the distance along the view axis to what is seen there; null for nothing. */
  distanceAt(x: number, y: number): number | null {
    if (!this.#model) return null;
    const ray = new Raycaster();
    ray.setFromCamera(new Vector2(2 * x - 1, 1 - 2 * y), this.#camera);
    const [hit] = ray.intersectObject(this.#model, true);
    const axis = this.#camera.getWorldDirection(new Vector3());
    return hit ? hit.point.sub(this.#camera.position).dot(axis) : null;
  }

  /** Keyboard: turns by degrees and moves nearer (zoom > 1) or farther. */
  turn(azimuthDegrees: number, elevationDegrees: number, zoom: number): void {
    const parallel = this.#camera === this.#parallel;
    const offset = this.#camera.position.clone().sub(this.#controls.target);
    // Nearer changes nothing where rays are parallel: less is seen instead.
    if (parallel) this.#camera.zoom *= zoom;
    else offset.divideScalar(zoom);
    const right = new Vector3().crossVectors(this.#camera.up, offset).normalize();
    offset.applyAxisAngle(this.#camera.up, (azimuthDegrees * Math.PI) / 180);
    offset.applyAxisAngle(right, (elevationDegrees * Math.PI) / 180);
    this.#camera.position.copy(this.#controls.target).add(offset);
    this.#controls.update();
    this.#shape();
    this.onturn(this.#standing());
  }

  resize(width: number, height: number): void {
    if (width < 1 || height < 1) return;
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.#renderer.setSize(width, height, false);
    this.#aspect = width / height;
    this.#shape();
  }

  expose({ exposure, operator }: ToneOptions): void {
    this.#renderer.toneMapping = TONE_MAPPINGS[operator];
    this.#renderer.toneMappingExposure = 2 ** exposure;
    this.draw();
  }

  draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#renderer.render(this.#scene, this.#camera));
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#controls.dispose();
    this.#renderer.dispose();
  }

  /** Optics and proportions, as `look` and `resize` told them last. */
  #shape(): void {
    const seen = this.#seen;
    if ('halfHeight' in seen) {
      const [up, right] = [seen.halfHeight, seen.halfHeight * this.#aspect];
      Object.assign(this.#parallel, { left: -right, right, top: up, bottom: -up });
    } else {
      this.#perspective.fov = (Math.atan(seen.tanHalfVfov) * 360) / Math.PI;
      this.#perspective.aspect = this.#aspect;
    }
    this.#camera.updateProjectionMatrix();
    this.draw();
  }

  #bounds(): Box3 {
    return this.#model ? new Box3().setFromObject(this.#model) : new Box3();
  }

  /** Turning about the point on the view axis nearest to the scene's middle, not one metre ahead. */
  #pivot(eye: Vector3, target: Vector3): Vector3 {
    const axis = target.clone().sub(eye).normalize();
    const middle = this.#bounds().getCenter(new Vector3());
    const along = middle.sub(eye).dot(axis);
    return along > 0 && Number.isFinite(along) ? eye.clone().addScaledVector(axis, along) : target;
  }

  #standing(): Camera {
    const eye = this.#camera.position.toArray();
    const up = this.#camera.up.toArray();
    const stands = { ...this.#seen, eye: [...eye], target: [...this.#controls.target.toArray()], up: [...up] } satisfies Camera;
    return 'halfHeight' in stands ? { ...stands, halfHeight: stands.halfHeight / this.#camera.zoom } : stands;
  }

  #light(environment: SceneFiles['environment']): void {
    const pmrem = new PMREMGenerator(this.#renderer);
    this.#scene.environment?.dispose();
    this.#scene.background = null;
    if (environment) {
      const texture = hdrTexture(environment.file);
      this.#scene.environment = pmrem.fromEquirectangular(texture).texture;
      this.#scene.background = texture;
      this.#scene.environmentIntensity = environment.intensity;
      this.#scene.backgroundIntensity = environment.intensity;
    } else {
      // Emissive meshes do not light their surroundings in this view: a dim room keeps form visible.
      this.#scene.environment = pmrem.fromScene(new RoomEnvironment()).texture;
      this.#scene.environmentIntensity = 0.35;
    }
    pmrem.dispose();
  }
}

function hdrTexture(file: Bytes): DataTexture {
  const loader = new HDRLoader();
  const texture = loader.createDataTexture(file.slice().buffer);
  texture.mapping = EquirectangularReflectionMapping;
  texture.needsUpdate = true;
  return texture;
}
