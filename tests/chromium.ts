/** Which Chromium the tests drive and with which flags. Refuses to download one. */
import { existsSync } from 'node:fs';

const SYSTEM_CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of the browser: PICTOR_CHROMIUM, else a system one; the test set-up fills PICTOR_CHROMIUM. */
export function chromiumPath(): string {
  const named = process.env.PICTOR_CHROMIUM;
  if (named) return named;
  const found = SYSTEM_CHROMIUM.find((path) => existsSync(path));
  if (!found) throw new Error('no Chromium: run `npm test`, which prepares one, or set PICTOR_CHROMIUM');
  return found;
}

/** WebGPU and WebGL on SwiftShader, no sandbox (containers), no background traffic. */
export const chromiumArgs = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];
