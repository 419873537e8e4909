/** Many connections on the same keys at once: nothing is lost, nothing is done twice, sums stay. */
import Redis from 'ioredis';
import { ServerProcess } from '../support/server';

let server: ServerProcess;
let clients: Redis[] = [];

beforeAll(async () => {
  server = await ServerProcess.start(['--workers', '3']);
});

afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

afterEach(async () => {
  await clients[0]?.flushall();
  for (const client of clients) client.disconnect();
  clients = [];
});

function connect(count: number): Redis[] {
  const made = Array.from({ length: count }, () => new Redis({ port: server.port, host: '127.0.0.1' }));
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
