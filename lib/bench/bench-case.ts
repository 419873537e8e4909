/** One workload at one pipeline depth, with everything a load needs. */

import type { KeyOrder, LoadRequest, ValueSize } from './load';
import type { RequestPlan } from './request-maker';
import type { Workload } from './workloads';

/** What all cases of a benchmark share. */
export interface LoadSettings {
  readonly threads: number;
  readonly connections: number;
  readonly idleConnections: number;
  readonly keyCount: number;
  /** Commands a second; 0 for a closed loop. */
  readonly rate: number;
  /** Instead of the workload's own, or null. */
  readonly keys: KeyOrder | null;
  readonly sizes: readonly ValueSize[] | null;
}

const DRAINED_LEAST = 200_000;
const DEFAULT_SIZES: readonly ValueSize[] = [{ min: 32, max: 32, weight: 1 }];

/** A row of the report. */
export class BenchCase {
  readonly workload: Workload;
  readonly pipeline: number;
  readonly #settings: LoadSettings;

  constructor(workload: Workload, pipeline: number, settings: LoadSettings) {
    this.workload = workload;
    this.pipeline = pipeline;
    this.#settings = settings;
  }

  /** `GET P=16`. */
  get name(): string {
    return `${this.workload.name} P=${this.pipeline}`;
  }

  /** Of what is taken away there is enough for portions that are worth their beginning. */
  get keyCount(): number {
    const { keyCount } = this.#settings;
    return this.workload.drains === true ? Math.max(keyCount, DRAINED_LEAST) : keyCount;
  }

  get rate(): number {
    return this.#settings.rate;
  }

  /** The part of the load that does not depend on a socket. */
  plan(): RequestPlan {
    return {
      commands: this.workload.commands,
      keys: this.#settings.keys ?? this.workload.keys ?? 'uniform',
      keyCount: this.keyCount,
      sizes: this.#settings.sizes ?? this.workload.sizes ?? DEFAULT_SIZES,
    };
  }

  /** The load for a server; its duration is set by who runs it. */
  request(host: string, port: number, password: string | null): LoadRequest {
    const { threads, connections, idleConnections, rate } = this.#settings;
    const pipeline = this.pipeline;
    return {
      ...this.plan(),
      host,
      port,
      password,
      threads,
      connections,
      idleConnections,
      rate,
      pipeline,
      commandCount: 0,
      durationMs: 0,
    };
  }
}
