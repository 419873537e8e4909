/** Real work through redlock. */
import Redis from 'ioredis';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

/** What is used here of redlock, which comes without types. */
interface Lock {
  readonly resource: readonly string[];
  readonly value: string;
  readonly expiration: number;
  extend(ttl: number): Promise<Lock>;
  unlock(): Promise<void>;
}
interface Locks {
  lock(resource: string | readonly string[], ttl: number): Promise<Lock>;
}

const Redlock: new (clients: readonly Redis[], options: object) => Locks = require('redlock');

describeServers('redlock', (server) => {
  const opened = new Opened();
  let redis: Redis;
  let patient: Locks;
  let hasty: Locks;

  const client = (): Redis => {
    const it = new Redis({ host: '127.0.0.1', port: server.port });
    opened.later(() => it.quit());
    return it;
  };

  beforeEach(async () => {
    redis = client();
    await redis.flushall();
    patient = new Redlock([redis], { retryCount: 200, retryDelay: 10, retryJitter: 5 });
    hasty = new Redlock([client()], { retryCount: 0 });
  });

  afterEach(() => opened.close());

  test('a lock is held by one, extended, and given back', async () => {
    const lock = await patient.lock('account:1', 60_000);
    expect(await redis.get('account:1')).toBe(lock.value);
    await expect(hasty.lock('account:1', 1000)).rejects.toThrow(/Exceeded 0 attempts to lock/);
    const extended = await lock.extend(600_000);
    expect(await redis.pttl('account:1')).toBeGreaterThan(60_000);
    await extended.unlock();
    expect(await redis.exists('account:1')).toBe(0);
    await (await hasty.lock('account:1', 1000)).unlock();
  });

  test('several resources are locked as one', async () => {
    const both = await patient.lock(['a', 'b'], 60_000);
    await expect(hasty.lock(['b', 'c'], 1000)).rejects.toThrow(/Exceeded/);
    expect(await redis.exists('c')).toBe(0);
    await both.unlock();
    await (await hasty.lock(['b', 'c'], 1000)).unlock();
    expect(await redis.dbsize()).toBe(0);
  });

  test('a lock that ran out belongs to the next, and its old holder cannot give it back', async () => {
    const old = await patient.lock('job', 50);
    await eventually(
      () => redis.exists('job'),
      (exists) => exists === 0,
    );
    const next = await hasty.lock('job', 60_000);
    await expect(old.unlock()).rejects.toThrow(/Unable to fully release the lock/);
    await expect(old.extend(1000)).rejects.toThrow(/Exceeded|Cannot extend/);
    expect(await redis.get('job')).toBe(next.value);
  });

  test('those who compete come one after another', async () => {
    const workers = Array.from({ length: 8 }, () => new Redlock([client()], { retryCount: 500, retryDelay: 10 }));
    let inside = 0;
    let most = 0;
    await Promise.all(
      workers.map(async (locks) => {
        for (let turn = 0; turn < 4; turn++) {
          const lock = await locks.lock('counter', 30_000);
          most = Math.max(most, ++inside);
          const value = Number(await redis.get('value'));
          await redis.set('value', value + 1);
          inside--;
          await lock.unlock();
        }
      }),
    );
    expect(most).toBe(1);
    expect(await redis.get('value')).toBe('32');
  });
});
