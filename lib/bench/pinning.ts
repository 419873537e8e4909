/** Keeps servers and the generator on processors of their own, where `taskset` can. */

import { spawnSync } from 'node:child_process';
import os from 'node:os';

/** Which processors are whose. */
export interface Pinning {
  /** As taskset writes them. */
  readonly server: string;
  readonly generator: string;
  readonly generatorCount: number;
}

function listOf(cpus: readonly number[]): string {
  return cpus.join(',');
}

/** The processors this process may use, or null where there is no taskset. */
function allowedCpus(): number[] | null {
  const shown = spawnSync('taskset', ['-c', '-p', String(process.pid)], { encoding: 'utf8' });
  const list = shown.status === 0 ? /:\s*([\d,-]+)\s*$/.exec(shown.stdout)?.[1] : undefined;
  return (
    list?.split(',').flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    }) ?? null
  );
}

/** Servers on the first `serverCpus` processors, the generator on the others; null when that cannot be. */
export function choosePinning(serverCpus: number): Pinning | null {
  const cpus = process.platform === 'linux' ? allowedCpus() : null;
  if (cpus === null || cpus.length <= serverCpus) {
    return null;
  }
  const generator = cpus.slice(serverCpus);
  return { server: listOf(cpus.slice(0, serverCpus)), generator: listOf(generator), generatorCount: generator.length };
}

/** Moves all threads of this process to the generator's processors. */
export function pinGenerator(pinning: Pinning): boolean {
  return spawnSync('taskset', ['-a', '-c', '-p', pinning.generator, String(process.pid)]).status === 0;
}

/** The words that start `words` on the server's processors. */
export function pinnedWords(pinning: Pinning | null, words: readonly string[]): readonly string[] {
  return pinning === null ? words : ['taskset', '-c', pinning.server, ...words];
}

/** How many threads the generator starts when nobody says. */
export function defaultThreads(pinning: Pinning | null): number {
  return Math.max(1, Math.min(4, pinning?.generatorCount ?? os.availableParallelism() - 1));
}
