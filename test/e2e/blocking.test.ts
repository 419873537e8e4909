/** Clients that wait for keys: the first to come is the first to be served, and nobody is lost. */
import Redis from 'ioredis';
import { eventually, serverForAll, sleep } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';

const server = serverForAll(['--workers', '3']);
let client: RawClient;
let opened: RawClient[] = [];

beforeEach(async () => {
  client = await server().connect();
  opened = [client];
  await client.call('FLUSHALL');
});

afterEach(() => {
  for (const one of opened) one.close();
});

async function another(): Promise<RawClient> {
  const one = await server().connect();
  opened.push(one);
  return one;
}

/** Sends a command and waits until so many clients are blocked. */
async function block(one: RawClient, blocked: number, ...args: readonly string[]): Promise<void> {
  one.send(encode(...args));
  await eventually(
    () => server().info('blocked_clients'),
    (count) => count === String(blocked),
  );
}

describe('order', () => {
  test('clients that wait for a list are served in the order in which they came', async () => {
    const clients: RawClient[] = [];
    for (let i = 0; i < 20; i++) {
      const one = await another();
      await block(one, i + 1, i % 2 === 0 ? 'BLPOP' : 'BRPOP', 'list', '0');
      clients.push(one);
    }
    await client.call('RPUSH', 'list', ...Array.from({ length: 20 }, (_, i) => String(i + 10)));
    const low = 10;
    const high = 29;
    let fromLeft = low;
    let fromRight = high;
    for (const [i, one] of clients.entries()) {
      const item = i % 2 === 0 ? fromLeft++ : fromRight--;
      expect(await one.reply()).toBe(`*2\r\n$4\r\nlist\r\n$2\r\n${item}\r\n`);
    }
    expect(await client.call('EXISTS', 'list')).toBe(':0\r\n');
  });

  test('a transaction is whole before a client is served from it', async () => {
    const one = await another();
    await block(one, 1, 'BLPOP', 'list', '0');
    for (const line of ['MULTI', 'RPUSH list a', 'DEL list', 'RPUSH list b', 'RPUSH list c']) {
      await client.call(...line.split(' '));
    }
    expect(await client.call('EXEC')).toBe('*4\r\n:1\r\n:1\r\n:1\r\n:2\r\n');
    expect(await one.reply()).toBe('*2\r\n$4\r\nlist\r\n$1\r\nb\r\n');
  });

  test('commands behind a waiting one run after it', async () => {
    const one = await another();
    one.send(Buffer.concat([encode('BLPOP', 'list', '0'), encode('SET', 'key', 'later'), encode('GET', 'key')]));
    await eventually(
      () => server().info('blocked_clients'),
      (count) => count === '1',
    );
    expect(await client.call('EXISTS', 'key')).toBe(':0\r\n');
    await client.call('RPUSH', 'list', 'x');
    expect(await one.reply()).toBe('*2\r\n$4\r\nlist\r\n$1\r\nx\r\n');
    expect(await one.reply()).toBe('+OK\r\n');
    expect(await one.reply()).toBe('$5\r\nlater\r\n');
  });
});

describe('what ends a wait', () => {
  test('its time, to the millisecond', async () => {
    const started = process.hrtime.bigint();
    expect(await client.call('BLPOP', 'nothing', '0.12')).toBe('*-1\r\n');
    const ms = Number(process.hrtime.bigint() - started) / 1e6;
    expect(ms).toBeGreaterThanOrEqual(118);
    expect(ms).toBeLessThan(400);
    await client.call('HELLO', '3');
    expect(await client.call('BLMOVE', 'a', 'b', 'LEFT', 'RIGHT', '0.01')).toBe('_\r\n');
  });

  test('CLIENT UNBLOCK, as a time-out or with an error', async () => {
    const one = await another();
    const id = (await one.call('CLIENT', 'ID')).slice(1, -2);
    await block(one, 1, 'BLPOP', 'list', '0');
    expect(await client.call('CLIENT', 'UNBLOCK', id)).toBe(':1\r\n');
    expect(await one.reply()).toBe('*-1\r\n');
    await block(one, 1, 'BZPOPMIN', 'set', '0');
    expect(await client.call('CLIENT', 'UNBLOCK', id, 'ERROR')).toBe(':1\r\n');
    expect(await one.reply()).toBe('-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n');
    expect(await client.call('CLIENT', 'UNBLOCK', id)).toBe(':0\r\n');
    expect(await one.call('PING')).toBe('+PONG\r\n');
  });

  test('the end of the connection, which loses no element', async () => {
    const one = await another();
    await block(one, 1, 'BLPOP', 'list', '0');
    one.close();
    await eventually(
      () => server().info('blocked_clients'),
      (count) => count === '0',
    );
    const two = await another();
    const id = (await two.call('CLIENT', 'ID')).slice(1, -2);
    await block(two, 1, 'BLPOP', 'list', '0');
    expect(await client.call('CLIENT', 'KILL', 'ID', id)).toBe(':1\r\n');
    await eventually(
      () => server().info('blocked_clients'),
      (count) => count === '0',
    );
    expect(await client.call('RPUSH', 'list', 'x')).toBe(':1\r\n');
    expect(await client.call('LLEN', 'list')).toBe(':1\r\n');
  });

  test('a stream whose key is gone', async () => {
    await client.call('XGROUP', 'CREATE', 'stream', 'group', '$', 'MKSTREAM');
    const one = await another();
    await block(one, 1, 'XREADGROUP', 'GROUP', 'group', 'me', 'BLOCK', '0', 'STREAMS', 'stream', '>');
    await client.call('PEXPIRE', 'stream', '30');
    expect(await one.reply()).toMatch(/^-NOGROUP /);
  });
});

describe('sorted sets and streams', () => {
  test('a sorted set feeds those who wait for it, and no others', async () => {
    const [list, set] = [await another(), await another()];
    await block(list, 1, 'BLPOP', 'key', '0');
    await block(set, 2, 'BZMPOP', '0', '2', 'none', 'key', 'MAX', 'COUNT', '2');
    await client.call('ZADD', 'key', '1', 'a', '2', 'b', '3', 'c');
    expect(await set.reply()).toBe('*2\r\n$3\r\nkey\r\n*2\r\n*2\r\n$1\r\nc\r\n$1\r\n3\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n');
    await client.call('DEL', 'key');
    await client.call('RPUSH', 'key', 'x');
    expect(await list.reply()).toBe('*2\r\n$3\r\nkey\r\n$1\r\nx\r\n');
  });

  test('every reader of a stream gets an entry, and one of a group', async () => {
    const readers = [await another(), await another()];
    const members = [await another(), await another()];
    await client.call('XGROUP', 'CREATE', 's', 'g', '$', 'MKSTREAM');
    for (const [i, reader] of readers.entries()) await block(reader, i + 1, 'XREAD', 'BLOCK', '0', 'STREAMS', 's', '$');
    for (const [i, member] of members.entries()) {
      await block(member, i + 3, 'XREADGROUP', 'GROUP', 'g', `c${i}`, 'BLOCK', '0', 'STREAMS', 's', '>');
    }
    await client.call('XADD', 's', '1-1', 'f', 'v');
    const entry = '*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n';
    for (const one of [...readers, members[0]]) expect(await one?.reply()).toBe(entry);
    expect(await server().info('blocked_clients')).toBe('1');
  });
});

test('of many producers and waiting consumers, each element is popped exactly once', async () => {
  const ITEMS = 3000;
  const options = { port: server().port, host: '127.0.0.1' };
  const producers = Array.from({ length: 4 }, () => new Redis(options));
  const consumers = Array.from({ length: 8 }, () => new Redis(options));
  const seen: string[] = [];
  const consuming = consumers.map(async (redis) => {
    for (;;) {
      const item = (await redis.blpop('work', 0))?.[1];
      if (item === undefined || item === 'stop') return;
      seen.push(item);
    }
  });
  await Promise.all(
    producers.map(async (redis, number) => {
      for (let i = 0; i < ITEMS; i += 10) {
        const items = Array.from({ length: 10 }, (_, j) => `${number}:${i + j}`);
        await Promise.all(items.map((item) => redis.rpush('work', item)));
        if (i % 500 === 0) await sleep(1);
      }
    }),
  );
  await producers[0]?.rpush('work', ...consumers.map(() => 'stop'));
  await Promise.all(consuming);
  expect(seen.length).toBe(4 * ITEMS);
  expect(new Set(seen).size).toBe(4 * ITEMS);
  for (const redis of [...producers, ...consumers]) redis.disconnect();
});
