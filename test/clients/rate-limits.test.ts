/** Real work through rate-limiter-flexible, and through rate-limit-redis under express-rate-limit. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Options, rateLimit } from 'express-rate-limit';
import Redis from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
import { BurstyRateLimiter, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { createClient } from 'redis';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

/** What is used here of express, which comes without types. */
interface App extends RequestListener {
  use(handler: unknown): this;
  get(path: string, handler: (request: unknown, response: { send(text: string): void }) => void): this;
}

const express: () => App = require('express');

describeServers('rate limits', (server) => {
  const opened = new Opened();
  let redis: Redis;

  beforeEach(async () => {
    redis = new Redis({ host: '127.0.0.1', port: server.port });
    opened.later(() => redis.quit());
    await redis.flushall();
  });

  afterEach(() => opened.close());

  const nodeRedis = async () => {
    const client = await createClient({ socket: { host: '127.0.0.1', port: server.port } }).connect();
    opened.later(() => client.close());
    return client;
  };

  describe.each(['ioredis', 'node-redis'])('rate-limiter-flexible over %s', (library) => {
    const limiter = async (options: { points: number; duration: number; blockDuration?: number; keyPrefix?: string }) =>
      new RateLimiterRedis({
        ...(library === 'ioredis' ? { storeClient: redis } : { storeClient: await nodeRedis(), useRedisPackage: true }),
        ...{ keyPrefix: 'limit', ...options },
      });

    test('points are consumed until none is left, and come back with time', async () => {
      const limit = await limiter({ points: 3, duration: 1 });
      const left: number[] = [];
      for (let i = 0; i < 3; i++) left.push((await limit.consume('user')).remainingPoints);
      expect(left).toEqual([2, 1, 0]);
      const refusal: unknown = await limit.consume('user').catch((reason) => reason);
      expect(refusal).toBeInstanceOf(RateLimiterRes);
      expect(refusal).toMatchObject({ remainingPoints: 0, consumedPoints: 4, isFirstInDuration: false });
      expect((refusal as RateLimiterRes).msBeforeNext).toBeGreaterThan(0);
      expect((await limit.consume('somebody else')).remainingPoints).toBe(2);
      const later = await eventually(
        () => limit.get('user'),
        (state) => state === null,
      );
      expect(later).toBeNull();
      expect((await limit.consume('user', 2)).remainingPoints).toBe(1);
    });

    test('penalty, reward, set, block and delete', async () => {
      const limit = await limiter({ points: 10, duration: 60, blockDuration: 100 });
      expect((await limit.penalty('user', 4)).consumedPoints).toBe(4);
      expect((await limit.reward('user', 3)).consumedPoints).toBe(1);
      await limit.set('user', 9, 60);
      expect(await limit.get('user')).toMatchObject({ consumedPoints: 9, remainingPoints: 1 });
      await expect(limit.consume('user', 5)).rejects.toMatchObject({ remainingPoints: 0 });
      expect(await redis.ttl('limit:user')).toBeGreaterThan(60);
      await limit.block('other', 30);
      await expect(limit.consume('other')).rejects.toMatchObject({ remainingPoints: 0 });
      expect(await limit.delete('other')).toBe(true);
      expect((await limit.consume('other')).remainingPoints).toBe(9);
    });

    test('a crowd gets exactly as much as there is', async () => {
      const limit = await limiter({ points: 25, duration: 60 });
      const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => limit.consume('crowd')));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(25);
    });

    test('a burst is allowed on top', async () => {
      const bursty = new BurstyRateLimiter(
        await limiter({ points: 2, duration: 60 }),
        await limiter({ points: 3, duration: 120, keyPrefix: 'burst' }),
      );
      const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => bursty.consume('user')));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    });
  });

  describe('rate-limit-redis', () => {
    const serve = async (options: Partial<Options>): Promise<(path?: string) => Promise<Response>> => {
      const sendCommand = (command: string, ...args: string[]) => redis.call(command, ...args) as Promise<number>;
      const store = new RedisStore({ sendCommand, prefix: 'http:' });
      const app = express()
        .use(rateLimit({ windowMs: 60_000, standardHeaders: true, legacyHeaders: false, ...options, store }))
        .get('/', (_request, response) => response.send('welcome'));
      const web = createServer(app).listen(0, '127.0.0.1');
      await new Promise((done) => web.once('listening', done));
      opened.later(() => new Promise((done) => web.close(done).closeAllConnections()));
      return () => fetch(`http://127.0.0.1:${(web.address() as AddressInfo).port}/`);
    };

    test('two web servers share a limit', async () => {
      const [one, two] = [await serve({ limit: 3 }), await serve({ limit: 3 })];
      const first = await one();
      expect([first.status, await first.text()]).toEqual([200, 'welcome']);
      expect(first.headers.get('ratelimit-remaining')).toBe('2');
      expect((await two()).headers.get('ratelimit-remaining')).toBe('1');
      expect((await one()).status).toBe(200);
      const refused = await two();
      expect(refused.status).toBe(429);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const [key] = await redis.keys('http:*');
      expect(await redis.get(key ?? '')).toBe('4');
      expect(await redis.pttl(key ?? '')).toBeGreaterThan(0);
    });

    test('the window passes', async () => {
      const request = await serve({ limit: 1, windowMs: 200 });
      expect((await request()).status).toBe(200);
      const status = await eventually(
        async () => (await request()).status,
        (now) => now === 200,
      );
      expect(status).toBe(200);
    });

    test('the scripts are loaded again after a flush', async () => {
      const request = await serve({ limit: 5 });
      expect((await request()).status).toBe(200);
      await redis.script('FLUSH');
      expect((await request()).headers.get('ratelimit-remaining')).toBe('3');
    });
  });
});
