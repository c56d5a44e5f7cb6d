/**
 * Unpacks parts of npm `@sparticuz/chromium` (brotli + tar): SwiftShader with a Vulkan loader for
 * Node, and a headless Chromium for tests. Plain JavaScript, because the test set-up runs it before
 * anything is built. Refuses links and names that leave the target folder.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const TAR_BLOCK_BYTES = 512;

/** @returns {{ folder: string, version: string }} where the package lies */
function locate() {
  let folder = dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium'));
  while (!existsSync(join(folder, 'bin'))) folder = dirname(folder);
  return { folder, version: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version };
}

/**
 * Writes the regular files of a POSIX tar archive below `folder`.
 * @param {Uint8Array} tar
 * @param {string} folder
 */
function untar(tar, folder) {
  const text = (at, bytes) =>
    Buffer.from(tar.subarray(at, at + bytes))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  for (let at = 0; at + TAR_BLOCK_BYTES <= tar.length;) {
    const name = text(at, 100);
    if (name === '') return;
    const bytes = Number.parseInt(text(at + 124, 12), 8);
    const isFile = ['0', ''].includes(text(at + 156, 1));
    at += TAR_BLOCK_BYTES;
    if (isFile) {
      const inside = normalize(name);
      if (inside.startsWith('..') || inside.startsWith('/')) throw new Error(`archive entry ${name} leaves its folder`);
      mkdirSync(dirname(join(folder, inside)), { recursive: true });
      writeFileSync(join(folder, inside), tar.subarray(at, at + bytes), { mode: 0o755 });
    }
    at += Math.ceil(bytes / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  }
}

/** Fills `<cache>/<name>-<version>` once; a half-written folder never gets that name. */
function once(cache, name, fill) {
  const source = locate();
  const target = join(cache, `${name}-${source.version}`);
  if (existsSync(target)) return target;
  const building = `${target}.${process.pid}`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  fill(join(source.folder, 'bin'), building);
  try {
    renameSync(building, target);
  } catch (error) {
    // Another process was faster; its folder is as good as ours.
    rmSync(building, { recursive: true, force: true });
    if (!existsSync(target)) throw error;
  }
  return target;
}

const unbrotli = (bin, name) => brotliDecompressSync(readFileSync(join(bin, `${name}.br`)));

/**
 * SwiftShader, its ICD file and libvulkan.so.1.
 * @param {string} cache folder for unpacked files, for example `.pictor`
 * @returns {string} the folder that holds them
 */
export const unpackSwiftShader = (cache) => once(cache, 'swiftshader', (bin, folder) => untar(unbrotli(bin, 'swiftshader.tar'), folder));

/**
 * A headless Chromium with the libraries that a bare system may lack.
 * @param {string} cache
 * @returns {{ executable: string, libraries: string, fonts: string }}
 */
export function unpackChromium(cache) {
  const folder = once(cache, 'chromium', (bin, target) => {
    for (const part of ['swiftshader.tar', 'fonts.tar', 'al2023.tar']) untar(unbrotli(bin, part), target);
    writeFileSync(join(target, 'chromium'), unbrotli(bin, 'chromium'), { mode: 0o755 });
  });
  // The package's own file names folders of another system.
  const fonts = `<?xml version="1.0"?><fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/font-cache</cachedir></fontconfig>\n`;
  writeFileSync(join(folder, 'fonts.conf'), fonts);
  return { executable: join(folder, 'chromium'), libraries: join(folder, 'lib'), fonts: folder };
}
