/** A benchmark from its request to its report. */

import os from 'node:os';
import { nativeVersion } from '../binding';
import { CommandError } from '../cli/exit';
import type { Painter } from '../cli/style';
import { BenchCase, type LoadSettings } from './bench-case';
import { measureMemory } from './memory';
import type { MemoryCase } from './memory-cases';
import { choosePinning, defaultThreads, type Pinning, pinGenerator } from './pinning';
import { Progress } from './progress';
import type { BenchReport, MachineReport, MemoryReport } from './report';
import { type RoundSettings, runCases } from './runner';
import type { Target } from './target';
import type { TargetSettings, TargetSpec } from './target-catalogue';
import { judge, type Threshold } from './thresholds';
import type { Workload } from './workloads';

/** What to measure. */
export interface BenchRequest {
  /** As the user wrote it, for the report. */
  readonly command: string;
  readonly targets: readonly TargetSpec[];
  readonly workloads: readonly Workload[];
  readonly pipelines: readonly number[];
  readonly load: Omit<LoadSettings, 'threads'>;
  /** Null for as many as fit the machine. */
  readonly threads: number | null;
  readonly rounds: RoundSettings;
  readonly serverCpus: number;
  readonly pin: boolean;
  readonly password: string | null;
  /** What memory is measured of. */
  readonly memory: readonly MemoryCase[];
  readonly thresholds: readonly Threshold[];
  readonly live: boolean;
  readonly paint: Painter;
}

function describeMachine(pinning: Pinning | null): MachineReport {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown processor',
    cpus: cpus.length,
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.machine()}`,
    node: process.versions.node,
    pinning:
      pinning === null
        ? 'servers and generator share all processors'
        : `servers on processor ${pinning.server}, generator on ${pinning.generator}`,
  };
}

/** Starts all targets; none is left when one fails. */
async function startTargets(
  specs: readonly TargetSpec[],
  settings: TargetSettings,
  running: Target[],
): Promise<Target[]> {
  for (const spec of specs) {
    running.push(await spec.start(settings));
  }
  return [...running];
}

async function measureAllMemory(
  request: BenchRequest,
  settings: TargetSettings,
  running: Target[],
  progress: Progress,
): Promise<MemoryReport[]> {
  const reports: MemoryReport[] = [];
  for (const memoryCase of request.memory) {
    for (const spec of request.targets) {
      progress.say(`memory of ${spec.name}, ${memoryCase.name}`);
      const report = await measureMemory(spec, settings, memoryCase, (target) => running.push(target));
      if (report !== null) {
        reports.push(report);
      }
    }
  }
  return reports;
}

/** Leaves out what cannot run here, with a word; fails when nothing is left. */
function usableTargets(specs: readonly TargetSpec[], progress: Progress): TargetSpec[] {
  const usable = specs.filter((spec) => {
    const why = spec.unavailable();
    if (why !== null) {
      progress.note(`${spec.name} is left out: ${why}`);
    }
    return why === null;
  });
  if (usable.length === 0) {
    throw new CommandError('there is no target to measure');
  }
  return usable;
}

async function measure(
  request: BenchRequest,
  targets: readonly TargetSpec[],
  running: Target[],
  progress: Progress,
): Promise<BenchReport> {
  const startedAt = new Date();
  const chosen = request.pin ? choosePinning(request.serverCpus) : null;
  const pinning = chosen !== null && pinGenerator(chosen) ? chosen : null;
  const threads = Math.min(request.threads ?? defaultThreads(pinning), request.load.connections);
  const load: LoadSettings = { ...request.load, threads };
  const { connections, idleConnections, keyCount, rate } = load;
  const settings = { pinning, serverThreads: request.serverCpus, connections, password: request.password };
  const cases = request.workloads.flatMap((workload) =>
    request.pipelines.map((pipeline) => new BenchCase(workload, pipeline, load)),
  );
  const started = await startTargets(targets, settings, running);
  const reports = await runCases(cases, started, request.rounds, progress);
  await Promise.all(running.splice(0).map((target) => target.stop()));
  const memory = await measureAllMemory({ ...request, targets }, settings, running, progress);
  const { rounds, roundMs, margin } = request.rounds;
  const report: BenchReport = {
    version: nativeVersion(),
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1000,
    command: request.command,
    machine: describeMachine(pinning),
    settings: {
      rounds,
      secondsPerRound: roundMs / 1000,
      connections,
      idleConnections,
      threads,
      keys: keyCount,
      rate,
      margin,
    },
    targets: started.map(({ name, description }) => ({ name, description })),
    cases: reports,
    memory,
    thresholds: [],
  };
  return { ...report, thresholds: request.thresholds.map((threshold) => judge(threshold, report)) };
}

/** Runs a benchmark.  However it ends, no server stays behind. */
export async function bench(request: BenchRequest): Promise<BenchReport> {
  const running: Target[] = [];
  const extent = {
    cases: request.workloads.length * request.pipelines.length,
    targets: request.targets.length,
    rounds: request.rounds.rounds,
  };
  const progress = await Progress.begin(request.paint, extent, request.live);
  const killAll = (): void => {
    for (const target of running) {
      target.kill();
    }
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    progress.end();
    killAll();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted).once('exit', killAll);
  try {
    return await measure(request, usableTargets(request.targets, progress), running, progress);
  } finally {
    progress.end();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted).off('exit', killAll);
    await Promise.all(running.map((target) => target.stop()));
  }
}
