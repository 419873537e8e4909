/** Messages: by channel, by pattern and by shard channel, in order, in both protocols; and events of keys. */
import Redis from 'ioredis';
import { createClient } from 'redis';
import { eventually, serverForAll } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';

const server = serverForAll(['--workers', '3']);
let publisher: RawClient;
let listener: RawClient;

beforeEach(async () => {
  publisher = await server().connect();
  listener = await server().connect();
  await publisher.call('FLUSHALL');
});

afterEach(() => {
  publisher.close();
  listener.close();
});

describe('RESP2', () => {
  test('a subscriber hears channels and patterns, the channel first', async () => {
    expect(await listener.call('SUBSCRIBE', 'news')).toBe('*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n');
    expect(await listener.call('PSUBSCRIBE', 'n*')).toBe('*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n');
    expect(await publisher.call('PUBLISH', 'news', 'hello')).toBe(':2\r\n');
    expect(await listener.reply()).toBe('*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
    expect(await listener.reply()).toBe('*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$5\r\nhello\r\n');
    expect(await publisher.call('PUBSUB', 'NUMSUB', 'news', 'x')).toBe('*4\r\n$4\r\nnews\r\n:1\r\n$1\r\nx\r\n:0\r\n');
    expect(await publisher.call('PUBSUB', 'NUMPAT')).toBe(':1\r\n');
  });

  test('who listens may do little else, until all is unsubscribed or RESET', async () => {
    await listener.call('SUBSCRIBE', 'a');
    expect(await listener.call('GET', 'key')).toBe(
      "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n",
    );
    expect(await listener.call('PING')).toBe('*2\r\n$4\r\npong\r\n$0\r\n\r\n');
    await listener.call('UNSUBSCRIBE');
    expect(await listener.call('GET', 'key')).toBe('$-1\r\n');
    await listener.call('SSUBSCRIBE', 's');
    expect(await publisher.call('SPUBLISH', 's', 'm')).toBe(':1\r\n');
    expect(await listener.reply()).toBe('*3\r\n$8\r\nsmessage\r\n$1\r\ns\r\n$1\r\nm\r\n');
    expect(await listener.call('RESET')).toBe('+RESET\r\n');
    expect(await publisher.call('SPUBLISH', 's', 'm')).toBe(':0\r\n');
    expect(await listener.call('PING')).toBe('+PONG\r\n');
  });

  test('unsubscribing from nothing is confirmed too', async () => {
    expect(await listener.call('UNSUBSCRIBE')).toBe('*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n');
    expect(await listener.call('PUNSUBSCRIBE', 'x')).toBe('*3\r\n$12\r\npunsubscribe\r\n$1\r\nx\r\n:0\r\n');
  });
});

describe('RESP3', () => {
  test('messages are pushes beside replies, and come after the reply of their own PUBLISH', async () => {
    await listener.call('HELLO', '3');
    expect(await listener.call('SUBSCRIBE', 'c')).toBe('>3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n');
    expect(await listener.call('SET', 'k', 'v')).toBe('+OK\r\n');
    expect(await listener.call('PUBLISH', 'c', 'me')).toBe(':1\r\n');
    expect(await listener.reply()).toBe('>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nme\r\n');
  });
});

test('messages of one publisher come in order, to subscribers of all threads', async () => {
  const listeners = await Promise.all(Array.from({ length: 12 }, () => server().connect()));
  for (const one of listeners) await one.call('SUBSCRIBE', 'numbers');
  const numbers = Array.from({ length: 1000 }, (_, i) => String(i));
  publisher.send(Buffer.concat(numbers.map((number) => encode('PUBLISH', 'numbers', number))));
  for (const _ of numbers) expect(await publisher.reply()).toBe(':12\r\n');
  for (const one of listeners) {
    for (const number of numbers) {
      expect(await one.reply()).toBe(`*3\r\n$7\r\nmessage\r\n$7\r\nnumbers\r\n$${number.length}\r\n${number}\r\n`);
    }
    one.close();
  }
  await eventually(
    () => publisher.call('PUBSUB', 'NUMSUB', 'numbers'),
    (reply) => reply === '*2\r\n$7\r\nnumbers\r\n:0\r\n',
  );
});

test('a subscriber that does not read is closed at the limit of its class', async () => {
  await publisher.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 1mb 0 0');
  await listener.call('SUBSCRIBE', 'flood');
  listener.socket.pause();
  const message = 'x'.repeat(100_000);
  await eventually(
    () => publisher.call('PUBLISH', 'flood', message),
    (reply) => reply === ':0\r\n',
  );
  await publisher.call('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 32mb 8mb 60');
});

describe('events of keys', () => {
  test('are told by key and by event, for the classes that are wanted', async () => {
    await publisher.call('CONFIG', 'SET', 'notify-keyspace-events', 'KEg$x');
    expect(await publisher.call('CONFIG', 'GET', 'notify-keyspace-events')).toBe(
      '*2\r\n$22\r\nnotify-keyspace-events\r\n$5\r\ng$xKE\r\n',
    );
    await listener.call('PSUBSCRIBE', '__key*__:*');
    await publisher.call('RPUSH', 'list', 'not told');
    await publisher.call('SET', 'key', 'v', 'PX', '20');
    const told: string[] = [];
    for (let i = 0; i < 6; i++)
      told.push(
        (await listener.reply())
          .split('\r\n')
          .filter((_, at) => at === 6 || at === 8)
          .join(' '),
      );
    expect(told).toEqual([
      '__keyspace@0__:key set',
      '__keyevent@0__:set key',
      '__keyspace@0__:key expire',
      '__keyevent@0__:expire key',
      '__keyspace@0__:key expired',
      '__keyevent@0__:expired key',
    ]);
    await publisher.call('CONFIG', 'SET', 'notify-keyspace-events', '');
  });

  test('of new keys and of misses are told only when asked for', async () => {
    await publisher.call('CONFIG', 'SET', 'notify-keyspace-events', 'Emn');
    await listener.call('PSUBSCRIBE', '*');
    await publisher.call('GET', 'absent');
    expect(await listener.reply()).toContain('__keyevent@0__:keymiss\r\n$6\r\nabsent\r\n');
    await publisher.call('SET', 'absent', 'no more');
    expect(await listener.reply()).toContain('__keyevent@0__:new\r\n$6\r\nabsent\r\n');
    await publisher.call('CONFIG', 'SET', 'notify-keyspace-events', '');
  });
});

test('ioredis and node-redis publish to each other', async () => {
  const ioredis = new Redis({ port: server().port, host: '127.0.0.1', enableReadyCheck: false });
  const nodeRedis = createClient({ socket: { port: server().port, host: '127.0.0.1' }, RESP: 3 });
  const ioSender = new Redis({ port: server().port, host: '127.0.0.1' });
  await nodeRedis.connect();
  const heard: string[] = [];
  ioredis.on('pmessage', (pattern: string, channel: string, message: string) => {
    heard.push(`${pattern} ${channel} ${message}`);
  });
  await ioredis.psubscribe('a.*');
  await nodeRedis.subscribe('b', (message) => {
    heard.push(message);
  });
  await nodeRedis.publish('a.1', 'one');
  await ioSender.publish('b', 'two');
  await eventually(
    () => heard.length,
    (count) => count === 2,
  );
  expect(heard.sort()).toEqual(['a.* a.1 one', 'two']);
  ioredis.disconnect();
  ioSender.disconnect();
  await nodeRedis.close();
});
