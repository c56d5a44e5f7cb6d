/** Rows as a Markdown table, and numbers as people read them. */

/** Three significant digits; an empty cell is a dash. */
export function figure(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  if (Math.abs(value) >= 10 ** digits || Math.abs(value) < 1e-4) return value.toExponential(digits - 1);
  return String(Number(value.toPrecision(digits)));
}

export const times = (value: number | null | undefined): string => (value ? `${figure(value)}×` : '–');
export const millions = (value: number | null | undefined): string => figure(value === null || value === undefined ? value : value / 1e6);

export function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
