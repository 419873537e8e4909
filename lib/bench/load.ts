/** Loads as the native generator runs them: what it is given, and what it measures. */

import { createNativeLoad, type NativeLoadProgress } from '../binding';
import { CommandError } from '../cli/exit';

/** How keys follow each other. */
export type KeyOrder = 'uniform' | 'zipfian' | 'latest' | 'sequential';

/** The orders, in the generator's numbering. */
export const KEY_ORDERS: readonly KeyOrder[] = ['uniform', 'zipfian', 'latest', 'sequential'];

/** Values of `min` to `max` bytes, as often as `weight` says. */
export interface ValueSize {
  readonly min: number;
  readonly max: number;
  readonly weight: number;
}

/** A command with placeholders, as often as `weight` says. */
export interface CommandTemplate {
  readonly words: readonly string[];
  readonly weight: number;
  /** Sent as an inline command. */
  readonly asLine?: boolean;
  /** Its reply is a stored value, whose size can be checked. */
  readonly repliesValue?: boolean;
}

/** A load for one server. */
export interface LoadRequest {
  readonly host: string;
  readonly port: number;
  readonly password: string | null;
  readonly threads: number;
  readonly connections: number;
  readonly idleConnections: number;
  readonly pipeline: number;
  /** 0: as many as the duration allows. */
  readonly commandCount: number;
  readonly durationMs: number;
  /** Commands a second; 0 for a closed loop. */
  readonly rate: number;
  readonly keys: KeyOrder;
  readonly keyCount: number;
  readonly sizes: readonly ValueSize[];
  readonly commands: readonly CommandTemplate[];
}

/** What a load measured. */
export interface LoadResult {
  readonly replies: number;
  readonly errors: number;
  readonly misses: number;
  readonly badValues: number;
  readonly unfinished: number;
  readonly lostConnections: number;
  readonly elapsedNs: number;
  readonly firstError: string;
  /** Replies in each interval of `intervalMs`. */
  readonly intervals: Float64Array;
  readonly intervalMs: number;
  /** Lowest latency in nanoseconds and count of each bucket in turn. */
  readonly latencies: Float64Array;
}

/** Hears of a load on its way. */
export type ProgressListener = (progress: NativeLoadProgress) => void;

const POLL_MS = 100;

/** Runs a load to its end. */
export async function runLoad(request: LoadRequest, onProgress?: ProgressListener): Promise<LoadResult> {
  const load = createNativeLoad({
    ...request,
    keys: KEY_ORDERS.indexOf(request.keys),
    commands: request.commands.map((command) => ({
      words: command.words,
      weight: command.weight,
      asLine: command.asLine ?? false,
      repliesValue: command.repliesValue ?? false,
    })),
    zipfTheta: 0,
    intervalMs: 0,
    seed: 0,
  });
  const timer = setInterval(() => onProgress?.(load.progress()), POLL_MS);
  try {
    const failure = await load.run();
    if (failure !== null) {
      throw new CommandError(`${request.host}:${request.port}: ${failure}`);
    }
    return load.result();
  } finally {
    clearInterval(timer);
  }
}
