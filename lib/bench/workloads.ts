/** The workloads, as data: redis-benchmark's commands, YCSB's mixes, memtier's mixes, a script. */

import { createHash } from 'node:crypto';
import type { CommandTemplate, KeyOrder, ValueSize } from './load';

/** Commands sent before a measurement, over the keys in sequence. */
export interface Preload {
  readonly words: readonly string[];
  /** How many: a number, or one for each key. */
  readonly count: number | 'keys';
}

/** What is measured. */
export interface Workload {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandTemplate[];
  readonly preload: readonly Preload[];
  /** Each command takes away one of the elements that `preload` stores, one for each key. */
  readonly drains?: boolean;
  /** The order of keys where it belongs to the workload. */
  readonly keys?: KeyOrder;
  /** The sizes where they belong to the workload. */
  readonly sizes?: readonly ValueSize[];
}

const GET: readonly string[] = ['GET', '__key__'];
const SET: readonly string[] = ['SET', '__key__', '__value__'];
const ALL_KEYS: readonly Preload[] = [{ words: SET, count: 'keys' }];
const A_LIST: readonly Preload[] = [
  { words: ['DEL', 'bench:list'], count: 1 },
  { words: ['RPUSH', 'bench:list', '__value__'], count: 1000 },
];
const LONG_LIST: readonly Preload[] = [
  { words: ['DEL', 'bench:queue'], count: 1 },
  { words: ['RPUSH', 'bench:queue', '__value__'], count: 'keys' },
];

const FIRST_100: readonly string[] = ['LIMIT', '0', '100'];
const LARGE_SORTED: readonly Preload[] = [
  { words: ['ZADD', 'bench:sorted', '__rand_int__', 'element:__id__'], count: 'keys' },
];

function get(weight: number): CommandTemplate {
  return { words: GET, weight, repliesValue: true };
}

function set(weight: number): CommandTemplate {
  return { words: SET, weight };
}

function single(
  name: string,
  words: readonly string[],
  preload: readonly Preload[] = [],
  extra: Partial<CommandTemplate> = {},
): Workload {
  return { name, summary: words.join(' '), commands: [{ words, weight: 1, ...extra }], preload };
}

/** A workload that takes away what its preload stores. */
function draining(name: string, words: readonly string[], preload: readonly Preload[]): Workload {
  return { ...single(name, words, preload), drains: true };
}

const MSET_WORDS: readonly string[] = ['MSET', ...Array.from({ length: 10 }, () => ['__key__', '__value__']).flat()];
const SCAN_WORDS: readonly string[] = ['MGET', '__key__', ...Array.from({ length: 49 }, () => '__next_key__')];

/** redis-benchmark's tests. */
const REDIS_BENCHMARK: readonly Workload[] = [
  single('PING_INLINE', ['PING'], [], { asLine: true }),
  single('PING_MBULK', ['PING']),
  single('SET', SET),
  single('GET', GET, ALL_KEYS, { repliesValue: true }),
  single('INCR', ['INCR', 'counter:__id__']),
  single('LPUSH', ['LPUSH', 'bench:pushed', '__value__']),
  single('RPUSH', ['RPUSH', 'bench:pushed', '__value__']),
  draining('LPOP', ['LPOP', 'bench:queue'], LONG_LIST),
  draining('RPOP', ['RPOP', 'bench:queue'], LONG_LIST),
  single('SADD', ['SADD', 'bench:set', 'element:__rand_int__']),
  single('HSET', ['HSET', 'bench:hash', 'element:__rand_int__', '__value__']),
  draining('SPOP', ['SPOP', 'bench:bag'], [{ words: ['SADD', 'bench:bag', 'element:__id__'], count: 'keys' }]),
  single('ZADD', ['ZADD', 'bench:sorted', '__rand_int__', 'element:__rand_int__']),
  draining(
    'ZPOPMIN',
    ['ZPOPMIN', 'bench:ranking'],
    [{ words: ['ZADD', 'bench:ranking', '__rand_int__', 'element:__id__'], count: 'keys' }],
  ),
  single('LRANGE_100', ['LRANGE', 'bench:list', '0', '99'], A_LIST),
  single('LRANGE_300', ['LRANGE', 'bench:list', '0', '299'], A_LIST),
  single('LRANGE_500', ['LRANGE', 'bench:list', '0', '499'], A_LIST),
  single('LRANGE_600', ['LRANGE', 'bench:list', '0', '599'], A_LIST),
  { ...single('MSET', MSET_WORDS), summary: 'MSET of 10 keys' },
];

/** Collections beyond redis-benchmark's tests; the small ones have a hundred members. */
const COLLECTIONS: readonly Workload[] = [
  single('XADD', ['XADD', 'bench:stream', '*', 'field', '__value__']),
  single('ZADD_LARGE', ['ZADD', 'bench:sorted', '__rand_int__', 'element:__rand_int__'], LARGE_SORTED),
  single(
    'SADD_LARGE',
    ['SADD', 'bench:set', 'element:__rand_int__'],
    [{ words: ['SADD', 'bench:set', 'element:__id__'], count: 'keys' }],
  ),
  single(
    'HSET_LARGE',
    ['HSET', 'bench:hash', 'element:__rand_int__', '__value__'],
    [{ words: ['HSET', 'bench:hash', 'element:__id__', '__value__'], count: 'keys' }],
  ),
  single(
    'ZRANGEBYSCORE_100',
    ['ZRANGEBYSCORE', 'bench:hundred:sorted', '-inf', '+inf'],
    [{ words: ['ZADD', 'bench:hundred:sorted', '__id__', 'element:__id__'], count: 100 }],
  ),
  single(
    'ZRANGEBYSCORE_LARGE_100',
    ['ZRANGEBYSCORE', 'bench:sorted', '__rand_int__', '+inf', ...FIRST_100],
    LARGE_SORTED,
  ),
  single(
    'HGETALL_100',
    ['HGETALL', 'bench:hundred:hash'],
    [{ words: ['HSET', 'bench:hundred:hash', 'field:__id__', '__value__'], count: 100 }],
  ),
];

/** A record of YCSB has ten fields of 100 bytes. */
const YCSB_SIZES: readonly ValueSize[] = [{ min: 1000, max: 1000, weight: 1 }];

function ycsb(letter: string, mapping: string, commands: readonly CommandTemplate[], keys: KeyOrder): Workload {
  const summary = `${mapping}; a record is one string of 1000 bytes`;
  return { name: `YCSB_${letter}`, summary, commands, preload: ALL_KEYS, keys, sizes: YCSB_SIZES };
}

const YCSB: readonly Workload[] = [
  ycsb('A', '50 % read as GET, 50 % update as SET, zipfian', [get(50), set(50)], 'zipfian'),
  ycsb('B', '95 % read as GET, 5 % update as SET, zipfian', [get(95), set(5)], 'zipfian'),
  ycsb('C', '100 % read as GET, zipfian', [get(100)], 'zipfian'),
  ycsb(
    'D',
    '95 % read of the latest as GET, 5 % insert as SET of a new key',
    [
      { words: GET, weight: 95, repliesValue: true },
      { words: ['SET', '__new_key__', '__value__'], weight: 5 },
    ],
    'latest',
  ),
  ycsb(
    'E',
    '95 % scan as MGET of 50 keys in a row (strings have no order to scan), 5 % insert as SET of a new key',
    [
      { words: SCAN_WORDS, weight: 95 },
      { words: ['SET', '__new_key__', '__value__'], weight: 5 },
    ],
    'zipfian',
  ),
  ycsb(
    'F',
    '50 % read as GET, 50 % read-modify-write as one GETSET, zipfian',
    [get(50), { words: ['GETSET', '__key__', '__value__'], weight: 50, repliesValue: true }],
    'zipfian',
  ),
];

const MIXES: readonly Workload[] = [
  ['MIX_1_10', 'memtier_benchmark: 1 SET to 10 GET', 1, 10],
  ['MIX_1_1', '1 SET to 1 GET', 1, 1],
  ['MIX_10_1', '10 SET to 1 GET', 10, 1],
].map(([name, summary, sets, gets]) => ({
  name: String(name),
  summary: String(summary),
  commands: [set(Number(sets)), get(Number(gets))],
  preload: ALL_KEYS,
}));

const VARIANTS: readonly Workload[] = [
  { ...single('GET_ZIPFIAN', GET, ALL_KEYS, { repliesValue: true }), keys: 'zipfian' },
  { ...single('GET_1K', GET, ALL_KEYS, { repliesValue: true }), sizes: [{ min: 1024, max: 1024, weight: 1 }] },
  { ...single('SET_1K', SET), sizes: [{ min: 1024, max: 1024, weight: 1 }] },
  {
    name: 'MIX_SIZES',
    summary: '1 SET to 10 GET; 60 % of values 16 to 64 bytes, 30 % 200 to 1000, 10 % 4 KiB',
    commands: [set(1), get(10)],
    preload: ALL_KEYS,
    sizes: [
      { min: 16, max: 64, weight: 60 },
      { min: 200, max: 1000, weight: 30 },
      { min: 4096, max: 4096, weight: 10 },
    ],
  },
];

const READ_SCRIPT = "return redis.call('GET',KEYS[1])";

const SCRIPTS: readonly Workload[] = [
  {
    name: 'EVALSHA',
    summary: `EVALSHA of: ${READ_SCRIPT}`,
    commands: [
      {
        words: ['EVALSHA', createHash('sha1').update(READ_SCRIPT).digest('hex'), '1', '__key__'],
        weight: 1,
        repliesValue: true,
      },
    ],
    preload: [...ALL_KEYS, { words: ['SCRIPT', 'LOAD', READ_SCRIPT], count: 1 }],
  },
];

/** All workloads by name, in order. */
export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(
  [...REDIS_BENCHMARK, ...COLLECTIONS, ...MIXES, ...YCSB, ...VARIANTS, ...SCRIPTS].map((workload) => [
    workload.name,
    workload,
  ]),
);

/** Names that stand for several workloads. */
export const WORKLOAD_GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['redis-benchmark', REDIS_BENCHMARK.map(({ name }) => name)],
  ['collections', COLLECTIONS.map(({ name }) => name)],
  ['ycsb', YCSB.map(({ name }) => name)],
  ['mixes', MIXES.map(({ name }) => name)],
  ['all', [...WORKLOADS.keys()]],
]);
