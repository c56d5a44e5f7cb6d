/**
 * A progress bar on stderr: one line redrawn in place on a terminal, a line now and then elsewhere.
 * Refuses to write more often than a person can read.
 */

const REDRAW_MS = 100;
/** Elsewhere than on a terminal: seldom enough to keep a log readable, often enough to see that it lives. */
const LOG_LINE_MS = 10_000;
const LOG_COLUMNS = 160;
const BAR_CELLS = 28;

export interface ProgressBar {
  /** @param done 0 to 1. */
  update(done: number, text: string): void;
  /** Leaves the last line as it stands, and the cursor below it. */
  end(): void;
}

export function progressBar(stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()): ProgressBar {
  const everyMs = stream.isTTY ? REDRAW_MS : LOG_LINE_MS;
  const columns = (): number => (stream.isTTY ? stream.columns || 80 : LOG_COLUMNS);
  const draw = (line: string): void => void stream.write(stream.isTTY ? `\r\x1b[2K${line}` : `${line}\n`);
  const startedMs = now();
  let drawnMs = stream.isTTY ? -Infinity : startedMs;
  let line = '';
  return {
    update: (done, text) => {
      line = barLine(done, text, now() - startedMs, columns());
      if (now() - drawnMs < everyMs) return;
      drawnMs = now();
      draw(line);
    },
    end: () => {
      if (line === '') return;
      draw(line);
      if (stream.isTTY) stream.write('\n');
    },
  };
}

/** `[█████     ]  42 %  text, about 12 s left`, cut to the terminal's width. */
export function barLine(done: number, text: string, elapsedMs: number, columns: number): string {
  const share = Math.min(Math.max(done, 0), 1);
  const cells = Math.round(share * BAR_CELLS);
  const bar = `[${'█'.repeat(cells)}${' '.repeat(BAR_CELLS - cells)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
  // An estimate from less than a second or one percent says nothing.
  const left = share >= 0.01 && share < 1 && elapsedMs > 1000 ? `, about ${duration((elapsedMs / share) * (1 - share))} left` : '';
  return `${bar}  ${text}${left}`.slice(0, columns - 1);
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** 1234567 → '1.23 M'. */
export function si(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  let step = 0;
  let rest = value;
  while (rest >= 1000 && step < units.length - 1) {
    rest /= 1000;
    step++;
  }
  return `${step === 0 ? rest.toFixed(0) : rest.toPrecision(3)}${units[step]}`;
}

/** Micro-tokens in tokens, at most four digits that count; exact below a hundredth of one. */
export function tokenText(micro: bigint): string {
  const tokens = Number(micro) / 1e6;
  return tokens < 0.01 ? tokens.toFixed(6).replace(/\.?0+$/, '') : String(Number(tokens.toPrecision(4)));
}
