/** Real work through ioredis. */
import Redis from 'ioredis';
import { ServerProcess, sleep } from '../support/server';

let server: ServerProcess;
let redis: Redis;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

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
  expect(await redis.pttl('k')).toBeGreaterThan(0);
  await sleep(120);
  expect(await redis.exists('k')).toBe(0);
  await redis.set('k', 'v', 'PX', 10_000);
  expect(await redis.persist('k')).toBe(1);
  expect(await redis.ttl('k')).toBe(-1);
});

test('scan streams see every key once asked for', async () => {
  await redis.mset(Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`${i % 3 === 0 ? 'x' : 'y'}:${i}`, i])));
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
  const first = await ServerProcess.start();
  const client = new Redis({ port: first.port, retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  expect(await client.set('k', 'v')).toBe('OK');
  await first.stop();
  const waiting = client.set('after', 'restart');
  const second = await ServerProcess.start(['--port', String(first.port)]);
  expect(await waiting).toBe('OK');
  expect(await client.get('after')).toBe('restart');
  expect(await client.get('k')).toBeNull();
  await client.quit();
  await second.stop();
});
