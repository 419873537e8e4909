/** Values move from us to redis-server and back by DUMP and RESTORE, and stay what they were. */
import { Dice } from '../support/dice';
import { decodeReply, elementsOf, type RespValue, textOf } from '../support/resp';
import type { ReplyClient } from './client';
import { Generator } from './generator';
import { isKnown } from './known-differences';
import { describePair } from './peers';

type Command = readonly (string | Buffer)[];

/** How a value is made, under the key `k`. */
interface Shape {
  readonly name: string;
  readonly make: readonly Command[];
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);
const numbers = (count: number, step = 1): readonly string[] => range(count).map((n) => String((n - 3) * step));
const words = (count: number, length = 0): readonly string[] =>
  range(count).map((n) => `word:${n}`.padEnd(length, 'x'));
const inTurn = (a: readonly string[], b: readonly string[]): readonly string[] =>
  a.flatMap((one, index) => [one, b[index] ?? '']);
const scored = (members: readonly string[], step: number): readonly string[] =>
  members.flatMap((member, index) => [String((index - 4) * step), member]);
const entries = (count: number, fields: readonly string[]): readonly Command[] =>
  range(count).map((n) => ['XADD', 'k', `${1000 + n}-${n % 3}`, ...fields.flatMap((field) => [field, `value ${n}`])]);

const BINARY = Buffer.from(range(256));
const INTEGERS = '0 1 -1 127 128 -128 -129 32767 32768 -32769 8388607 -8388609 2147483647 2147483648 -2147483649'.split(
  ' ',
);
const EDGES = [
  ...INTEGERS,
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '007',
  '-0',
  '+1',
  '',
];

const SHAPES: readonly Shape[] = [
  ...EDGES.map((text) => ({ name: `the string ${JSON.stringify(text)}`, make: [['SET', 'k', text]] })),
  ...[1, 20, 21, 44, 45, 63, 64, 300, 16383, 16384, 70000].flatMap((length) => [
    { name: `a string of ${length} letters`, make: [['SET', 'k', 'ab'.repeat(length).slice(0, length)]] },
    {
      name: `a string of ${length} bytes`,
      make: [['SET', 'k', Buffer.concat(Array(300).fill(BINARY)).subarray(0, length)]],
    },
  ]),
  {
    name: 'a string that grew',
    make: [
      ['APPEND', 'k', '12'],
      ['APPEND', 'k', '3'],
    ],
  },
  {
    name: 'a bitmap',
    make: [
      ['SETBIT', 'k', '100000', '1'],
      ['SETBIT', 'k', '3', '1'],
    ],
  },
  { name: 'a sparse HyperLogLog', make: [['PFADD', 'k', ...words(100)]] },
  { name: 'a dense HyperLogLog', make: [['PFADD', 'k', ...words(5000)]] },
  { name: 'a short list', make: [['RPUSH', 'k', 'a', ...EDGES]] },
  { name: 'a list of binary strings', make: [['RPUSH', 'k', BINARY, Buffer.from([0]), Buffer.from('\r\n')]] },
  {
    name: 'a list of many pieces',
    make: [
      ['RPUSH', 'k', ...words(5000)],
      ['LPUSH', 'k', ...numbers(3000, 77)],
    ],
  },
  { name: 'a list of long strings', make: [['RPUSH', 'k', ...words(30, 3000)]] },
  {
    name: 'a list with strings larger than a piece',
    make: [['RPUSH', 'k', 'a', ...words(3, 20000), 'b', ...words(2, 9000), '5']],
  },
  {
    name: 'a list that was long',
    make: [
      ['RPUSH', 'k', ...words(3000)],
      ['LTRIM', 'k', '1000', '1003'],
    ],
  },
  { name: 'a set of integers', make: [['SADD', 'k', ...numbers(100)]] },
  { name: 'a set of large integers', make: [['SADD', 'k', ...numbers(100, 1e10), '5']] },
  { name: 'a set of many integers', make: [['SADD', 'k', ...numbers(2000, 70000)]] },
  { name: 'a small set', make: [['SADD', 'k', ...EDGES, 'a']] },
  { name: 'a set of long members', make: [['SADD', 'k', 'a', ...words(5, 500)]] },
  { name: 'a large set', make: [['SADD', 'k', ...words(3000), ...numbers(50)]] },
  { name: 'a small hash', make: [['HSET', 'k', ...inTurn(words(20), EDGES)]] },
  { name: 'a hash of long values', make: [['HSET', 'k', 'f', 'v', ...inTurn(words(3), words(3, 1000))]] },
  { name: 'a large hash', make: [['HSET', 'k', ...inTurn(words(3000), numbers(3000, 9))]] },
  { name: 'a hash of exactly 512 fields', make: [['HSET', 'k', ...inTurn(words(512), numbers(512))]] },
  { name: 'a hash of 513 fields', make: [['HSET', 'k', ...inTurn(words(513), numbers(513))]] },
  {
    name: 'a small sorted set',
    make: [['ZADD', 'k', '1', 'a', '-inf', 'b', 'inf', 'c', '3.25', '7', '1e300', '', '0.1', 'e']],
  },
  { name: 'a sorted set of equal scores', make: [['ZADD', 'k', ...scored(words(60), 0)]] },
  { name: 'a sorted set of long members', make: [['ZADD', 'k', ...scored(words(5, 300), 1.5), '-0', 'zero']] },
  { name: 'a large sorted set', make: [['ZADD', 'k', ...scored(words(3000), 0.125), 'inf', 'a', '-inf', 'b']] },
  { name: 'a sorted set of exactly 128 members', make: [['ZADD', 'k', ...scored(words(128), 1)]] },
  { name: 'a sorted set of 129 members', make: [['ZADD', 'k', ...scored(words(129), 1)]] },
  { name: 'places', make: [['GEOADD', 'k', '13.361389', '38.115556', 'Palermo', '15.087269', '37.502669', 'Catania']] },
  { name: 'a short stream', make: entries(5, ['f', 'g']) },
  { name: 'a stream of many blocks', make: entries(1000, ['field', 'other', '12']) },
  {
    name: 'a stream of entries unlike each other',
    make: range(150).flatMap((n) => [['XADD', 'k', `${n + 1}-1`, ...inTurn(words((n % 5) + 1), EDGES)]]),
  },
  {
    name: 'a stream with gaps',
    make: [...entries(300, ['f']), ['XDEL', 'k', '1005-2', '1100-2', '1299-2'], ['XTRIM', 'k', 'MAXLEN', '250']],
  },
  {
    name: 'an empty stream',
    make: [...entries(3, ['f']), ['XTRIM', 'k', 'MAXLEN', '0'], ['XGROUP', 'CREATE', 'k', 'g', '$']],
  },
  {
    name: 'a stream whose ids are set',
    make: [...entries(3, ['f']), ['XSETID', 'k', '9000-5', 'ENTRIESADDED', '77', 'MAXDELETEDID', '8000-1']],
  },
  {
    name: 'a stream with groups',
    make: [
      ...entries(250, ['f', 'g']),
      ['XGROUP', 'CREATE', 'k', 'g', '0'],
      ['XGROUP', 'CREATE', 'k', 'h', '1100-2', 'ENTRIESREAD', '5'],
      ['XGROUP', 'CREATE', 'k', 'empty', '$'],
      ['XGROUP', 'CREATECONSUMER', 'k', 'g', 'idle'],
      ['XREADGROUP', 'GROUP', 'g', 'alice', 'COUNT', '150', 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'g', 'bob', 'COUNT', '50', 'STREAMS', 'k', '>'],
      ['XREADGROUP', 'GROUP', 'h', 'bob', 'COUNT', '3', 'STREAMS', 'k', '>'],
      ['XACK', 'k', 'g', '1000-0', '1001-1', '1149-2'],
      ['XCLAIM', 'k', 'g', 'bob', '0', '1003-0', '1004-1', 'RETRYCOUNT', '9'],
      ['XDEL', 'k', '1003-0'],
    ],
  },
];

/** What a value of a type is asked. */
const QUESTIONS: Readonly<Record<string, readonly Command[]>> = {
  string: [
    ['GET', 'KEY'],
    ['STRLEN', 'KEY'],
    ['PFCOUNT', 'KEY'],
  ],
  list: [
    ['LRANGE', 'KEY', '0', '-1'],
    ['LLEN', 'KEY'],
  ],
  set: [
    ['SMEMBERS', 'KEY'],
    ['SCARD', 'KEY'],
  ],
  hash: [
    ['HGETALL', 'KEY'],
    ['HLEN', 'KEY'],
  ],
  zset: [
    ['ZRANGE', 'KEY', '0', '-1', 'WITHSCORES'],
    ['ZRANGEBYLEX', 'KEY', '-', '+'],
    ['ZCARD', 'KEY'],
  ],
  stream: [
    ['XRANGE', 'KEY', '-', '+'],
    ['XREVRANGE', 'KEY', '+', '-'],
    ['XINFO', 'STREAM', 'KEY'],
    ['XINFO', 'GROUPS', 'KEY'],
  ],
};

/** What is done to a value afterwards, at both servers. */
const CHANGES: Readonly<Record<string, readonly Command[]>> = {
  string: [
    ['APPEND', 'KEY', 'x'],
    ['SETRANGE', 'KEY', '1', 'yz'],
  ],
  list: [
    ['LPUSH', 'KEY', 'new'],
    ['RPUSH', 'KEY', 'n'.repeat(9000)],
    ['LSET', 'KEY', '1', '7'],
    ['LINSERT', 'KEY', 'BEFORE', '7', '6'],
    ['LREM', 'KEY', '0', 'word:5'],
    ['RPOP', 'KEY', '2'],
  ],
  set: [
    ['SADD', 'KEY', 'new', '99'],
    ['SREM', 'KEY', '5', 'word:5', 'nothing'],
    ['SISMEMBER', 'KEY', '99'],
  ],
  hash: [
    ['HSET', 'KEY', 'new', '1', 'word:3', 'changed'],
    ['HDEL', 'KEY', 'word:1'],
    ['HINCRBY', 'KEY', 'new', '5'],
  ],
  zset: [
    ['ZADD', 'KEY', '5', 'new', '6', 'word:3'],
    ['ZREM', 'KEY', 'word:1'],
    ['ZRANK', 'KEY', 'new'],
    ['ZPOPMIN', 'KEY'],
  ],
  stream: [
    ['XADD', 'KEY', '20000-1', 'f', 'v'],
    ['XDEL', 'KEY', '1001-1', '1002-2'],
    ['XGROUP', 'CREATECONSUMER', 'KEY', 'g', 'carol'],
    ['XREADGROUP', 'GROUP', 'g', 'carol', 'COUNT', '2', 'STREAMS', 'KEY', '>'],
    ['XACK', 'KEY', 'g', '1003-0', '1010-1'],
    ['XTRIM', 'KEY', 'MAXLEN', '100'],
  ],
};

describePair('DUMP and RESTORE', (pair) => {
  let ours: ReplyClient;
  let redis: ReplyClient;

  beforeAll(async () => {
    [ours, redis] = await Promise.all([pair().ours.connect(), pair().redis.connect()]);
  });

  afterAll(() => {
    ours?.close();
    redis?.close();
  });

  describe.each(['yes', 'no'])('with rdbcompression %s', (compression) => {
    beforeAll(async () => {
      for (const client of [ours, redis]) await client.run(['CONFIG', 'SET', 'rdbcompression', compression]);
    });

    describe.each(['ours to redis', 'redis to ours'])('from %s', (direction) => {
      test.each(SHAPES)('carry $name', async ({ make }) => {
        const [from, to] = direction === 'ours to redis' ? [ours, redis] : [redis, ours];
        for (const client of [from, to]) await client.run(['FLUSHALL']);
        for (const command of make) expect((await from.run(command)).toString('latin1')).not.toMatch(/^-/);
        await expectToCarry(from, to, 'k');
      });
    });
  });

  test.each(['ours to redis', 'redis to ours'])(
    'carry what random commands made, from %s',
    async (direction) => {
      const dice = new Dice();
      const [from, to] = direction === 'ours to redis' ? [ours, redis] : [redis, ours];
      const generator = new Generator(dice);
      try {
        for (const client of [from, to]) await client.run(['FLUSHALL']);
        for (let round = 0; round < 40; round++) {
          for (let step = 0; step < 60; step++) {
            for (const command of generator.next()) await from.run(command.map((word) => Buffer.from(word, 'latin1')));
          }
          await from.run(['SELECT', '0']);
          const keys = elementsOf(decodeReply(await from.run(['KEYS', '*']))).map(textOf);
          for (const key of keys) await expectToCarry(from, to, Buffer.from(key, 'latin1'));
        }
      } catch (error) {
        throw new Error(`with RLN_TEST_SEED=${dice.seed}: ${(error as Error).message}`);
      } finally {
        await from.run(['RESET']);
      }
    },
    120_000,
  );
});

/** Moves the value of a key to another server, and compares it there, before and after changes. */
async function expectToCarry(from: ReplyClient, to: ReplyClient, key: string | Buffer): Promise<void> {
  const payload = Buffer.from(textOf(decodeReply(await from.run(['DUMP', key]))), 'latin1');
  const type = textOf(decodeReply(await from.run(['TYPE', key])));
  expect(textOf(decodeReply(await to.run(['RESTORE', key, '0', payload, 'REPLACE'])))).toBe('OK');
  await from.run(['PERSIST', key]);
  await expectSame(from, to, [['TYPE', 'KEY'], ...(QUESTIONS[type] ?? [])], key);
  if (type !== 'string') await expectSameEncoding(from, to, key);
  if (type === 'stream') await expectSamePending(from, to, key);
  await expectSame(from, to, [...(CHANGES[type] ?? []), ...(QUESTIONS[type] ?? [])], key);
}

async function expectSame(
  from: ReplyClient,
  to: ReplyClient,
  commands: readonly Command[],
  key: string | Buffer,
): Promise<void> {
  for (const command of commands) {
    const argv = command.map((word) => (word === 'KEY' ? key : word));
    const [before, after] = await Promise.all([from, to].map(async (client) => decodeReply(await client.run(argv))));
    const name = String(command[0]);
    const unordered = name === 'SMEMBERS' || name === 'HGETALL';
    const order = (reply: RespValue | undefined): unknown => (unordered ? sorted(reply, name === 'HGETALL') : reply);
    expect({ argv, reply: order(after) }).toEqual({ argv, reply: order(before) });
  }
}

/** The same encoding, if redis-server 7.0 has it. */
async function expectSameEncoding(from: ReplyClient, to: ReplyClient, key: string | Buffer): Promise<void> {
  const argv = ['OBJECT', 'ENCODING', key];
  const [before, after] = (await Promise.all(
    [from, to].map(async (client) => decodeReply(await client.run(argv))),
  )) as [RespValue, RespValue];
  const words = argv.map(String);
  if (!isKnown(words, before, after) && !isKnown(words, after, before))
    expect({ key, after }).toEqual({ key, after: before });
}

/** The same entries pending at each group, but for the milliseconds. */
async function expectSamePending(from: ReplyClient, to: ReplyClient, key: string | Buffer): Promise<void> {
  const groups = elementsOf(decodeReply(await from.run(['XINFO', 'GROUPS', key]))).map((group) =>
    textOf(elementsOf(group)[1]),
  );
  for (const group of groups) {
    const [before, after] = await Promise.all(
      [from, to].map(async (client) => {
        const reply = decodeReply(await client.run(['XPENDING', key, Buffer.from(group, 'latin1'), '-', '+', '10000']));
        return elementsOf(reply).map((entry) => elementsOf(entry).filter((_, index) => index !== 2));
      }),
    );
    expect({ group, pending: after }).toEqual({ group, pending: before });
  }
}

/** The members of a set, or the pairs of a hash, in one order. */
function sorted(reply: RespValue | undefined, pairs: boolean): readonly string[] {
  const texts = elementsOf(reply).map(textOf);
  return (pairs ? texts.filter((_, index) => index % 2 === 0) : texts)
    .map((text, index) => (pairs ? JSON.stringify([text, texts[2 * index + 1]]) : text))
    .sort();
}
