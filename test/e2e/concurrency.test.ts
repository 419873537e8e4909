/** Many connections on the same keys at once: nothing is lost, nothing is done twice, sums stay. */
import Redis from 'ioredis';
import { serverForAll } from '../support/server';

const server = serverForAll(['--workers', '3']);
let clients: Redis[] = [];

afterEach(async () => {
  await clients[0]?.flushall();
  for (const client of clients) client.disconnect();
  clients = [];
});

function connect(count: number): Redis[] {
  const made = Array.from({ length: count }, () => new Redis({ port: server().port, host: '127.0.0.1' }));
  clients.push(...made);
  return made;
}

/** Runs one body for each number below `count` at the same time. */
function together<Result>(count: number, body: (number: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, number) => body(number)));
}

const STOP = 'stop';
const CONSUMERS = 6;

/** Each of `produced` elements, and then the signs to stop, is found by just one consumer. */
async function eachExactlyOnce(
  produce: (redis: Redis, item: string) => Promise<unknown>,
  consume: (redis: Redis, number: number) => Promise<readonly string[]>,
): Promise<void> {
  const ITEMS = 1200;
  const seen: string[] = [];
  const consumers = connect(CONSUMERS);
  const consuming = together(CONSUMERS, async (number) => {
    for (;;) {
      const items = await consume(consumers[number] as Redis, number);
      seen.push(...items.filter((item) => !item.startsWith(STOP)));
      if (items.some((item) => item.startsWith(STOP))) return;
    }
  });
  const producers = connect(3);
  await together(3, async (number) => {
    const producer = producers[number] as Redis;
    for (let i = 0; i < ITEMS; i += 8) {
      await together(8, (j) => produce(producer, `${number}:${i + j}`));
    }
  });
  for (let i = 0; i < CONSUMERS; i++) await produce(producers[0] as Redis, `${STOP}${i}`);
  await consuming;
  expect(seen.length).toBe(3 * ITEMS);
  expect(new Set(seen).size).toBe(3 * ITEMS);
}

describe('each element is found by just one of the clients that wait', () => {
  test('for a list, moved through another one', () =>
    eachExactlyOnce(
      (redis, item) => redis.rpush('queue', item),
      async (redis, number) => {
        const item = await redis.blmove('queue', `taken:${number}`, 'LEFT', 'RIGHT', 0);
        await redis.lrem(`taken:${number}`, 1, item ?? '');
        return item === null ? [] : [item];
      },
    ));

  test('for a sorted set', () =>
    eachExactlyOnce(
      (redis, item) => redis.zadd('queue', item.startsWith(STOP) ? 1e9 : Number(item.split(':')[1]), item),
      async (redis, number) => {
        const answer = number % 2 === 0 ? await redis.bzpopmin('queue', 0) : await redis.bzmpop(0, 1, 'queue', 'MIN');
        if (answer === null) return [];
        const [, found] = answer as [string, string | [string, string][]];
        return typeof found === 'string' ? [found] : found.map(([member]) => member);
      },
    ));

  test('for a stream, as a consumer of a group', async () => {
    await connect(1)[0]?.xgroup('CREATE', 'queue', 'group', '$', 'MKSTREAM');
    await eachExactlyOnce(
      (redis, item) => redis.xadd('queue', '*', 'item', item),
      async (redis, number) => {
        const consumer = `consumer:${number}`;
        // One at a time: a sign to stop is for one consumer.
        const answer = (await redis.xreadgroup(
          'GROUP',
          'group',
          consumer,
          'COUNT',
          1,
          'BLOCK',
          0,
          'STREAMS',
          'queue',
          '>',
        )) as [string, [string, string[]][]][] | null;
        const entries = answer?.[0]?.[1] ?? [];
        await redis.xack('queue', 'group', ...entries.map(([id]) => id));
        return entries.map(([, [, item = '']]) => item);
      },
    );
    expect(await connect(1)[0]?.xpending('queue', 'group')).toEqual([0, null, null, null]);
  });
});

test('money moved between accounts by transactions is conserved, and a WATCH that held was true', async () => {
  const ACCOUNTS = 5;
  const ROUNDS = 150;
  const START = 1000;
  const [auditor, ...tellers] = connect(7) as [Redis, ...Redis[]];
  const names = Array.from({ length: ACCOUNTS }, (_, i) => `account:${i}`);
  await auditor.mset(names.flatMap((name) => [name, String(START)]));
  let done = 0;
  let open = true;
  const auditing = (async () => {
    while (open) {
      const balances = (await auditor.mget(names)).map(Number);
      expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(ACCOUNTS * START);
    }
  })();
  await together(tellers.length, async (number) => {
    const teller = tellers[number] as Redis;
    for (let i = 0; i < ROUNDS; i++) {
      const [from, to] = [names[(number + i) % ACCOUNTS] ?? '', names[(number + 3 * i + 1) % ACCOUNTS] ?? ''];
      if (from === to) continue;
      await teller.watch(from, to);
      const [before, after] = (await teller.mget(from, to)).map(Number) as [number, number];
      const amount = 1 + ((number * 7 + i) % 20);
      // Written from what was read: a change in between would be undone, if WATCH let it pass.
      const result = await teller
        .multi()
        .set(from, before - amount)
        .set(to, after + amount)
        .exec();
      if (result !== null) done++;
    }
  });
  open = false;
  await auditing;
  expect(done).toBeGreaterThan(0);
});

const MOVE =
  "local n = tonumber(redis.call('GET', KEYS[1])) redis.call('SET', KEYS[1], n - ARGV[1]) " +
  "redis.call('INCRBY', KEYS[2], ARGV[1]) return 'moved'";
const SUM = "local sum = 0 for i, key in ipairs(KEYS) do sum = sum + redis.call('GET', key) end return sum";
/** The same to whoever looks at replies; but it is not told from the text that no other keys are touched. */
const unproven = (script: string): string =>
  script.replaceAll('KEYS[1]', "(KEYS[1] .. '')").replaceAll("'GET', key)", "'GET', key .. '')");
const LIBRARY = `#!lua name=accounts
local function move(keys, args) ${MOVE.replaceAll('KEYS', 'keys').replaceAll('ARGV', 'args')} end
redis.register_function('move', move)
redis.register_function{
  function_name = 'sum', flags = { 'no-writes' },
  callback = function(keys, args) ${SUM.replaceAll('KEYS', 'keys')} end
}`;

test('what scripts, functions, transactions and plain commands move between accounts is conserved', async () => {
  const ACCOUNTS = 6;
  const ROUNDS = 120;
  const START = 1000;
  const clients = connect(9);
  const [first, second, third, ...tellers] = clients as [Redis, Redis, Redis, ...Redis[]];
  const names = Array.from({ length: ACCOUNTS }, (_, i) => `account:${i}`);
  await first.mset(names.flatMap((name) => [name, String(START)]));
  await first.call('FUNCTION', 'LOAD', LIBRARY);
  const load = async (script: string): Promise<string> => String(await first.script('LOAD', script));
  const [move, otherMove] = [await load(MOVE), await load(unproven(MOVE))];
  const [sum, otherSum] = [await load(SUM), await load(unproven(SUM))];
  const ways: ((redis: Redis, from: string, to: string, amount: number) => Promise<unknown>)[] = [
    (redis, ...rest) => redis.evalsha(move, 2, ...rest),
    (redis, ...rest) => redis.evalsha(otherMove, 2, ...rest),
    (redis, ...rest) => redis.fcall('move', 2, ...rest),
    (redis, from, to, amount) => redis.multi().decrby(from, amount).incrby(to, amount).exec(),
    (redis, from, to, amount) =>
      redis.multi().evalsha(move, 2, from, to, amount).fcall('move', 2, to, from, amount).exec(),
  ];
  const audits: ((redis: Redis) => Promise<unknown>)[] = [
    (redis) => redis.evalsha(sum, ACCOUNTS, ...names),
    (redis) => redis.call('EVALSHA_RO', otherSum, ACCOUNTS, ...names),
    (redis) => redis.call('FCALL_RO', 'sum', ACCOUNTS, ...names),
    async (redis) => (await redis.mget(names)).reduce((total, balance) => total + Number(balance), 0),
  ];
  let open = true;
  const auditing = [first, second, third].map(async (auditor, number) => {
    for (let i = number; open; i++) {
      expect(await audits[i % audits.length]?.(auditor)).toBe(ACCOUNTS * START);
    }
  });
  await together(tellers.length, async (number) => {
    const teller = tellers[number] as Redis;
    for (let i = 0; i < ROUNDS; i++) {
      // Several on their way at once, of different ways.
      await together(ways.length, async (way) => {
        const from = (number + i + way) % ACCOUNTS;
        const to = (from + 1 + ((i * 7 + way) % (ACCOUNTS - 1))) % ACCOUNTS;
        const reply = await ways[way]?.(teller, names[from] ?? '', names[to] ?? '', 1 + (i % 20));
        if (way < 3) expect(reply).toBe('moved');
      });
    }
  });
  open = false;
  await Promise.all(auditing);
  for (const audit of audits) expect(await audit(first)).toBe(ACCOUNTS * START);
  await first.call('FUNCTION', 'FLUSH');
});

test('no push and no increment is lost', async () => {
  const CLIENTS = 8;
  const EACH = 400;
  const writers = connect(CLIENTS);
  await together(CLIENTS, async (number) => {
    const writer = writers[number] as Redis;
    await together(EACH, async (i) => {
      await Promise.all([
        writer.rpush('list', `${number}:${i}`),
        writer.incr('counter'),
        writer.hincrby('hash', `field:${i % 3}`, 1),
        writer.sadd('set', `${number}:${i}`),
      ]);
    });
  });
  const reader = writers[0] as Redis;
  const list = await reader.lrange('list', 0, -1);
  expect(new Set(list).size).toBe(CLIENTS * EACH);
  expect(list.length).toBe(CLIENTS * EACH);
  expect(await reader.get('counter')).toBe(String(CLIENTS * EACH));
  expect((await reader.hvals('hash')).map(Number).reduce((sum, n) => sum + n, 0)).toBe(CLIENTS * EACH);
  expect(await reader.scard('set')).toBe(CLIENTS * EACH);
  // A client's own commands keep their order.
  for (let number = 0; number < CLIENTS; number++) {
    const own = list.filter((item) => item.startsWith(`${number}:`)).map((item) => Number(item.split(':')[1]));
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
});
