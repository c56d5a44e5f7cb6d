/** A list of vertices may be far longer than what a primitive uses of it; only what is used is compiled. */
import { describe, expect, test } from 'vitest';
import { Triangle, Vertex } from '#shaders/layout.ts';
import { compileScene } from '#workers/scene/compile.ts';
import { quadDocument, sceneFiles, writeGlb } from './fixtures.ts';
import { addNumbers, withJson } from './json-kit.ts';
import { field } from './oracle.ts';

const PLACEMENTS = 20;

/** A quad whose four vertices lie at the end of lists this long, placed many times; `x` is of the third one, `unused` of all others. */
async function quads(listed: number, unused = 5, x = 1) {
  const corners = [
    [-1, -1, 0],
    [1, -1, 0],
    [x, 1, 0],
    [-1, 1, 0],
  ];
  const { document } = quadDocument();
  const lists = (item: (i: number) => readonly number[]): number[] => Array.from({ length: listed }, (_, i) => item(i)).flat();
  const first = listed - 4;
  const glb = withJson(await writeGlb(document), (json) => {
    const primitive = json.meshes[0]!.primitives[0]!;
    primitive.attributes = {
      POSITION: addNumbers(
        json,
        'VEC3',
        lists((i) => corners[i - first] ?? [unused, unused, unused]),
      ),
      NORMAL: addNumbers(
        json,
        'VEC3',
        lists((i) => (i < first ? [1, 0, 0] : [0, 0, 1])),
      ),
      TEXCOORD_0: addNumbers(
        json,
        'VEC2',
        lists((i) => [i - first, 0]),
      ),
    };
    primitive['indices'] = addNumbers(
      json,
      'SCALAR',
      [0, 1, 2, 0, 2, 3].map((i) => first + i),
      'u16',
    );
    primitive['targets'] = [
      {
        POSITION: addNumbers(
          json,
          'VEC3',
          lists((i) => (i < first ? [9, 9, 9] : [0, 0, 2])),
        ),
      },
    ];
    Object.assign(json.meshes[0]!, { weights: [0.5] });
    json.nodes = Array.from({ length: PLACEMENTS }, (_, i) => ({ mesh: 0, translation: [i, 0, 0] }));
    json['scenes'] = [{ nodes: json.nodes.map((_, i) => i) }];
  });
  return compileScene(new AbortController().signal, sceneFiles(glb));
}

describe('vertices that nothing uses', () => {
  test('are not compiled, once per placement, and change nothing', async () => {
    const [long, short] = [await quads(2_000), await quads(4)];
    // Placements that turn nothing carry the same normals: they share their vertices.
    expect(long.vertices.byteLength).toBe(4 * Vertex.size);
    expect(long.summary.root).toBe(short.summary.root);
    // The morph target went with its vertices.
    expect(field(long.triangles, Triangle, 0, 'v0')[2]).toBe(1);
  });

  test('a used one that is no number is still refused, by the number it has in the file', async () => {
    await expect(quads(2_000, Number.NaN)).resolves.toBeDefined();
    await expect(quads(2_000, 5, Number.NaN)).rejects.toThrow(/position of vertex 1998 is not a finite number/);
  });
});
