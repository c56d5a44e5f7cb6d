/**
 * The scene on the creator's desk: one file, its surroundings, its compiled summary and the camera
 * it is seen from. A file that fails leaves the scene before it where it was. Nothing leaves the
 * machine here.
 */
import { ENVIRONMENT_FILE_BYTES_MAX, SCENE_ARCHIVE_BYTES_MAX, SCENE_FILE_BYTES_MAX } from '../protocol/limits.ts';
import { isEnvironment, type Dropped } from './dropped.ts';
import { bytes as bytesText } from './format.ts';
import { problem, type Problem } from './problem.ts';
import { sampleUrl, type Sample } from './samples.ts';
import { studioEnvironment } from './studio.ts';
import type { Engine, SceneFiles, SceneSummary } from '../gpu/engine.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Camera, Lens } from '../protocol/order.ts';

export type Surroundings =
  | { readonly kind: 'black' | 'studio'; readonly intensity: number }
  | { readonly kind: 'file'; readonly name: string; readonly file: Bytes; readonly intensity: number };

interface Draft {
  readonly name: string;
  readonly title: string;
  readonly scene: Bytes;
  /** null lets the scene decide: black when it has lights of its own, a soft studio when it has none. */
  readonly surroundings: Surroundings | null;
  readonly look: Look;
  readonly camera: Camera | number | null;
}

/** What the file leaves open: one of its material variants, and a moment of its animation. */
export type Look = Pick<SceneFiles, 'frameTimeS' | 'variant'>;
const AS_IT_IS: Look = { frameTimeS: 0, variant: null };

/** A compile that nobody waits for any more runs to its end: ending it by force would cost the next one its worker. */
const NEVER = new AbortController().signal;
const UNTOUCHED = 'Nothing left this machine and nothing was charged.';

export class SceneDesk {
  name = $state('');
  title = $state('');
  busy = $state('');
  trouble = $state.raw<Problem | null>(null);
  files = $state.raw<SceneFiles | null>(null);
  summary = $state.raw<SceneSummary | null>(null);
  surroundings = $state.raw<Surroundings>({ kind: 'black', intensity: 1 });
  /** Index into the scene's cameras, or -1 for a view of one's own. */
  cameraIndex = $state(-1);
  /** With `lens`, whichever camera it is. */
  camera = $state.raw<Camera | null>(null);
  /** null: everything is sharp. */
  lens = $state.raw<Lens | null>(null);
  readonly #engine: () => Promise<Engine>;
  readonly #onscene: (summary: SceneSummary) => void;
  #work = new AbortController();

  /** @param onscene told when another scene comes onto the desk. */
  constructor(engine: () => Promise<Engine>, onscene: (summary: SceneSummary) => void = () => {}) {
    this.#engine = engine;
    this.#onscene = onscene;
  }

  /** One scene: a .glb, a zip, or a .gltf among the files it names. */
  async open(dropped: readonly Dropped[]): Promise<void> {
    const refused = refuseFiles(dropped);
    if (refused) {
      this.trouble = problem(refused, this.#kept(), 'Drop a .glb, a .gltf together with its files, or a zip of either.');
      return;
    }
    const signal = this.#begin(`Reading ${dropped[0]?.file.name ?? 'the files'}`);
    const named: { path: string; bytes: Bytes }[] = [];
    for (const { path, file } of dropped) {
      const bytes = await readFile(file);
      if (signal.aborted) return;
      if (!bytes) return this.#fail(`${file.name} could not be read from the disk.`, 'Drop it again; it may have moved or changed.');
      named.push({ path, bytes });
    }
    const { packSceneFiles } = await import('../gpu/pack-scene.ts');
    const packed = packSceneFiles(named);
    if (signal.aborted) return;
    if (!packed.ok) return this.#fail(packed.text, 'Drop the scene again, together with all of its files.');
    await this.#compile(signal, {
      name: packed.name,
      title: titleOf(packed.name),
      scene: packed.bytes,
      surroundings: null,
      look: AS_IT_IS,
      camera: null,
    });
  }

  async openSample(sample: Sample): Promise<void> {
    const signal = this.#begin(`Fetching ${sample.title}`);
    try {
      const scene = await fetchBytes(signal, sampleUrl(sample.file));
      const spec = typeof sample.environment === 'string' ? { file: sample.environment, intensity: 1 } : sample.environment;
      const surroundings: Surroundings | null = spec
        ? {
            kind: 'file',
            name: spec.file.split('/').at(-1) ?? spec.file,
            file: await fetchBytes(signal, sampleUrl(spec.file)),
            intensity: spec.intensity,
          }
        : null;
      await this.#compile(signal, {
        name: sample.file,
        title: sample.title,
        scene,
        surroundings,
        look: AS_IT_IS,
        camera: sample.camera ?? null,
      });
    } catch (cause) {
      if (!signal.aborted)
        this.#fail(
          `The sample “${sample.title}” could not be fetched.`,
          'Check the connection and try it again, or drop a file of your own.',
          cause,
        );
    }
  }

  async openEnvironment(file: File): Promise<void> {
    if (!this.files) return;
    if (!isEnvironment(file.name) || file.size > ENVIRONMENT_FILE_BYTES_MAX) {
      this.trouble = problem(
        `${file.name} is not a Radiance HDR or OpenEXR file of at most ${bytesText(ENVIRONMENT_FILE_BYTES_MAX)}.`,
        this.#kept(),
        'Drop an equirectangular .hdr or .exr file.',
      );
      return;
    }
    const content = await readFile(file);
    if (!content) return this.#fail(`${file.name} could not be read from the disk.`, 'Drop it again; it may have moved or changed.');
    await this.surround({ kind: 'file', name: file.name, file: content, intensity: 1 });
  }

  /** Compiles the scene again in other surroundings; keeps the camera. */
  async surround(surroundings: Surroundings): Promise<void> {
    await this.#again('Lighting the scene', { surroundings });
  }

  /** Compiles the scene again with other materials, or at another moment; keeps the camera. */
  async show(look: Partial<Look>): Promise<void> {
    const { frameTimeS, variant } = this.files ?? AS_IT_IS;
    await this.#again(look.variant === undefined ? 'Moving the scene' : 'Changing the materials', {
      look: { frameTimeS, variant, ...look },
    });
  }

  pickCamera(index: number): void {
    const picked = this.summary?.cameras[index];
    const camera = picked?.camera ?? this.summary?.view ?? null;
    this.cameraIndex = picked ? index : -1;
    this.camera = camera && { ...camera, lens: this.lens };
  }

  /** The view was turned by hand. */
  orbit(camera: Camera): void {
    this.cameraIndex = -1;
    this.camera = { ...camera, lens: this.lens };
  }

  /** Another lens before the same camera. */
  focus(lens: Lens | null): void {
    this.lens = lens;
    if (this.camera) this.camera = { ...this.camera, lens };
  }

  clear(): void {
    this.#work.abort();
    this.busy = '';
    this.trouble = null;
    this.files = null;
    this.summary = null;
    this.camera = null;
    this.lens = null;
    this.name = '';
    this.title = '';
  }

  #begin(text: string): AbortSignal {
    this.#work.abort();
    this.#work = new AbortController();
    this.busy = text;
    this.trouble = null;
    return this.#work.signal;
  }

  async #again(text: string, changes: Partial<Pick<Draft, 'surroundings' | 'look'>>): Promise<void> {
    if (!this.files) return;
    const { scene, frameTimeS, variant } = this.files;
    const { name, title, surroundings } = this;
    const camera = this.cameraIndex >= 0 ? this.cameraIndex : this.camera;
    await this.#compile(this.#begin(text), { name, title, scene, surroundings, look: { frameTimeS, variant }, camera, ...changes });
  }

  async #compile(signal: AbortSignal, draft: Draft): Promise<void> {
    try {
      this.busy = 'Compiling the scene';
      const engine = await this.#engine();
      let surroundings: Surroundings = draft.surroundings ?? { kind: 'black', intensity: 1 };
      let outcome = await engine.compile(NEVER, sceneFiles(draft, surroundings));
      if (!signal.aborted && outcome.ok && draft.surroundings === null && outcome.summary.lights === 0) {
        surroundings = { kind: 'studio', intensity: 1 };
        outcome = await engine.compile(NEVER, sceneFiles(draft, surroundings));
      }
      if (signal.aborted) return;
      if (!outcome.ok) return this.#fail(outcome.text, 'Drop another file, or mend this one and drop it again.');
      this.#lay(draft, surroundings, outcome.summary);
    } catch (cause) {
      if (!signal.aborted) this.#fail('The scene compiler stopped unexpectedly.', 'Reload the page and drop the file again.', cause);
    }
  }

  #lay(draft: Draft, surroundings: Surroundings, summary: SceneSummary): void {
    this.busy = '';
    this.name = draft.name;
    this.title = draft.title;
    this.surroundings = surroundings;
    // A lens belongs to a scene's scale; another look of the same scene keeps it.
    if (draft.scene !== this.files?.scene) {
      this.lens = null;
      this.#onscene(summary);
    }
    this.files = sceneFiles(draft, surroundings);
    this.summary = summary;
    if (typeof draft.camera === 'object' && draft.camera) this.orbit(draft.camera);
    else this.pickCamera(draft.camera ?? 0);
  }

  #fail(what: string, remedy: string, cause?: unknown): void {
    this.busy = '';
    this.trouble = problem(what, this.#kept(), remedy, cause);
  }

  #kept(): string {
    return this.summary ? `“${this.title}” stays on the desk. ${UNTOUCHED}` : UNTOUCHED;
  }
}

/** One sentence when names or sizes rule the files out before they are read. */
export function refuseFiles(dropped: readonly { readonly file: Pick<File, 'name' | 'size'> }[]): string | null {
  const scene = dropped.find(({ file }) => /\.(glb|gltf|zip)$/i.test(file.name));
  const total = dropped.reduce((sum, { file }) => sum + file.size, 0);
  if (!scene) return `${dropped[0]?.file.name ?? 'What was dropped'} is not a glTF scene.`;
  const { name, size } = scene.file;
  if (size === 0) return `${name} is empty.`;
  if (size > SCENE_FILE_BYTES_MAX) return `${name} has ${bytesText(size)}; the limit is ${bytesText(SCENE_FILE_BYTES_MAX)}.`;
  if (total > SCENE_ARCHIVE_BYTES_MAX)
    return `The files have ${bytesText(total)} together; the limit is ${bytesText(SCENE_ARCHIVE_BYTES_MAX)}.`;
  return null;
}

const titleOf = (name: string): string =>
  name
    .replace(/\.[^.]+$/, '')
    .replaceAll(/[-_]+/g, ' ')
    .trim()
    .slice(0, 120) || 'Untitled';

function sceneFiles({ scene, look }: Draft, surroundings: Surroundings): SceneFiles {
  const { kind, intensity } = surroundings;
  const environment = kind === 'black' ? null : { file: kind === 'file' ? surroundings.file : studioEnvironment(), intensity };
  return { scene, environment, ...look };
}

async function readFile(file: File): Promise<Bytes | null> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return null;
  }
}

async function fetchBytes(signal: AbortSignal, url: string): Promise<Bytes> {
  const response = await fetch(url, { signal });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
