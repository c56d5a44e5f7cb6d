/** `pictor render`: one picture, on this machine or through a network. */
import { CommandError, EXIT_INTERRUPTED, EXIT_OK, type Command } from '../command.ts';
import { catchInterrupts } from '../interrupt.ts';
import { renderLocally } from '../local-render.ts';
import { writePicture } from '../outputs.ts';
import { progressBar, si } from '../progress.ts';
import { chooseCamera, readRenderOptions, type RenderOptions } from '../render-options.ts';
import { compileOrExplain, deviceText, probeOrExplain, readSceneFiles } from '../scene-files.ts';
import { ThreadEngine } from '../thread-engine.ts';

const HELP = `
Usage: pictor render FILE [options]

Path-traces a glTF scene (.glb, or .gltf with embedded data) and writes the picture.
Without --network everything happens on this machine.

  --out PATH            .png (tone mapped), .exr or .pfm (raw linear radiance);
                        may be given several times; default: FILE's name with .png
  --env FILE.hdr        equirectangular environment; --env-intensity X scales it
  --camera N            the file's camera N, from 0; default: its first, or a framing view
  --eye x,y,z --target x,y,z [--up x,y,z] [--vfov DEGREES]
                        a camera of your own, in glTF's coordinates
  --size WxH            default 960x540
  --spp N               samples per pixel, default 64
  --bounces N           default 8
  --frame-time S        seconds into the animation, default 0
  --seed N              default 0
  --network URL         let a network trace it; the coordinator's address
  --json                one line of JSON on stdout: device, variant, samples, segments,
                        traceSeconds, compileSeconds, bytes and more

Examples:
  pictor render helmet.glb
  pictor render room.glb --out room.png --out room.exr --size 1920x1080 --spp 256
  pictor render shoe.glb --eye 0,1,3 --target 0,0.5,0 --vfov 35 --env studio.hdr
  pictor render room.glb --network http://127.0.0.1:8787
`;

export const renderCommand: Command = {
  name: 'render',
  summary: 'render a scene, on this machine or through a network',
  help: HELP,
  run: async (args) => {
    const options = readRenderOptions(args);
    const interrupts = catchInterrupts();
    return options.network === null ? local(options, interrupts.first) : 1;
  },
};

async function local(options: RenderOptions, signal: AbortSignal): Promise<number> {
  const startedMs = performance.now();
  const engine = await ThreadEngine.start();
  const files = await readSceneFiles(options);
  const device = await probeOrExplain(engine);
  const summary = await compileOrExplain(signal, engine, files, options.file);
  const frame = {
    camera: chooseCamera(options.camera, summary),
    width: options.width,
    height: options.height,
    bounces: options.bounces,
    seed: options.seed,
  };
  if (!options.json) process.stderr.write(`${options.file}: ${si(summary.triangles)} triangles, rendering on ${deviceText(device)}\n`);
  const bar = progressBar();
  const job = { sceneRoot: summary.root, frame, samples: options.samples, software: device.adapter.software };
  const result = await renderLocally(signal, engine, job, (done, segments) => bar.update(done, `${si(segments)} rays`));
  bar.end();
  if (!result) {
    process.stderr.write('Interrupted; nothing was written.\n');
    return EXIT_INTERRUPTED;
  }
  const outputs = await writePicture(result.picture, options.outputs).catch((error: unknown) => {
    throw new CommandError(`the picture could not be written: ${error instanceof Error ? error.message : String(error)}`);
  });
  const report = {
    device: device.adapter.name,
    class: device.adapter.class,
    software: device.adapter.software,
    variant: engine.shader.slice(0, 16),
    width: options.width,
    height: options.height,
    samples: options.samples,
    segments: result.segments,
    traceSeconds: result.traceSeconds,
    compileSeconds: summary.compileSeconds,
    pipelineSeconds: device.compileSeconds,
    wallSeconds: (performance.now() - startedMs) / 1000,
    bytes: summary.bytes,
    triangles: summary.triangles,
    sceneRoot: summary.root,
    outputs,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    const speed = `${si(report.segments / report.traceSeconds)} rays/s`;
    process.stderr.write(`${si(report.segments)} rays in ${report.traceSeconds.toFixed(1)} s (${speed})\n`);
    for (const output of outputs) process.stdout.write(`${output.path}\n`);
  }
  return EXIT_OK;
}
