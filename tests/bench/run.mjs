/** What `npm run bench` calls: bundles the bench for Node and runs it in this process. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'vite';

const root = process.cwd();
const out = join(root, 'tests/.out/bench/driver');
await build({
  root,
  configFile: false,
  logLevel: 'error',
  publicDir: false,
  worker: { format: 'es' },
  // Its modules import each other without endings, which Node refuses.
  ssr: { noExternal: ['oidn-web'] },
  build: {
    ssr: true,
    target: 'node20',
    outDir: out,
    emptyOutDir: true,
    minify: false,
    rollupOptions: {
      input: { bench: join(root, 'tests/bench/bench.ts'), 'ledger-coordinator': join(root, 'tests/bench/ledger/coordinator.ts') },
      output: { format: 'es', entryFileNames: '[name].js' },
    },
  },
});
await import(pathToFileURL(join(out, 'bench.js')).href);
