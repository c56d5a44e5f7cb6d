/** The words after `npm run bench --`, as values. Refuses what it does not know in one sentence. */
import { parseArgs } from 'node:util';

export const HELP = `
Usage: npm run bench -- [options]

Renders the shipped scenes, and those of ../shared where they are, with this renderer (through its
embedding entry) and with three-gpu-pathtracer's two tracers in Chromium, and prints a table.

  --scenes a,b     only these; 'shared' and 'shipped' name all of a kind
  --size WxH       default 128x96 on a software adapter, 1024x768 on a GPU
  --seconds S      sampling time of each renderer per scene, default 10
  --bounces N      default 8
  --only a,b       of ours, webgl, webgpu (the tracers), default all
  --gpu            this machine's GPU instead of SwiftShader
  --node           this renderer alone, in Node through Dawn: kernels and trees side by side, and
                   rays/s of primary and ambient-occlusion rays; the driver is the first that
                   VK_ICD_FILENAMES names, else the one that pictor would pick
  --drivers a,b    with --node: swiftshader, lavapipe or default, each in a process of its own
  --variants a,b   with --node: only variants whose name holds one of these words, such as mega
  --build          hierarchy builds alone
  --drop           from a dropped file to first light in Chromium, stage by stage
  --denoise        the denoiser alone, in Node through Dawn, beside oidn-web: each way to convolve;
                   with --size, --drivers, --scenes small,hdr,large (networks) and --variants (ways)
  --ledger         the ledger alone: replay, proofs, leases settled by one and two coordinators
  --json           one line of JSON instead of the table
  --write          also append the table to tests/BENCH.md
`;

export interface BenchOptions {
  readonly mode: 'browser' | 'node' | 'build' | 'drop' | 'denoise' | 'help';
  readonly scenes: readonly string[];
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly seconds: number;
  readonly bounces: number;
  readonly only: readonly string[];
  readonly gpu: boolean;
  readonly drivers: readonly string[];
  readonly variants: readonly string[];
  readonly json: boolean;
  readonly write: boolean;
}

const SECONDS_MAX = 600;
export const RENDERERS = ['ours', 'webgl', 'webgpu'] as const;
export type RendererName = (typeof RENDERERS)[number];

/** @throws Error with one sentence. */
export function readOptions(args: readonly string[]): BenchOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ scenes: text, size: text, seconds: text, bounces: text, only: text, drivers: text, variants: text },
      ...{ gpu: flag, node: flag, build: flag, drop: flag, denoise: flag, json: flag, write: flag, help: flag },
    },
  });
  const list = (word: string | undefined): string[] => word?.split(',').filter((one) => one !== '') ?? [];
  const only = list(values.only);
  const unknown = only.find((one) => !(RENDERERS as readonly string[]).includes(one));
  if (unknown !== undefined) throw new Error(`--only takes ${RENDERERS.join(', ')}, not ${unknown}`);
  const size = values.size === undefined ? null : /^(\d+)x(\d+)$/.exec(values.size);
  if (values.size !== undefined && !size) throw new Error(`--size must be such as 256x192, not ${values.size}`);
  const seconds = Number(values.seconds ?? 10);
  if (!(seconds > 0 && seconds <= SECONDS_MAX)) throw new Error(`--seconds must be above 0 and at most ${SECONDS_MAX}`);
  return {
    mode: values.help
      ? 'help'
      : values.node
        ? 'node'
        : values.build
          ? 'build'
          : values.drop
            ? 'drop'
            : values.denoise
              ? 'denoise'
              : 'browser',
    scenes: list(values.scenes),
    size: size && { width: Number(size[1]), height: Number(size[2]) },
    seconds,
    bounces: Number(values.bounces ?? 8),
    only: only.length > 0 ? only : RENDERERS,
    gpu: values.gpu,
    drivers: list(values.drivers),
    variants: list(values.variants),
    json: values.json,
    write: values.write,
  };
}
