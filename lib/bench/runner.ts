/** Runs cases over targets in interleaved rounds. */

import { CommandError } from '../cli/exit';
import type { BenchCase } from './bench-case';
import { Latencies } from './latency';
import type { CaseReport, CellReport } from './report';
import { compare, estimate } from './statistics';
import type { Measured, Target } from './target';

/** How long, and how often. */
export interface RoundSettings {
  readonly rounds: number;
  readonly roundMs: number;
  /** Differences up to this part are none. */
  readonly margin: number;
}

/** Hears what is going on. */
export interface RunListener {
  step(what: { readonly benchCase: string; readonly target: string; readonly round: number }): void;
  progress(opsPerSecond: number): void;
  skipped(benchCase: string, target: string, why: string): void;
  caseDone(report: CaseReport): void;
}

interface Round {
  readonly opsPerSecond: number;
  readonly cpuNs: number | null;
}

/** Collects the rounds of one target in one case. */
class Cell {
  readonly target: Target;
  /** Why it has no numbers; a server may also end on the way. */
  skipped: string | null;
  readonly rounds: Round[] = [];
  readonly #latencies = new Latencies();
  readonly #throughput: number[] = [];
  #errors = 0;
  #misses = 0;
  #badValues = 0;
  #unfinished = 0;

  constructor(target: Target, skipped: string | null) {
    this.target = target;
    this.skipped = skipped;
  }

  add({ load, cpuNs }: Measured): void {
    const seconds = load.elapsedNs / 1e9;
    this.rounds.push({
      opsPerSecond: seconds > 0 ? load.replies / seconds : 0,
      cpuNs: cpuNs === null || load.replies === 0 ? null : cpuNs / load.replies,
    });
    this.#latencies.add(load.latencies);
    // The last interval is cut short by the end.
    this.#throughput.push(...[...load.intervals.slice(0, -1)].map((count) => (count * 1000) / load.intervalMs));
    this.#errors += load.errors;
    this.#misses += load.misses;
    this.#badValues += load.badValues;
    this.#unfinished += load.unfinished;
  }

  get ops(): readonly number[] {
    return this.rounds.map(({ opsPerSecond }) => opsPerSecond);
  }

  get cpu(): readonly number[] {
    return this.rounds.flatMap(({ cpuNs }) => (cpuNs === null ? [] : [cpuNs]));
  }

  report(first: Cell | undefined, margin: number): CellReport {
    const beside = (mine: readonly number[], theirs: readonly number[] | undefined): CellReport['opsBeside'] =>
      first === this || theirs === undefined ? null : (compare(mine, theirs, margin) ?? null);
    return {
      target: this.target.name,
      skipped: this.skipped,
      opsPerSecond: estimate(this.ops) ?? null,
      cpuNs: estimate(this.cpu) ?? null,
      latencyUs: this.#latencies.percentiles(),
      latencyCurve: this.#latencies.curve(),
      throughput: this.#throughput,
      errors: this.#errors,
      misses: this.#misses,
      badValues: this.#badValues,
      unfinished: this.#unfinished,
      opsBeside: beside(this.ops, first?.ops),
      cpuBeside: beside(this.cpu, first?.cpu),
      rounds: this.rounds,
    };
  }
}

/** What `attempt` gives, or the message when the target failed: the others go on without it. */
async function failureOf(attempt: () => Promise<string | null>): Promise<string | null> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof CommandError) {
      return error.message;
    }
    throw error;
  }
}

/** The targets that can run a case, prepared, and those that cannot, with a word. */
async function prepareCells(benchCase: BenchCase, targets: readonly Target[], listener: RunListener): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const target of targets) {
    listener.step({ benchCase: benchCase.name, target: target.name, round: 0 });
    const why = await failureOf(async () => target.prepare(benchCase));
    if (why !== null) {
      listener.skipped(benchCase.name, target.name, why);
    }
    cells.push(new Cell(target, why));
  }
  return cells;
}

async function runRound(
  benchCase: BenchCase,
  cell: Cell,
  round: number,
  settings: RoundSettings,
  listener: RunListener,
): Promise<void> {
  const { name } = cell.target;
  listener.step({ benchCase: benchCase.name, target: name, round });
  const onProgress = (now: { readonly replies: number; readonly elapsedNs: number }): void =>
    listener.progress(now.elapsedNs > 0 ? (now.replies * 1e9) / now.elapsedNs : 0);
  cell.skipped = await failureOf(async () => {
    const measured = await cell.target.run(benchCase, settings.roundMs, onProgress);
    if (round > 0) {
      cell.add(measured);
    }
    return null;
  });
  if (cell.skipped !== null) {
    listener.skipped(benchCase.name, name, cell.skipped);
  }
}

async function runCase(
  benchCase: BenchCase,
  targets: readonly Target[],
  settings: RoundSettings,
  listener: RunListener,
): Promise<CaseReport> {
  const cells = await prepareCells(benchCase, targets, listener);
  const able = cells.filter(({ skipped }) => skipped === null);
  // Round 0 warms up.  Every other round goes the other way, so that nobody is always first.
  for (let round = 0; round <= settings.rounds; round++) {
    for (const cell of round % 2 === 0 ? able : [...able].reverse()) {
      if (cell.skipped === null) {
        await runRound(benchCase, cell, round, settings, listener);
      }
    }
  }
  const first = able.find(({ skipped }) => skipped === null);
  const report: CaseReport = {
    workload: benchCase.workload.name,
    summary: benchCase.workload.summary,
    pipeline: benchCase.pipeline,
    cells: cells.map((cell) => cell.report(first, settings.margin)),
  };
  listener.caseDone(report);
  return report;
}

/** Runs all cases; one after another, the targets side by side in each. */
export async function runCases(
  cases: readonly BenchCase[],
  targets: readonly Target[],
  settings: RoundSettings,
  listener: RunListener,
): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  for (const benchCase of cases) {
    reports.push(await runCase(benchCase, targets, settings, listener));
  }
  return reports;
}
