/** Bytes a key, by the memory that a process takes when keys are loaded into it. */

import { BenchCase } from './bench-case';
import { residentBytes } from './process-stats';
import type { MemoryReport } from './report';
import type { Target } from './target';
import type { TargetSettings, TargetSpec } from './target-catalogue';
import type { Workload } from './workloads';

const FILL: Workload = {
  name: 'MEMORY',
  summary: 'keys of 16 bytes with values of 32 bytes',
  commands: [{ words: ['GET', '__key__'], weight: 1 }],
  preload: [{ words: ['SET', '__key__', '__value__'], count: 'keys' }],
  sizes: [{ min: 32, max: 32, weight: 1 }],
};

/** Nothing stores a key and a value in less: a smaller figure is noise of the process. */
const LEAST_BYTES = 16 + 32;
/** Garbage collectors and allocators settle for so long. */
const SETTLE_MS = 300;

function fillCase(keyCount: number): BenchCase {
  const settings = { threads: 1, connections: 1, idleConnections: 0, rate: 0, keys: null, sizes: null };
  return new BenchCase(FILL, 1, { ...settings, keyCount });
}

async function settledBytes(target: Target): Promise<number | null> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return target.pid === null ? null : residentBytes(target.pid);
}

/** Starts a fresh process of `spec`, fills it, and ends it; null for a server that runs elsewhere. */
export async function measureMemory(
  spec: TargetSpec,
  settings: TargetSettings,
  keys: number,
  onStart: (target: Target) => void,
): Promise<MemoryReport | null> {
  const target = await spec.start(settings);
  onStart(target);
  try {
    if (target.pid === null) {
      return null;
    }
    // A few keys first: what every server needs once is no cost of a key.
    await target.prepare(fillCase(1000));
    const before = await settledBytes(target);
    const failure = await target.prepare(fillCase(keys));
    const after = await settledBytes(target);
    const known = failure === null && before !== null && after !== null;
    const bytes = known ? (after - before) / keys : 0;
    return { target: spec.name, bytesPerKey: bytes >= LEAST_BYTES ? bytes : null, keys };
  } finally {
    await target.stop();
  }
}
