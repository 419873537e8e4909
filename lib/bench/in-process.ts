/**
 * Our store used from the same process, in a process of its own: so its processor time and
 * memory are its own, and it can be pinned like any server.  It is told what to do by
 * messages of its parent.
 */

import { createServer } from '../index';
import type { Store } from '../store';
import { RequestMaker, type RequestPlan } from './request-maker';

/** What the parent asks for. */
export type InProcessOrder =
  | { readonly kind: 'preload'; readonly plan: RequestPlan; readonly count: number }
  | { readonly kind: 'run'; readonly plan: RequestPlan; readonly durationMs: number; readonly count: number }
  | { readonly kind: 'flush' };

/** What comes back. */
export interface InProcessAnswer {
  readonly replies: number;
  readonly elapsedNs: number;
  /** Processor time of the replies alone, the making of commands left out. */
  readonly cpuNs: number;
  readonly failure: string | null;
}

/** Commands made before the clock starts; run round and round. */
const READY = 16_384;
/** Commands between two looks at the clock. */
const BATCH = 256;

function runOne(store: Store, args: readonly string[]): void {
  const [name = '', key = '', value = ''] = args;
  if (name === 'GET') {
    store.get(key);
  } else if (name === 'SET' && args.length === 3) {
    store.set(key, value);
  } else {
    store.call(name, ...args.slice(1));
  }
}

/** For a while, or until `count` commands have run if that is not 0. */
function run(store: Store, plan: RequestPlan, durationMs: number, count: number): InProcessAnswer {
  const maker = new RequestMaker(plan);
  const requests = Array.from({ length: READY }, () => maker.next());
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  const end = start + BigInt(durationMs) * 1_000_000n;
  let replies = 0;
  let now = start;
  while (now < end && (count === 0 || replies < count)) {
    for (let i = 0; i < BATCH; i++) {
      runOne(store, requests[replies % READY] as string[]);
      replies += 1;
    }
    now = process.hrtime.bigint();
  }
  const { user, system } = process.cpuUsage(cpu);
  return { replies, elapsedNs: Number(now - start), cpuNs: (user + system) * 1000, failure: null };
}

function preload(store: Store, plan: RequestPlan, count: number): InProcessAnswer {
  const maker = new RequestMaker(plan);
  for (let i = 0; i < count; i++) {
    runOne(store, maker.next());
  }
  return { replies: count, elapsedNs: 0, cpuNs: 0, failure: null };
}

function obey(store: Store, order: InProcessOrder): InProcessAnswer {
  try {
    switch (order.kind) {
      case 'flush':
        store.call('FLUSHALL');
        return { replies: 1, elapsedNs: 0, cpuNs: 0, failure: null };
      case 'preload':
        return preload(store, order.plan, order.count);
      case 'run':
        return run(store, order.plan, order.durationMs, order.count);
    }
  } catch (error) {
    return { replies: 0, elapsedNs: 0, cpuNs: 0, failure: error instanceof Error ? error.message : String(error) };
  }
}

if (require.main === module) {
  // Not started: there is no socket and no thread but this one.
  const { store } = createServer();
  process.on('message', (order: InProcessOrder) => process.send?.(obey(store, order)));
  process.once('disconnect', () => process.exit(0));
  process.send?.({ replies: 0, elapsedNs: 0, cpuNs: 0, failure: null } satisfies InProcessAnswer);
}
