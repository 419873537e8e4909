/** Latencies of many loads in one histogram. */

import type * as HdrHistogram from 'hdr-histogram-js';

/** Percentiles in microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly count: number;
}

/** The largest value of the generator's buckets. */
const HIGHEST_NS = 2 ** 37;

/** Collects what {@link LoadResult.latencies} gives. */
export class Latencies {
  readonly #histogram: HdrHistogram.Histogram;

  constructor() {
    const { build } = require('hdr-histogram-js') as typeof HdrHistogram;
    this.#histogram = build({
      bitBucketSize: 64,
      lowestDiscernibleValue: 1,
      highestTrackableValue: HIGHEST_NS,
      numberOfSignificantValueDigits: 3,
      autoResize: true,
    });
  }

  /** Adds pairs of value and count. */
  add(pairs: Float64Array): void {
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      this.#histogram.recordValueWithCount(pairs[i] ?? 0, pairs[i + 1] ?? 0);
    }
  }

  /** Null when there is nothing. */
  percentiles(): Percentiles | null {
    if (this.#histogram.totalCount === 0) {
      return null;
    }
    const at = (percentile: number): number => this.#histogram.getValueAtPercentile(percentile) / 1000;
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: this.#histogram.maxValue / 1000,
      count: this.#histogram.totalCount,
    };
  }

  /** Latency in microseconds at percentiles that crowd towards 100, for a chart. */
  curve(): readonly (readonly [percentile: number, latency: number])[] {
    if (this.#histogram.totalCount === 0) {
      return [];
    }
    const percentiles = [0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.99, 99.999];
    return percentiles.map((percentile) => [percentile, this.#histogram.getValueAtPercentile(percentile) / 1000]);
  }
}
