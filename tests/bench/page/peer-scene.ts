/** A shot as the peers take it: three's own loaders, a perspective camera, the environment seen and lighting. */
import { Color, EquirectangularReflectionMapping, FloatType, PerspectiveCamera, Scene } from 'three';
import { GLTFLoader } from 'three/examples/jsm/loaders/GLTFLoader.js';
import { HDRLoader } from 'three/examples/jsm/loaders/HDRLoader.js';
import { MeshoptDecoder } from 'three/examples/jsm/libs/meshopt_decoder.module.js';
import type { BenchShot } from './contract.ts';

export interface PeerScene {
  readonly scene: Scene;
  readonly camera: PerspectiveCamera;
}

export async function peerScene(shot: BenchShot): Promise<PeerScene> {
  const { scene: model } = await new GLTFLoader().setMeshoptDecoder(MeshoptDecoder).loadAsync(shot.scene);
  const scene = new Scene();
  scene.add(model);
  scene.background = new Color(0x000000);
  if (shot.environment !== null) {
    const light = await new HDRLoader().setDataType(FloatType).loadAsync(shot.environment);
    light.mapping = EquirectangularReflectionMapping;
    scene.environment = light;
    scene.background = light;
    scene.environmentIntensity = shot.intensity;
    scene.backgroundIntensity = shot.intensity;
  }
  const camera = new PerspectiveCamera(shot.camera.vfov, shot.width / shot.height, 0.01, 1e5);
  camera.position.set(...shot.camera.eye);
  camera.up.set(...shot.camera.up);
  camera.lookAt(...shot.camera.target);
  camera.updateMatrixWorld();
  camera.updateProjectionMatrix();
  return { scene, camera };
}

export function peerCanvas(shot: BenchShot): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = shot.width;
  canvas.height = shot.height;
  document.body.replaceChildren(canvas);
  return canvas;
}
