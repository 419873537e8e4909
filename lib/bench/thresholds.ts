/** `--fail-on`: thresholds that a benchmark must keep, such as `ours.GET.cpu_ns<=0.5*redis`. */

import { UsageError } from '../cli/exit';
import type { BenchReport, CaseReport, CellReport, ThresholdReport } from './report';
import { estimate } from './statistics';

type Metric = 'ops' | 'cpu_ns' | 'p50_us' | 'p99_us' | 'p999_us' | 'bytes_per_key';
type Operator = '<=' | '>=' | '<' | '>';

/** A parsed threshold. */
export interface Threshold {
  readonly text: string;
  readonly target: string;
  /** The workload, or the data that memory is measured of; null for memory of strings. */
  readonly workload: string | null;
  /** Null for every depth that was measured. */
  readonly pipeline: number | null;
  readonly metric: Metric;
  readonly operator: Operator;
  readonly factor: number;
  /** `factor` times the value of this target, or the number itself. */
  readonly beside: string | null;
}

const METRICS: readonly Metric[] = ['ops', 'cpu_ns', 'p50_us', 'p99_us', 'p999_us', 'bytes_per_key'];
const LEFT = /^([A-Za-z0-9_-]+)\.(?:([A-Za-z0-9_]+)(?:@(\d+))?\.)?([a-z0-9_]+)$/;
const RIGHT = /^(\d+(?:\.\d+)?)(?:\*([A-Za-z0-9_-]+))?$|^([A-Za-z0-9_-]+)$/;

/** Parses `target.WORKLOAD[@pipeline].metric<=number`, `...<=factor*target` or `...<=target`. */
export function parseThreshold(text: string): Threshold {
  const [, left = '', operator, right = ''] = /^(.+?)\s*(<=|>=|<|>)\s*(.+)$/.exec(text.trim()) ?? [];
  const [, target, workload, pipeline, metric] = LEFT.exec(left) ?? [];
  const [, number, besideFactor, besideAlone] = RIGHT.exec(right) ?? [];
  const known = METRICS.find((name) => name === metric);
  const beside = besideFactor ?? besideAlone ?? null;
  if (target === undefined || known === undefined || (number === undefined && beside === null)) {
    throw new UsageError(
      `Expected \`--fail-on\` to be like ours.GET.cpu_ns<=0.5*redis, with a metric of ${METRICS.join(', ')}; got '${text}'.`,
    );
  }
  if (known !== 'bytes_per_key' && workload === undefined) {
    throw new UsageError(`\`--fail-on ${text}\`: ${known} needs a workload.`);
  }
  return {
    text,
    target,
    workload: workload ?? null,
    pipeline: pipeline === undefined ? null : Number(pipeline),
    metric: known,
    operator: operator as Operator,
    factor: Number(number ?? 1),
    beside,
  };
}

function holds(value: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case '<=':
      return value <= limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '>':
      return value > limit;
  }
}

function measuredValue(cell: CellReport | undefined, metric: Metric): number | null {
  switch (metric) {
    case 'ops':
      return cell?.opsPerSecond?.median ?? null;
    case 'cpu_ns':
      return cell?.cpuNs?.median ?? null;
    case 'p50_us':
      return cell?.latencyUs?.p50 ?? null;
    case 'p99_us':
      return cell?.latencyUs?.p99 ?? null;
    case 'p999_us':
      return cell?.latencyUs?.p999 ?? null;
    case 'bytes_per_key':
      return null;
  }
}

/** The ratio of two cells; of paired rounds where the rounds have the metric. */
function ratioOf(mine: CellReport | undefined, theirs: CellReport | undefined, metric: Metric): number | null {
  if (metric === 'ops' || metric === 'cpu_ns') {
    const field = metric === 'ops' ? 'opsPerSecond' : 'cpuNs';
    const ratios = (mine?.rounds ?? []).map(
      (round, i) => Number(round[field] ?? NaN) / Number(theirs?.rounds[i]?.[field] ?? NaN),
    );
    return estimate(ratios.filter(Number.isFinite))?.median ?? null;
  }
  const [a, b] = [measuredValue(mine, metric), measuredValue(theirs, metric)];
  return a === null || b === null ? null : a / b;
}

function judgeCase(threshold: Threshold, report: CaseReport): { readonly fine: boolean; readonly found: string } {
  const cellOf = (name: string): CellReport | undefined => report.cells.find(({ target }) => target === name);
  const { target, beside, metric, operator, factor } = threshold;
  const value =
    beside === null ? measuredValue(cellOf(target), metric) : ratioOf(cellOf(target), cellOf(beside), metric);
  const unit = beside === null ? '' : ` × ${beside}`;
  const found = `P=${report.pipeline}: ${value === null ? 'not measured' : `${value.toPrecision(3)}${unit}`}`;
  return { fine: value !== null && holds(value, operator, factor), found };
}

function judgeMemory(threshold: Threshold, report: BenchReport): ThresholdReport {
  const wanted = threshold.workload ?? 'STRINGS';
  const bytes = (name: string): number | null =>
    report.memory.find(({ target, data }) => target === name && data === wanted)?.bytesPerKey ?? null;
  const value = bytes(threshold.target);
  const scale = threshold.beside === null ? 1 : bytes(threshold.beside);
  const known = value !== null && scale !== null;
  return {
    text: threshold.text,
    holds: known && holds(value, threshold.operator, threshold.factor * scale),
    found: known
      ? `${value.toFixed(1)} bytes${threshold.beside === null ? '' : ` beside ${scale.toFixed(1)}`}`
      : 'not measured',
  };
}

/** Judges a threshold; what was not measured does not hold. */
export function judge(threshold: Threshold, report: BenchReport): ThresholdReport {
  if (threshold.metric === 'bytes_per_key') {
    return judgeMemory(threshold, report);
  }
  const judged = report.cases
    .filter(({ workload }) => workload === threshold.workload)
    .filter(({ pipeline }) => threshold.pipeline === null || pipeline === threshold.pipeline)
    .map((each) => judgeCase(threshold, each));
  return {
    text: threshold.text,
    holds: judged.length > 0 && judged.every(({ fine }) => fine),
    found: judged.map(({ found }) => found).join('; ') || 'not measured',
  };
}
