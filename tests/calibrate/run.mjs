/** What `npm run trust:calibrate` calls: bundles the calibration for Node and runs it in this process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = process.cwd();
const out = join(root, 'tests/.out/calibrate-driver');
await build({
  root,
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  worker: { format: 'es' },
  build: {
    ssr: true,
    target: 'node20',
    outDir: out,
    emptyOutDir: true,
    minify: false,
    rollupOptions: {
      input: { calibrate: join(root, 'tests/calibrate/calibrate.ts') },
      output: { format: 'es', entryFileNames: '[name].js' },
    },
  },
});
await import(pathToFileURL(join(out, 'calibrate.js')).href);
