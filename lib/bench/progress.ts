/** What people see while a benchmark runs: on a terminal a live view, else a line for each case. */

import type { Painter } from '../cli/style';
import type { CaseReport } from './report';
import { short } from './report';
import type { RunListener } from './runner';

const WIDTH = 30;
const FRAME_MS = 100;

interface LiveView {
  (text: string): void;
  clear(): void;
  done(): void;
  persist(text: string): void;
}

/** How much there is to do. */
export interface Extent {
  readonly cases: number;
  readonly targets: number;
  readonly rounds: number;
}

/** Shows progress on standard error, so that standard output holds the report alone. */
export class Progress implements RunListener {
  readonly #paint: Painter;
  readonly #extent: Extent;
  readonly #started = Date.now();
  #live: LiveView | undefined;
  #steps = 0;
  #title = 'starting the targets';
  #ops = 0;
  #drawn = 0;
  readonly #newest: Map<string, number> = new Map();

  private constructor(paint: Painter, extent: Extent) {
    this.#paint = paint;
    this.#extent = extent;
  }

  /** Begins; `live` only where a terminal shows it. */
  static async begin(paint: Painter, extent: Extent, live: boolean): Promise<Progress> {
    const progress = new Progress(paint, extent);
    if (live) {
      const { createLogUpdate } = await import('log-update');
      progress.#live = createLogUpdate(process.stderr) as unknown as LiveView;
      progress.#draw();
    }
    return progress;
  }

  step(what: { readonly benchCase: string; readonly target: string; readonly round: number }): void {
    const doing = what.round === 0 ? 'warms up' : `round ${what.round} of ${this.#extent.rounds}`;
    this.#title = `${what.benchCase}  ${what.target}  ${doing}`;
    this.#steps += 1;
    this.#draw();
  }

  progress(opsPerSecond: number): void {
    this.#ops = opsPerSecond;
    this.#newest.set(this.#title.split('  ')[1] ?? '', opsPerSecond);
    if (Date.now() - this.#drawn >= FRAME_MS) {
      this.#draw();
    }
  }

  skipped(benchCase: string, target: string, why: string): void {
    this.note(`${benchCase}: ${target} is skipped: ${why}`);
  }

  caseDone(report: CaseReport): void {
    const cells = report.cells
      .filter(({ skipped }) => skipped === null)
      .map(({ target, opsPerSecond }) => `${target} ${short(opsPerSecond?.median ?? 0)}/s`);
    this.note(`${report.workload} P=${report.pipeline}: ${cells.join(', ')}`);
    this.#newest.clear();
  }

  /** Says something that stays. */
  note(text: string): void {
    if (this.#live === undefined) {
      process.stderr.write(`${text}\n`);
    } else {
      this.#live.persist(this.#paint('dim', text));
      this.#draw();
    }
  }

  /** Says what is being done beside the rounds. */
  say(title: string): void {
    this.#title = title;
    this.#draw();
  }

  /** Removes the live view. */
  end(): void {
    if (this.#live !== undefined) {
      this.#live.clear();
      this.#live.done();
      this.#live = undefined;
    }
  }

  #draw(): void {
    if (this.#live === undefined) {
      return;
    }
    // Each target is prepared, then warms up, then runs its rounds.
    const { cases, targets, rounds } = this.#extent;
    const part = Math.min(1, this.#steps / (cases * targets * (rounds + 2)));
    const filled = Math.round(part * WIDTH);
    const bar = this.#paint('green', '█'.repeat(filled)) + this.#paint('dim', '░'.repeat(WIDTH - filled));
    const elapsed = (Date.now() - this.#started) / 1000;
    const left = part > 0.02 ? ` about ${Math.ceil(elapsed / part - elapsed)} s left` : '';
    const now = this.#ops > 0 ? `  ${short(this.#ops)}/s` : '';
    const others = [...this.#newest].map(([target, ops]) => `${target} ${short(ops)}/s`).join('  ');
    const lines = [
      `${bar} ${(part * 100).toFixed(0).padStart(3)} %${left}`,
      `${this.#paint('bold', this.#title)}${now}`,
      this.#paint('dim', others),
    ];
    this.#live(lines.join('\n'));
    this.#drawn = Date.now();
  }
}
