/** What memory is measured of, as data: strings, and each kind of collection small and large. */

import type { Preload, Workload } from './workloads';

/** Data that servers are filled with, and by what their memory is divided. */
export interface MemoryCase {
  readonly name: string;
  readonly summary: string;
  /** What stores it. */
  readonly preload: readonly Preload[];
  readonly keyCount: number;
  /** How many things the bytes are those of. */
  readonly count: number;
  /** Nothing stores one in less: a smaller figure is noise of the process. */
  readonly leastBytes: number;
}

/** Keys of 16 bytes with values of 32. */
export function stringsCase(keys: number): MemoryCase {
  return {
    name: 'STRINGS',
    summary: `a key: ${keys} keys of 16 bytes with values of 32`,
    preload: [{ words: ['SET', '__key__', '__value__'], count: 'keys' }],
    keyCount: keys,
    count: keys,
    leastBytes: 16 + 32,
  };
}

const SMALL_KEYS = 100_000;
const SMALL_MEMBERS = 10;
const LARGE_MEMBERS = 1_000_000;
/** A member of 16 bytes that has to be kept somehow; integers and times are kept in less. */
const LEAST_MEMBER = 4;

function members(make: (index: number) => readonly string[]): string[] {
  return Array.from({ length: SMALL_MEMBERS }, (_, index) => make(index)).flat();
}

function small(kind: string, what: string, preload: readonly Preload[]): MemoryCase {
  return {
    name: `${kind}_SMALL`,
    summary: `a member: ${SMALL_KEYS} keys, each with ${SMALL_MEMBERS} ${what}`,
    preload,
    keyCount: SMALL_KEYS,
    count: SMALL_KEYS * SMALL_MEMBERS,
    leastBytes: LEAST_MEMBER,
  };
}

function large(kind: string, what: string, words: readonly string[]): MemoryCase {
  return {
    name: `${kind}_LARGE`,
    summary: `a member: 1 key with ${LARGE_MEMBERS} ${what}`,
    preload: [{ words, count: 'keys' }],
    keyCount: LARGE_MEMBERS,
    count: LARGE_MEMBERS,
    leastBytes: LEAST_MEMBER,
  };
}

/** One command for each key. */
function each(words: readonly string[]): Preload[] {
  return [{ words, count: 'keys' }];
}

/** Lists, hashes, sets, sorted sets and streams, each small and large; texts of 16 bytes. */
export const COLLECTION_CASES: readonly MemoryCase[] = [
  small('LIST', 'elements', each(['RPUSH', '__key__', ...members(() => ['__next_key__'])])),
  small('HASH', 'fields', each(['HSET', '__key__', ...members((i) => [`field:${i}`, '__next_key__'])])),
  small('SET', 'members', each(['SADD', '__key__', ...members(() => ['__next_key__'])])),
  small('ZSET', 'members', each(['ZADD', '__key__', ...members((i) => [String(i * 1000), '__next_key__'])])),
  small(
    'STREAM',
    'entries of one field',
    members(() => ['XADD']).map((name) => ({ words: [name, '__key__', '*', 'field', '__next_key__'], count: 'keys' })),
  ),
  large('LIST', 'elements', ['RPUSH', 'bench:large', '__key__']),
  large('HASH', 'fields with values of 32 bytes', ['HSET', 'bench:large', '__key__', '__value__']),
  large('SET', 'members', ['SADD', 'bench:large', '__key__']),
  large('ZSET', 'members', ['ZADD', 'bench:large', '__rand_int__', '__key__']),
  large('STREAM', 'entries of one field', ['XADD', 'bench:large', '*', 'field', '__key__']),
];

/** The case as something that servers can be prepared for. */
export function memoryWorkload({ name, summary, preload }: MemoryCase): Workload {
  return {
    name,
    summary,
    commands: [{ words: ['TYPE', '__key__'], weight: 1 }],
    preload,
    sizes: [{ min: 32, max: 32, weight: 1 }],
  };
}
