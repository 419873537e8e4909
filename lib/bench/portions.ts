/** Rounds of commands that take away what they need: they run in portions, and before each it is there again. */

import type { LoadResult } from './load';
import type { Measured } from './target';

/** Less than what is there, so that no portion comes near the end of it. */
const SHARE = 0.5;
/** What is left of a round is not worth another portion. */
const SHORTEST_MS = 1;

/** How many commands a portion has, of `stored` elements that each takes one of. */
export function portionOf(stored: number): number {
  return Math.max(1, Math.floor(stored * SHARE));
}

function concat(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}

function sum(results: readonly LoadResult[], field: 'replies' | 'errors' | 'misses' | 'badValues'): number {
  return results.reduce((all, result) => all + result[field], 0);
}

/** One result of several; their last intervals are no whole ones and are left out. */
export function joinResults(results: readonly LoadResult[]): LoadResult {
  const intervals = concat([...results.map((result) => result.intervals.slice(0, -1)), new Float64Array(1)]);
  return {
    replies: sum(results, 'replies'),
    errors: sum(results, 'errors'),
    misses: sum(results, 'misses'),
    badValues: sum(results, 'badValues'),
    unfinished: results.reduce((all, { unfinished }) => all + unfinished, 0),
    lostConnections: results.reduce((all, { lostConnections }) => all + lostConnections, 0),
    elapsedNs: results.reduce((all, { elapsedNs }) => all + elapsedNs, 0),
    firstError: results.find(({ firstError }) => firstError !== '')?.firstError ?? '',
    intervals,
    intervalMs: results[0]?.intervalMs ?? 0,
    latencies: concat(results.map(({ latencies }) => latencies)),
  };
}

/** Fills and measures in turn, until portions have run for `durationMs` in all; only they count. */
export async function runInPortions(
  durationMs: number,
  fill: () => Promise<void>,
  portion: (leftMs: number) => Promise<Measured>,
): Promise<Measured> {
  const results: Measured[] = [];
  let leftMs = durationMs;
  do {
    await fill();
    const measured = await portion(Math.ceil(leftMs));
    results.push(measured);
    leftMs -= Math.max(measured.load.elapsedNs / 1e6, SHORTEST_MS);
  } while (leftMs >= SHORTEST_MS);
  const cpu = results.map(({ cpuNs }) => cpuNs);
  return {
    load: joinResults(results.map(({ load }) => load)),
    cpuNs: cpu.some((ns) => ns === null) ? null : cpu.reduce<number>((all, ns) => all + (ns ?? 0), 0),
  };
}
