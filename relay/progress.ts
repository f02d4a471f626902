const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const BAR_WIDTH = 24;
/** A bar redrawn more often than this only costs time. Milliseconds. */
const REDRAW = 100;
/** Without a terminal, a line at most this often. Milliseconds. */
const LINE = 5_000;

export function formatBytes(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${(bytes / 1000 ** unit).toFixed(unit < 2 ? 0 : 1)} ${UNITS[unit]}`;
}

export interface ProgressOutput {
  isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Shows a long job: a bar that is redrawn in a terminal, a line now and then elsewhere.
 * Call `update` as often as you like and `end` once.
 */
export class ProgressBar {
  #last = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(
    readonly label: string,
    private readonly output: ProgressOutput = process.stdout,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** `done` and `total` in bytes; `total` 0 when it is not known. */
  update(done: number, total: number): void {
    const time = this.now();
    const finished = total > 0 && done >= total;
    if (!finished && time - this.#last < (this.output.isTTY ? REDRAW : LINE)) return;
    this.#last = time;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const figures = total > 0 ? `${formatBytes(done)} of ${formatBytes(total)}` : formatBytes(done);
    const percent = `${Math.floor(share * 100)} %`.padStart(5);
    if (!this.output.isTTY) {
      if (!finished || !this.#drawn) this.output.write(`${this.label}: ${percent.trim()} (${figures})\n`);
    } else {
      const filled = Math.round(share * BAR_WIDTH);
      const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
      this.output.write(`\r\x1b[K${this.label} ${bar} ${percent}  ${figures}`);
    }
    this.#drawn = finished || this.output.isTTY === true;
  }

  /** Leaves the cursor on a fresh line. */
  end(): void {
    if (this.output.isTTY && this.#drawn) this.output.write('\n');
  }
}
