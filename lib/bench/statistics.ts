/**
 * What may be concluded from interleaved rounds.
 *
 * Rounds are few and have outliers, so nothing here assumes a distribution: medians, with
 * the interval that order statistics give, and for two targets the median of the ratio of
 * each round, in which what troubled both cancels out.
 */

import type * as SimpleStatistics from 'simple-statistics';

/** How sure an interval is, at least. */
export const CONFIDENCE = 0.95;

/** A median with the interval that holds the true one with {@link CONFIDENCE}. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** False when there are too few rounds for such an interval; then it is the whole range. */
  readonly sure: boolean;
  readonly rounds: number;
}

function library(): typeof SimpleStatistics {
  return require('simple-statistics') as typeof SimpleStatistics;
}

/** The median of `values`; undefined for none. */
export function estimate(values: readonly number[]): Estimate | undefined {
  const count = values.length;
  if (count === 0) {
    return undefined;
  }
  const { medianSorted, binomialDistribution } = library();
  const sorted = [...values].sort((a, b) => a - b);
  const chances = count > 1 ? (binomialDistribution(count, 0.5) ?? []) : [1];
  // The true median lies outside of [sorted[skip], sorted[count - 1 - skip]] when at most
  // `skip` values fall on one side of it.
  let skip = 0;
  let outside = 2 * (chances[0] ?? 1);
  const sure = count > 1 && outside <= 1 - CONFIDENCE;
  while (sure && outside + 2 * (chances[skip + 1] ?? 1) <= 1 - CONFIDENCE) {
    skip += 1;
    outside += 2 * (chances[skip] ?? 1);
  }
  return {
    median: medianSorted(sorted),
    low: sorted[skip] ?? 0,
    high: sorted[count - 1 - skip] ?? 0,
    sure,
    rounds: count,
  };
}

/** How a target does beside another one. */
export type Verdict = 'more' | 'less' | 'no difference shown';

/** The ratio of two targets and what it shows. */
export interface Comparison {
  readonly ratio: Estimate;
  readonly verdict: Verdict;
}

/**
 * Compares paired rounds.  A difference is shown only when the whole interval of the ratio
 * lies on one side of 1 and the ratio is off by more than `margin`, which two runs of one
 * and the same server reach.
 */
export function compare(mine: readonly number[], theirs: readonly number[], margin: number): Comparison | undefined {
  const ratios = mine
    .slice(0, theirs.length)
    .map((value, round) => value / (theirs[round] ?? Number.NaN))
    .filter((ratio) => Number.isFinite(ratio) && ratio > 0);
  const ratio = estimate(ratios);
  if (ratio === undefined) {
    return undefined;
  }
  const apart =
    ratio.sure && (ratio.low > 1 || ratio.high < 1) && Math.abs(Math.log(ratio.median)) > Math.log1p(margin);
  return { ratio, verdict: apart ? (ratio.median > 1 ? 'more' : 'less') : 'no difference shown' };
}
