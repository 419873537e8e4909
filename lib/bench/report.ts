/** What a benchmark found, as data; the other reports are made from it. */

import type { Percentiles } from './latency';
import type { Comparison, Estimate } from './statistics';

/** One target in one case. */
export interface CellReport {
  readonly target: string;
  /** Why there are no numbers, or null. */
  readonly skipped: string | null;
  readonly opsPerSecond: Estimate | null;
  /** Processor nanoseconds of the server for a command; null for servers that were not started here. */
  readonly cpuNs: Estimate | null;
  readonly latencyUs: Percentiles | null;
  /** Percentile and microseconds. */
  readonly latencyCurve: readonly (readonly [number, number])[];
  /** Commands a second in each tenth of a second, all rounds one after another. */
  readonly throughput: readonly number[];
  readonly errors: number;
  readonly misses: number;
  readonly badValues: number;
  readonly unfinished: number;
  /** Beside the first target that has numbers: throughput and processor time. */
  readonly opsBeside: Comparison | null;
  readonly cpuBeside: Comparison | null;
  /** The rounds themselves. */
  readonly rounds: readonly { readonly opsPerSecond: number; readonly cpuNs: number | null }[];
}

/** All targets in one case. */
export interface CaseReport {
  readonly workload: string;
  readonly summary: string;
  readonly pipeline: number;
  readonly cells: readonly CellReport[];
}

/** Memory of one target, filled with one kind of data. */
export interface MemoryReport {
  readonly target: string;
  /** STRINGS, or the kind of a collection and its size, such as ZSET_LARGE. */
  readonly data: string;
  /** What the bytes are those of. */
  readonly summary: string;
  /** Of a key, or of a member of a collection; null when it is not known. */
  readonly bytesPerKey: number | null;
  /** How many of them there were. */
  readonly keys: number;
}

/** A threshold and whether it holds. */
export interface ThresholdReport {
  readonly text: string;
  readonly holds: boolean;
  /** What was found, for people. */
  readonly found: string;
}

/** The machine and the versions. */
export interface MachineReport {
  readonly cpu: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly pinning: string;
}

/** The whole benchmark. */
export interface BenchReport {
  readonly version: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly command: string;
  readonly machine: MachineReport;
  readonly settings: {
    readonly rounds: number;
    readonly secondsPerRound: number;
    readonly connections: number;
    readonly idleConnections: number;
    readonly threads: number;
    readonly keys: number;
    readonly rate: number;
    readonly margin: number;
  };
  readonly targets: readonly { readonly name: string; readonly description: string }[];
  readonly cases: readonly CaseReport[];
  readonly memory: readonly MemoryReport[];
  readonly thresholds: readonly ThresholdReport[];
}

/** 1,234,567 as `1.23 M`. */
export function short(value: number): string {
  const [scale, unit] = value >= 1e6 ? [1e6, ' M'] : value >= 1e4 ? [1e3, ' k'] : [1, ''];
  const scaled = value / scale;
  return `${scaled >= 100 || unit === '' ? scaled.toFixed(0) : scaled.toPrecision(3)}${unit}`;
}

/** `1.23 M ± 4 %`; a tilde when there were too few rounds for an interval. */
export function estimateText(estimate: Estimate | null): string {
  if (estimate === null) {
    return '–';
  }
  const spread = Math.max(estimate.high - estimate.median, estimate.median - estimate.low) / (estimate.median || 1);
  return `${short(estimate.median)} ${estimate.sure ? '±' : '~'} ${(spread * 100).toFixed(0)} %`;
}

/** `1.52 × (1.48–1.57)`, or that no difference was shown. */
export function comparisonText(comparison: Comparison | null): string {
  if (comparison === null) {
    return '–';
  }
  if (comparison.verdict === 'no difference shown') {
    return 'no difference shown';
  }
  const { median, low, high } = comparison.ratio;
  return `${median.toFixed(2)} × (${low.toFixed(2)}–${high.toFixed(2)})`;
}

/** Microseconds as people read them. */
export function microseconds(value: number | undefined): string {
  if (value === undefined) {
    return '–';
  }
  return value >= 1000 ? `${(value / 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} µs`;
}

/** Bytes a key or member: a row for each kind of data, a column for each target. */
export function memoryRows(memory: readonly MemoryReport[]): {
  readonly head: readonly string[];
  readonly rows: readonly string[][];
} {
  const targets = [...new Set(memory.map(({ target }) => target))];
  const first = targets[0] ?? '';
  const cell = (data: string, target: string): string => {
    const bytesOf = (name: string): number | null =>
      memory.find((each) => each.data === data && each.target === name)?.bytesPerKey ?? null;
    const [bytes, mine] = [bytesOf(target), bytesOf(first)];
    const beside =
      target === first || mine === null || bytes === null ? '' : ` (${first}: ${(mine / bytes).toFixed(2)} ×)`;
    return bytes === null ? 'not measured' : `${bytes.toFixed(1)}${beside}`;
  };
  const kinds = [...new Map(memory.map(({ data, summary }) => [data, summary]))];
  return {
    head: ['data', ...targets, 'bytes of'],
    rows: kinds.map(([data, summary]) => [data, ...targets.map((target) => cell(data, target)), summary]),
  };
}

/** What went wrong in a cell, in a few words; empty when nothing did. */
export function troubles(cell: CellReport): string {
  return [
    [cell.errors, 'errors'],
    [cell.badValues, 'values of a wrong size'],
    [cell.unfinished, 'unanswered'],
  ]
    .filter(([count]) => Number(count) > 0)
    .map(([count, what]) => `${String(count)} ${String(what)}`)
    .join(', ');
}

/** Columns and rows of a case, for the table and for Markdown. */
export function caseRows(report: CaseReport): { readonly head: readonly string[]; readonly rows: readonly string[][] } {
  const head = ['target', 'ops/s', 'p50', 'p99', 'p99.9', 'CPU ns/op', 'ops beside first', 'CPU beside first'];
  const rows = report.cells.map((cell, index) => {
    if (cell.skipped !== null) {
      return [cell.target, `skipped: ${cell.skipped}`, '', '', '', '', '', ''];
    }
    const { latencyUs } = cell;
    const trouble = troubles(cell);
    return [
      trouble === '' ? cell.target : `${cell.target} (${trouble})`,
      estimateText(cell.opsPerSecond),
      microseconds(latencyUs?.p50),
      microseconds(latencyUs?.p99),
      microseconds(latencyUs?.p999),
      estimateText(cell.cpuNs),
      index === 0 ? '' : comparisonText(cell.opsBeside),
      index === 0 ? '' : comparisonText(cell.cpuBeside),
    ];
  });
  return { head, rows };
}
