/** What a run in Node found, as text for people. */
import { costPerMille } from '#lib/market/metering.ts';
import type { NodeReport, NodeRow } from './run-node.ts';
import { figure, markdown, millions } from './table.ts';

export function nodeText(report: NodeReport): string {
  const { adapter, software, size, rows } = report;
  const ran = rows.flatMap((row) => row.variants.flatMap((one) => ('failed' in one ? [] : [one.variant])));
  const keys = [...new Set(ran)];
  const head = [
    'scene',
    'triangles',
    ...keys.flatMap((key) => [`${key}: Ms/s`, 'Ms/CPU s', 'M rays/s']),
    'same film',
    'nodes, triangles per ray',
    'MB',
    'B/triangle',
  ];
  const cells = rows.map((row) => [
    row.scene,
    String(row.triangles),
    ...keys.flatMap((key) => variantCells(row, key)),
    sameFilm(row),
    row.counters
      ? `${figure(row.counters.nodeVisits / row.counters.segments)}, ${figure(row.counters.triangleTests / row.counters.segments)}`
      : '–',
    figure(row.bytes / 1e6),
    figure(row.bytesPerTriangle),
  ]);
  const mixHead = ['scene', 'tree', 'M rays/s', 'M rays/CPU s', 'nodes per ray', 'triangles per ray', 'of the issue-rate bound'];
  const mixCells = rows.flatMap((row) =>
    row.mixes
      .filter(({ result }) => result !== null)
      .map(({ tree, result, ofBound }) => [
        row.scene,
        tree,
        millions(result!.raysPerSecond),
        millions(result!.raysPerCpuSecond),
        figure(result!.perRay.nodes),
        figure(result!.perRay.triangles),
        ofBound === null ? 'chip unknown' : `${figure(ofBound * 100)} %`,
      ]),
  );
  const failures = rows.flatMap((row) => [
    ...row.variants.flatMap((one) => ('failed' in one ? [`* ${row.scene}, ${one.variant}: ${one.failed}`] : [])),
    ...row.mixes.flatMap(({ tree, failed }) => (failed === null ? [] : [`* ${row.scene}, rays over the ${tree} tree: ${failed}`])),
  ]);
  return [
    `Node, Dawn on ${adapter}; ${size.width} × ${size.height}. Kernels interleaved, the best of three rounds.`,
    '',
    markdown(head, cells),
    '',
    'Traversal alone, a primary and an ambient-occlusion ray per pixel:',
    '',
    markdown(mixHead, mixCells),
    '',
    `What a segment takes by the counting kernel, and the work units that a second ${software ? 'of CPU time' : 'of this adapter'} is, with its first variant:`,
    '',
    meterTable(rows, software),
    ...(failures.length > 0 ? ['', ...new Set(failures)] : []),
  ].join('\n');
}

function variantCells({ variants }: NodeRow, key: string): readonly string[] {
  const found = variants.find((one) => one.variant === key);
  if (!found || 'failed' in found) return ['–', '–', '–'];
  return [millions(found.samplesPerSecond), millions(found.samplesPerCpuSecond), millions(found.segmentsPerSecond)];
}

function sameFilm({ variants }: NodeRow): string {
  const films = new Set(variants.flatMap((one) => ('failed' in one ? [] : [one.film])));
  return films.size === 1 ? 'yes' : `${films.size} films`;
}

/** Were metering exact, every scene would give a device the same work units per second. */
function meterTable(rows: readonly NodeRow[], software: boolean): string {
  const metered = rows.flatMap(({ scene, counters, variants }) => {
    const ran = variants.find((one) => !('failed' in one));
    if (!counters || !ran || 'failed' in ran) return [];
    const { segments, nodeVisits, triangleTests, shadingCalls, texelReads } = counters;
    const cost = costPerMille([counters]);
    // Other work on the machine takes wall time from a processor, and none of a GPU's.
    const segmentsPerSecond = ran.segmentsPerSecond * (software ? ran.samplesPerCpuSecond / ran.samplesPerSecond : 1);
    const perSegment = [nodeVisits, triangleTests, shadingCalls, texelReads].map((count) => figure(count / segments));
    return [{ scene, perSegment, cost, perSecond: (segmentsPerSecond * cost) / 1e12, nanoseconds: 1e9 / segmentsPerSecond }];
  });
  const middle = Math.exp(metered.reduce((sum, { perSecond }) => sum + Math.log(perSecond), 0) / metered.length);
  return markdown(
    ['scene', 'nodes', 'triangles', 'shadings', 'texels', 'ns', 'cost, thousandths', 'milli-WU/s', 'of the geometric mean'],
    metered.map(({ scene, perSegment, cost, perSecond, nanoseconds }) => [
      scene,
      ...perSegment,
      figure(nanoseconds),
      String(cost),
      figure(perSecond * 1000),
      `${figure(perSecond / middle)}×`,
    ]),
  );
}
