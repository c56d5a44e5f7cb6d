/** The scenes shipped with the site, as `/samples/index.json` lists them. An absent or odd list is an empty one. */
import * as v from 'valibot';
import { CameraSchema } from '../protocol/order.ts';

const path = v.pipe(v.string(), v.regex(/^\/?[\w./-]+$/));

const SampleSchema = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9-]+$/)),
  title: v.string(),
  /** Beside the index, or from the site's root. */
  file: path,
  bytes: v.pipe(v.number(), v.minValue(0)),
  picture: v.nullish(path),
  description: v.nullish(v.string()),
  camera: v.nullish(v.union([CameraSchema, v.number()])),
  environment: v.nullish(v.union([path, v.object({ file: path, intensity: v.optional(v.number(), 1) })])),
});
export type Sample = v.InferOutput<typeof SampleSchema>;

export async function loadSamples(signal: AbortSignal): Promise<readonly Sample[]> {
  try {
    const response = await fetch('/samples/index.json', { signal });
    if (!response.ok) return [];
    const list: unknown = await response.json();
    const entries = Array.isArray(list) ? (list as unknown[]) : [];
    return entries.flatMap((entry) => {
      const parsed = v.safeParse(SampleSchema, entry);
      return parsed.success ? [parsed.output] : [];
    });
  } catch {
    return [];
  }
}

export const sampleUrl = (file: string): string => (file.startsWith('/') ? file : `/samples/${file}`);
