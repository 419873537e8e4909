/** Bytes a key or a member, by the memory that a process takes when data is loaded into it. */

import { BenchCase } from './bench-case';
import { type MemoryCase, memoryWorkload } from './memory-cases';
import { residentBytes } from './process-stats';
import type { MemoryReport } from './report';
import type { Target } from './target';
import type { TargetSettings, TargetSpec } from './target-catalogue';

/** Garbage collectors and allocators settle for so long. */
const SETTLE_MS = 300;
const FEW = 1000;

function fillCase(memoryCase: MemoryCase, keyCount: number): BenchCase {
  const settings = { threads: 1, connections: 1, idleConnections: 0, rate: 0, keys: null, sizes: null };
  return new BenchCase(memoryWorkload(memoryCase), 1, { ...settings, keyCount });
}

async function settledBytes(target: Target): Promise<number | null> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return target.pid === null ? null : residentBytes(target.pid);
}

/** Starts a fresh process of `spec`, fills it, and ends it; null for a server that runs elsewhere. */
export async function measureMemory(
  spec: TargetSpec,
  settings: TargetSettings,
  memoryCase: MemoryCase,
  onStart: (target: Target) => void,
): Promise<MemoryReport | null> {
  const { name, summary, keyCount, count, leastBytes } = memoryCase;
  const target = await spec.start(settings);
  onStart(target);
  try {
    if (target.pid === null) {
      return null;
    }
    // A little first: what every server needs once is no cost of a key.
    await target.prepare(fillCase(memoryCase, Math.min(FEW, keyCount)));
    const before = await settledBytes(target);
    const failure = await target.prepare(fillCase(memoryCase, keyCount));
    const after = await settledBytes(target);
    const known = failure === null && before !== null && after !== null;
    const bytes = known ? (after - before) / count : 0;
    return { target: spec.name, data: name, summary, bytesPerKey: bytes >= leastBytes ? bytes : null, keys: count };
  } finally {
    await target.stop();
  }
}
