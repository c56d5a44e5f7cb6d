/** The scene compiler in a page, as the product's bundler makes it: bytes by URL in, root or sentence out. */
import { compileScene, SceneError } from '#workers/scene/compile.ts';

export interface ScenesPage {
  /** @returns the root, or the sentence of the refusal. */
  compile(scene: string, environment: string | null, frameTimeS: number): Promise<string>;
}

const bytesAt = async (url: string): Promise<Uint8Array<ArrayBuffer>> => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

const page: ScenesPage = {
  async compile(scene, environment, frameTimeS) {
    const files = {
      scene: await bytesAt(scene),
      environment: environment === null ? null : { file: await bytesAt(environment), intensity: 1 },
      frameTimeS,
      variant: null,
    };
    try {
      return (await compileScene(new AbortController().signal, files)).summary.root;
    } catch (error) {
      if (error instanceof SceneError) return error.message;
      throw error;
    }
  },
};

Object.assign(globalThis, { pictorScenes: page });
