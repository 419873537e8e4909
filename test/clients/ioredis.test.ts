/** Real work through ioredis. */
import Redis from 'ioredis';
import { describeServers } from '../support/both-servers';
import { eventually } from '../support/server';

describeServers('ioredis', (server) => {
  let redis: Redis;

  beforeEach(async () => {
    redis = new Redis({ port: server.port, lazyConnect: true });
    await redis.connect();
    await redis.flushall();
  });

  afterEach(async () => {
    await redis.quit();
  });

  test('strings, numbers and buffers', async () => {
    expect(await redis.set('name', 'alice', 'EX', 100, 'NX')).toBe('OK');
    expect(await redis.set('name', 'bob', 'NX')).toBeNull();
    expect(await redis.get('name')).toBe('alice');
    expect(await redis.incrby('n', 5)).toBe(5);
    expect(await redis.incrbyfloat('n', 0.5)).toBe('5.5');
    expect(await redis.append('name', '!')).toBe(6);
    expect(await redis.getrange('name', 0, 2)).toBe('ali');
    const bytes = Buffer.from([0, 255, 13, 10]);
    await redis.set('bytes', bytes);
    expect(await redis.getBuffer('bytes')).toEqual(bytes);
    expect(await redis.mset({ a: '1', b: '2' })).toBe('OK');
    expect(await redis.mget('a', 'nobody', 'b')).toEqual(['1', null, '2']);
    expect(await redis.getdel('a')).toBe('1');
    await redis.set('héllo', 'wörld ✓');
    expect(await redis.get('héllo')).toBe('wörld ✓');
  });

  test('errors reject with the text of the server', async () => {
    await redis.set('text', 'abc');
    await expect(redis.incr('text')).rejects.toThrow('ERR value is not an integer or out of range');
    await expect(redis.call('NOSUCH')).rejects.toThrow("ERR unknown command 'NOSUCH'");
  });

  test('pipelines', async () => {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.set(`k${i}`, `v${i}`).get(`k${i}`);
    const results = (await pipeline.exec()) ?? [];
    expect(results).toHaveLength(10_000);
    expect(results.every(([error]) => error === null)).toBe(true);
    expect(results.filter((_, i) => i % 2 === 1).map(([, value]) => value)).toEqual(
      Array.from({ length: 5000 }, (_, i) => `v${i}`),
    );
  });

  test('transactions, watched and not', async () => {
    expect(await redis.multi().set('a', '1').incr('a').get('a').exec()).toEqual([
      [null, 'OK'],
      [null, 2],
      [null, '2'],
    ]);
    const other = redis.duplicate();
    await redis.watch('a');
    await other.set('a', 'changed');
    expect(await redis.multi().set('a', 'mine').exec()).toBeNull();
    await other.quit();
  });

  test('expiry', async () => {
    await redis.set('k', 'v');
    expect(await redis.pexpire('k', 80)).toBe(1);
    expect(await redis.pttl('k')).toBeLessThanOrEqual(80);
    await eventually(
      () => redis.exists('k'),
      (exists) => exists === 0,
    );
    await redis.set('k', 'v', 'PX', 10_000);
    expect(await redis.persist('k')).toBe(1);
    expect(await redis.ttl('k')).toBe(-1);
  });

  test('scan streams see every key once asked for', async () => {
    await redis.mset(
      Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${i % 3 === 0 ? 'x' : 'y'}:${i}`, i])),
    );
    const seen = new Set<string>();
    for await (const keys of redis.scanStream({ match: 'x:*', count: 100 })) {
      for (const key of keys as string[]) seen.add(key);
    }
    expect(seen.size).toBe(1000);
  });

  test('automatic pipelining of many callers', async () => {
    const auto = new Redis({ port: server.port, enableAutoPipelining: true });
    const values = await Promise.all(
      Array.from({ length: 2000 }, (_, i) => auto.set(`a${i}`, i).then(() => auto.get(`a${i}`))),
    );
    expect(values).toEqual(Array.from({ length: 2000 }, (_, i) => String(i)));
    await auto.quit();
  });

  test('reconnects after the server was restarted, and sends what had to wait', async () => {
    const first = await server.start();
    const client = new Redis({ port: first.port, retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    expect(await client.set('k', 'v')).toBe('OK');
    await first.stop();
    const waiting = client.set('after', 'restart');
    const second = await server.start(['--port', String(first.port)]);
    expect(await waiting).toBe('OK');
    expect(await client.get('after')).toBe('restart');
    expect(await client.get('k')).toBeNull();
    await client.quit();
    await second.stop();
  });

  test('structures of all kinds', async () => {
    expect(await redis.rpush('list', 'a', 'b', 'c')).toBe(3);
    expect(await redis.lrange('list', 0, -1)).toEqual(['a', 'b', 'c']);
    expect(await redis.hset('hash', { name: 'alice', age: 7 })).toBe(2);
    expect(await redis.hgetall('hash')).toEqual({ name: 'alice', age: '7' });
    expect(await redis.sadd('set', 'a', 'b', 'a')).toBe(2);
    expect((await redis.smembers('set')).sort()).toEqual(['a', 'b']);
    expect(await redis.zadd('zset', 1, 'one', 2.5, 'two and a half')).toBe(2);
    expect(await redis.zrange('zset', 0, '+inf', 'BYSCORE', 'WITHSCORES')).toEqual([
      'one',
      '1',
      'two and a half',
      '2.5',
    ]);
    expect(await redis.geoadd('geo', 13.361389, 38.115556, 'Palermo', 15.087269, 37.502669, 'Catania')).toBe(2);
    expect(await redis.geodist('geo', 'Palermo', 'Catania', 'KM')).toBe('166.2742');
    expect(await redis.pfadd('hll', 'a', 'b', 'c')).toBe(1);
    expect(await redis.pfcount('hll')).toBe(3);
    expect(await redis.setbit('bits', 7, 1)).toBe(0);
    expect(await redis.bitcount('bits')).toBe(1);
    const fields: unknown[] = [];
    for await (const page of redis.hscanStream('hash')) fields.push(...(page as unknown[]));
    expect(fields).toEqual(['name', 'alice', 'age', '7']);
  });

  test('blocking pops wait for what others push', async () => {
    const blocked = redis.duplicate();
    const popped = blocked.blpop('first', 'second', 10);
    await eventually(
      () => redis.info('clients'),
      (info) => info.includes('blocked_clients:1'),
    );
    await redis.rpush('second', 'x', 'y');
    expect(await popped).toEqual(['second', 'x']);
    expect(await blocked.blmove('second', 'third', 'LEFT', 'RIGHT', 1)).toBe('y');
    expect(await blocked.bzpopmin('nothing', 0.02)).toBeNull();
    await blocked.quit();
  });

  test('messages reach those who subscribed', async () => {
    const subscriber = redis.duplicate();
    const heard: string[][] = [];
    const all = new Promise<void>((done) => {
      subscriber.on('message', (channel, text) => heard.push([channel, text]));
      subscriber.on('pmessage', (pattern, channel, text) => {
        heard.push([pattern, channel, text]);
        if (text === 'end') done();
      });
    });
    expect(await subscriber.subscribe('news', 'weather')).toBe(2);
    expect(await subscriber.psubscribe('n*')).toBe(3);
    expect(await redis.publish('news', 'hello')).toBe(2);
    expect(await redis.publish('weather', 'rain')).toBe(1);
    expect(await redis.publish('nothing', 'end')).toBe(1);
    await all;
    expect(heard).toEqual([
      ['news', 'hello'],
      ['n*', 'news', 'hello'],
      ['weather', 'rain'],
      ['n*', 'nothing', 'end'],
    ]);
    await subscriber.unsubscribe('news', 'weather');
    await subscriber.punsubscribe('n*');
    expect(await subscriber.ping()).toBe('PONG');
    await subscriber.quit();
  });

  test('a consumer group shares a stream', async () => {
    await redis.xgroup('CREATE', 'jobs', 'workers', '$', 'MKSTREAM');
    const ids = await Promise.all([1, 2, 3].map((n) => redis.xadd('jobs', '*', 'n', n)));
    const read = (who: string, count: number) =>
      redis.xreadgroup('GROUP', 'workers', who, 'COUNT', count, 'STREAMS', 'jobs', '>');
    expect(await read('ann', 2)).toEqual([
      [
        'jobs',
        [
          [ids[0], ['n', '1']],
          [ids[1], ['n', '2']],
        ],
      ],
    ]);
    expect(await read('bob', 2)).toEqual([['jobs', [[ids[2], ['n', '3']]]]]);
    expect(await read('bob', 2)).toBeNull();
    expect(await redis.xack('jobs', 'workers', ids[0] ?? '')).toBe(1);
    expect(await redis.xautoclaim('jobs', 'workers', 'bob', 0, '0')).toEqual([
      '0-0',
      [
        [ids[1], ['n', '2']],
        [ids[2], ['n', '3']],
      ],
      [],
    ]);
    expect((await redis.xpending('jobs', 'workers'))?.slice(0, 1)).toEqual([2]);
  });

  test("commands of one's own are scripts", async () => {
    redis.defineCommand('pushCapped', {
      numberOfKeys: 1,
      lua: `redis.call('RPUSH', KEYS[1], unpack(ARGV, 2))
            redis.call('LTRIM', KEYS[1], -tonumber(ARGV[1]), -1)
            return { redis.call('LLEN', KEYS[1]), redis.call('LRANGE', KEYS[1], 0, -1), cjson.encode({ n = 1.5 }) }`,
    });
    const { pushCapped } = redis as unknown as { pushCapped(...words: (string | number)[]): Promise<unknown> };
    for (let i = 0; i < 2; i++) {
      const reply = await pushCapped.call(redis, 'capped', 3, 'a', 'b', 'c', 'd');
      expect(reply).toEqual([3, ['b', 'c', 'd'], '{"n":1.5}']);
    }
    await redis.script('FLUSH');
    expect(await pushCapped.call(redis, 'capped', 1, 'z')).toEqual([1, ['z'], '{"n":1.5}']);
    const wrong = redis.eval("return redis.call('INCR', KEYS[1])", 1, 'capped');
    await expect(wrong).rejects.toThrow(/^WRONGTYPE Operation .* script: [0-9a-f]{40}, on @user_script:1\.$/);
  });
});
