/** The cache within node-redis: its values are those of the server for as long as the server says nothing else. */
import { BasicClientSideCache, createClient } from 'redis';
import { describeServers, Opened } from '../support/both-servers';
import { eventually } from '../support/server';

describeServers('clients that keep what they read', (server) => {
  let opened: Opened;
  let cache: BasicClientSideCache;
  let client: Awaited<ReturnType<typeof reader>>;

  function reader(clientSideCache: BasicClientSideCache) {
    return createClient({ RESP: 3, clientSideCache, socket: { host: '127.0.0.1', port: server.port } }).connect();
  }

  /** Waits until the cache has as many entries. */
  async function holds(count: number): Promise<void> {
    await eventually(
      () => cache.size(),
      (size) => size === count,
    );
  }

  beforeEach(async () => {
    opened = new Opened();
    cache = new BasicClientSideCache({ ttl: 0, maxEntries: 0, evictPolicy: 'LRU' });
    await server.ask('FLUSHALL');
    client = opened.keep(await reader(cache));
  });

  afterEach(() => opened.close());

  test('do not ask twice', async () => {
    await server.ask('MSET', 'a', '1', 'b', '2');
    await server.ask('CONFIG', 'RESETSTAT');
    for (let i = 0; i < 5; i++) {
      expect(await client.get('a')).toBe('1');
      expect(await client.mGet(['a', 'b'])).toEqual(['1', '2']);
      expect(await client.get('nobody')).toBeNull();
    }
    expect(cache.stats().hitCount).toBe(12);
    expect(cache.stats().missCount).toBe(3);
    const asked = await server.ask('INFO', 'commandstats');
    expect(asked).toMatch(/cmdstat_get:calls=2,/);
    expect(asked).toMatch(/cmdstat_mget:calls=1,/);
  });

  test('forget what another client changes, and what needed it', async () => {
    await server.ask('MSET', 'a', '1', 'b', '2');
    await server.ask('HSET', 'h', 'f', 'v');
    expect([await client.get('a'), await client.mGet(['a', 'b']), await client.hGet('h', 'f')]).toHaveLength(3);
    await holds(3);
    await server.ask('SET', 'a', 'new');
    await holds(1);
    expect(await client.get('a')).toBe('new');
    expect(await client.mGet(['a', 'b'])).toEqual(['new', '2']);
    await server.ask('HSET', 'h', 'f', 'other');
    await holds(2);
    expect(await client.hGet('h', 'f')).toBe('other');
  });

  test('forget what they change themselves, what expires and what is new', async () => {
    await client.set('mine', '1');
    expect(await client.get('mine')).toBe('1');
    expect(await client.get('to come')).toBeNull();
    await holds(2);
    await client.incr('mine');
    await holds(1);
    expect(await client.get('mine')).toBe('2');
    await server.ask('SET', 'to come', 'here', 'PX', '300');
    await holds(1);
    expect(await client.get('to come')).toBe('here');
    await holds(1);
    expect(await client.get('to come')).toBeNull();
  });

  test('forget everything when it is flushed, or their connection is lost', async () => {
    for (let round = 0; round < 2; round++) {
      await server.ask('MSET', 'a', '1', 'b', '2');
      expect([await client.get('a'), await client.get('b')]).toEqual(['1', '2']);
      await holds(2);
      if (round === 0) await server.ask('FLUSHALL');
      else {
        client.on('error', () => undefined);
        await server.ask('CLIENT', 'KILL', 'TYPE', 'normal');
      }
      await holds(0);
    }
    await server.ask('SET', 'a', 'meanwhile');
    expect(await client.get('a')).toBe('meanwhile');
    await server.ask('SET', 'a', 'later');
    await holds(0);
    expect(await client.get('a')).toBe('later');
  });

  test('never keep an older value than the last one written, however many write', async () => {
    const others = await Promise.all(
      [1, 2].map(async () =>
        opened.keep(await reader(new BasicClientSideCache({ ttl: 0, maxEntries: 100, evictPolicy: 'LRU' }))),
      ),
    );
    const all = [client, ...others];
    for (let round = 0; round < 100; round++) {
      await Promise.all(
        all.flatMap((one, index) => [one.get('n'), one.set('n', `${round} by ${index}`), one.get('n'), one.get('m')]),
      );
    }
    const last = (await server.ask('GET', 'n')).split('\r\n')[1];
    for (const one of all) {
      await eventually(
        () => one.get('n'),
        (value) => value === last,
      );
    }
  });
});
