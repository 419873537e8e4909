/** What is measured: a server behind a socket, or our store without one. */

import { Connection } from '../cli/connection';
import { CommandError } from '../cli/exit';
import { ReplyError } from '../errors';
import type { BenchCase } from './bench-case';
import type { InProcessAnswer, InProcessOrder } from './in-process';
import { type LoadResult, type ProgressListener, runLoad } from './load';
import { portionOf, runInPortions } from './portions';
import { cpuNs } from './process-stats';
import type { RequestPlan } from './request-maker';
import type { Spawned } from './spawned';
import type { Preload } from './workloads';

/** One measurement. */
export interface Measured {
  readonly load: LoadResult;
  /** Processor time of the server for all replies together; null when it is not known. */
  readonly cpuNs: number | null;
}

/** A target that is ready. */
export interface Target {
  readonly name: string;
  /** One line: what it is, with its version. */
  readonly description: string;
  /** Its process, when it was started for the benchmark. */
  readonly pid: number | null;
  /** Removes all keys, if they are its own, and stores what the case needs; why it cannot, or null. */
  prepare(benchCase: BenchCase): Promise<string | null>;
  run(benchCase: BenchCase, durationMs: number, onProgress?: ProgressListener): Promise<Measured>;
  stop(): Promise<void>;
  kill(): void;
}

const EMPTY = new Float64Array(0);
const PROBES = 20;
const PRELOAD_PIPELINE = 100;
const FLUSH_MS = 20_000;

function mustNotFail(name: string, failure: string | null): void {
  if (failure !== null) {
    throw new CommandError(`${name}: ${failure}`);
  }
}

/** A server behind a socket. */
export class SocketTarget implements Target {
  readonly name: string;
  readonly description: string;
  readonly #host: string;
  readonly #port: number;
  readonly #password: string | null;
  readonly #spawned: Spawned | null;

  constructor(
    name: string,
    description: string,
    address: { readonly host: string; readonly port: number; readonly password: string | null },
    spawned: Spawned | null,
  ) {
    this.name = name;
    this.description = description;
    this.#host = address.host;
    this.#port = address.port;
    this.#password = address.password;
    this.#spawned = spawned;
  }

  get pid(): number | null {
    return this.#spawned?.pid ?? null;
  }

  async prepare(benchCase: BenchCase): Promise<string | null> {
    if (this.#spawned !== null) {
      await this.#flush();
    }
    const failure = await this.#fill(benchCase);
    if (failure !== null) {
      return failure;
    }
    const probe = { ...benchCase.request(this.#host, this.#port, this.#password), threads: 1, connections: 1 };
    return failureOf(await runLoad({ ...probe, rate: 0, idleConnections: 0, commandCount: PROBES, durationMs: 2000 }));
  }

  async run(benchCase: BenchCase, durationMs: number, onProgress?: ProgressListener): Promise<Measured> {
    if (benchCase.workload.drains !== true) {
      return this.#measure(benchCase, durationMs, 0, onProgress);
    }
    const fill = async (): Promise<void> => mustNotFail(this.name, await this.#fill(benchCase));
    const commands = portionOf(benchCase.keyCount);
    return runInPortions(durationMs, fill, (leftMs) => this.#measure(benchCase, leftMs, commands, onProgress));
  }

  /** Runs for a while, or until `commandCount` commands have been sent if that is not 0. */
  async #measure(
    benchCase: BenchCase,
    durationMs: number,
    commandCount: number,
    onProgress?: ProgressListener,
  ): Promise<Measured> {
    const request = { ...benchCase.request(this.#host, this.#port, this.#password), durationMs, commandCount };
    const before = this.pid === null ? null : cpuNs(this.pid);
    const load = await runLoad(request, onProgress);
    const after = this.pid === null ? null : cpuNs(this.pid);
    if (load.lostConnections > 0) {
      throw new CommandError(`${this.name} closed ${load.lostConnections} connections during ${benchCase.name}`);
    }
    return { load, cpuNs: before === null || after === null ? null : after - before };
  }

  async stop(): Promise<void> {
    await this.#spawned?.stop();
  }

  kill(): void {
    this.#spawned?.kill();
  }

  /** Stores what the case needs; why it cannot, or null. */
  async #fill(benchCase: BenchCase): Promise<string | null> {
    for (const preload of benchCase.workload.preload) {
      const failure = failureOf(await this.#preload(benchCase, preload));
      if (failure !== null) {
        return failure;
      }
    }
    return null;
  }

  #preload(benchCase: BenchCase, preload: Preload): Promise<LoadResult> {
    const count = preload.count === 'keys' ? benchCase.keyCount : preload.count;
    return runLoad({
      ...benchCase.request(this.#host, this.#port, this.#password),
      threads: 1,
      connections: 1,
      idleConnections: 0,
      pipeline: PRELOAD_PIPELINE,
      rate: 0,
      keys: 'sequential',
      commandCount: count,
      durationMs: 120_000,
      commands: [{ words: preload.words, weight: 1 }],
    });
  }

  async #flush(): Promise<void> {
    const connection = await Connection.open({
      host: this.#host,
      port: this.#port,
      password: this.#password ?? undefined,
    });
    try {
      await within(FLUSH_MS, connection.call(['FLUSHALL']), `${this.name} does not answer FLUSHALL`);
    } catch (error) {
      // A server without it keeps the keys of the case before, which then are overwritten.
      if (!(error instanceof ReplyError)) {
        throw error;
      }
    } finally {
      connection.close();
    }
  }
}

/** `promise`, or a failure when it takes too long. */
async function within<T>(ms: number, promise: Promise<T>, failure: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CommandError(failure)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Why a case cannot be run, by its first error reply. */
function failureOf(result: LoadResult): string | null {
  if (result.errors > 0) {
    return result.firstError.replace(/^-/, '');
  }
  if (result.lostConnections > 0) {
    return 'the server closed the connection';
  }
  return result.unfinished > 0 ? 'the server does not answer' : null;
}

/** Our store in a process of its own. */
export class InProcessTarget implements Target {
  readonly name: string;
  readonly description: string;
  readonly #spawned: Spawned;

  constructor(name: string, description: string, spawned: Spawned) {
    this.name = name;
    this.description = description;
    this.#spawned = spawned;
  }

  get pid(): number | null {
    return this.#spawned.pid;
  }

  /** Resolves when the process listens to orders. */
  async ready(): Promise<void> {
    await this.#answer();
  }

  async prepare(benchCase: BenchCase): Promise<string | null> {
    if (benchCase.rate > 0 || benchCase.pipeline > 1 || benchCase.workload.commands.some(({ asLine }) => asLine)) {
      return 'there is no socket: no pipeline, no rate, no inline commands';
    }
    await this.#order({ kind: 'flush' });
    const failure = await this.#fill(benchCase);
    return failure ?? (await this.#order({ kind: 'run', plan: benchCase.plan(), durationMs: 1, count: 0 })).failure;
  }

  async run(benchCase: BenchCase, durationMs: number): Promise<Measured> {
    if (benchCase.workload.drains !== true) {
      return this.#measure(benchCase, durationMs, 0);
    }
    const fill = async (): Promise<void> => mustNotFail(this.name, await this.#fill(benchCase));
    return runInPortions(durationMs, fill, (ms) => this.#measure(benchCase, ms, portionOf(benchCase.keyCount)));
  }

  async #fill(benchCase: BenchCase): Promise<string | null> {
    for (const { words, count } of benchCase.workload.preload) {
      const plan: RequestPlan = { ...benchCase.plan(), keys: 'sequential', commands: [{ words, weight: 1 }] };
      const answer = await this.#order({ kind: 'preload', plan, count: count === 'keys' ? benchCase.keyCount : count });
      if (answer.failure !== null) {
        return answer.failure;
      }
    }
    return null;
  }

  async #measure(benchCase: BenchCase, durationMs: number, count: number): Promise<Measured> {
    const answer = await this.#order({ kind: 'run', plan: benchCase.plan(), durationMs, count });
    if (answer.failure !== null) {
      throw new CommandError(`${this.name}: ${answer.failure}`);
    }
    const { replies, elapsedNs } = answer;
    const nothing = { errors: 0, misses: 0, badValues: 0, unfinished: 0, lostConnections: 0, firstError: '' };
    const load = { replies, elapsedNs, intervals: EMPTY, intervalMs: 0, latencies: EMPTY, ...nothing };
    return { load, cpuNs: answer.cpuNs };
  }

  async stop(): Promise<void> {
    await this.#spawned.stop();
  }

  kill(): void {
    this.#spawned.kill();
  }

  #order(order: InProcessOrder): Promise<InProcessAnswer> {
    const answer = this.#answer();
    this.#spawned.child.send(order);
    return answer;
  }

  #answer(): Promise<InProcessAnswer> {
    const { child } = this.#spawned;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(this.#spawned.failure(this.name));
      child.once('exit', fail);
      child.once('message', (answer: InProcessAnswer) => {
        child.off('exit', fail);
        resolve(answer);
      });
    });
  }
}
