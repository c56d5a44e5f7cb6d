/**
 * The bytes behind the URIs of a glTF document: `data:` URIs, and files of the bundle the document
 * came in. Names are compared as exporters mean them (percent-encoding, `./`, backslashes, letter
 * case, paths of another machine), but never by guessing between two candidates. Nothing is fetched.
 */
import { quoted, type Archive } from './archive.ts';
import { SceneError } from './compiled-scene.ts';

type Bytes = Uint8Array<ArrayBuffer>;

/** `path` is the JSON path of the URI, for errors. @throws SceneError when there are no such bytes. */
export type ResourceReader = (uri: string, path: string) => Bytes;

/** For a file that came alone. */
export const aloneReader: ResourceReader = (uri, path) => {
  if (isDataUri(uri)) return readDataUri(uri, path);
  throw new SceneError(
    `${path}: the data lies in another file (${quoted(uri)}); give all files of the scene together, or export one .glb that holds everything.`,
  );
};

/** For a document that lies in `folder` ('' or ending in '/') of the archive. */
export function archiveReader(archive: Archive, folder: string): ResourceReader {
  const byFolded = group(archive.paths, (path) => path.toLowerCase());
  const byName = group(archive.paths, (path) => lastPart(path).toLowerCase());
  const exact = new Set(archive.paths);
  return (uri, path) => {
    if (isDataUri(uri)) return readDataUri(uri, path);
    if (/^(https?|ftp|blob):/i.test(uri)) {
      throw new SceneError(
        `${path}: the data lies on the network (${quoted(uri)}), where nothing is fetched from; put the file beside the scene.`,
      );
    }
    const names = [decoded(uri), uri].map((name) => resolvePath(folder, name));
    const straight = names.find((name) => exact.has(name));
    if (straight !== undefined) return archive.read(straight);
    // Weaker and weaker meanings of a name; each must point at one file.
    const guesses = names.flatMap((name) => [byFolded.get(name.toLowerCase()), byName.get(lastPart(name).toLowerCase())]);
    const found = guesses.find((paths) => paths !== undefined);
    if (found?.length === 1) return archive.read(found[0] as string);
    if (found) throw new SceneError(`${path}: ${quoted(uri)} could be ${found.slice(0, 2).map(quoted).join(' or ')}; rename one of them.`);
    throw new SceneError(`${path}: the file ${quoted(uri)} is missing; give it together with the scene.`);
  };
}

function group(paths: readonly string[], key: (path: string) => string): Map<string, string[]> {
  const out = new Map<string, string[]>();
  for (const path of paths) out.set(key(path), [...(out.get(key(path)) ?? []), path]);
  return out;
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

function decoded(uri: string): string {
  try {
    return decodeURIComponent(uri);
  } catch {
    return uri;
  }
}

/** What leads above the bundle's root stays at it: the bundle is all there is. */
function resolvePath(folder: string, name: string): string {
  const parts: string[] = [];
  for (const part of (folder + name.replaceAll('\\', '/')).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

const isDataUri = (uri: string): boolean => /^data:/i.test(uri);

/** Base64 or percent-encoded. */
function readDataUri(uri: string, path: string): Bytes {
  const comma = uri.indexOf(',');
  const body = uri.slice(comma + 1);
  try {
    if (comma > 0 && /;base64$/i.test(uri.slice(0, comma))) {
      const text = atob(body);
      const out = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
      return out;
    }
    if (comma > 0) return new TextEncoder().encode(decodeURIComponent(body));
  } catch {
    // Falls through to the one sentence below.
  }
  throw new SceneError(`${path}: the data: URI cannot be decoded; export the file again.`);
}
