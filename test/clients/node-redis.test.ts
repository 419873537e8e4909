/** Real work through node-redis, in both protocols. */
import { createClient, defineScript } from 'redis';
import { describeServers } from '../support/both-servers';
import { eventually } from '../support/server';

const DIRECTIVES: readonly string[] = ['--maxclients', '500'];

describeServers(
  'clients',
  (server) => {
    describe.each([2, 3] as const)('node-redis in RESP%i', (protocol) => {
      const open = () => createClient({ RESP: protocol, socket: { host: '127.0.0.1', port: server.port } });
      let client: ReturnType<typeof open>;

      beforeEach(async () => {
        client = open();
        await client.connect();
        await client.flushAll();
      });

      afterEach(async () => {
        await client.close();
      });

      test('strings and numbers', async () => {
        expect(await client.set('name', 'alice', { expiration: { type: 'EX', value: 100 }, condition: 'NX' })).toBe(
          'OK',
        );
        expect(await client.set('name', 'bob', { condition: 'NX' })).toBeNull();
        expect(await client.get('name')).toBe('alice');
        expect(await client.ttl('name')).toBe(100);
        expect(await client.incrBy('n', 5)).toBe(5);
        expect(await client.mSet({ a: '1', b: '2' })).toBe('OK');
        expect(await client.mGet(['a', 'nobody', 'b'])).toEqual(['1', null, '2']);
        expect(await client.getEx('a', { type: 'PX', value: 10_000 })).toBe('1');
        expect(await client.pTTL('a')).toBeGreaterThan(9_000);
        expect(await client.copy('a', 'c')).toBe(1);
        expect(await client.type('c')).toBe('string');
        await expect(client.incr('name')).rejects.toThrow('ERR value is not an integer or out of range');
      });

      test('commands of one tick travel together and come back in order', async () => {
        const values = await Promise.all(
          Array.from({ length: 3000 }, (_, i) => client.set(`k${i}`, `v${i}`).then(() => client.get(`k${i}`))),
        );
        expect(values).toEqual(Array.from({ length: 3000 }, (_, i) => `v${i}`));
      });

      test('transactions, watched and not', async () => {
        expect(await client.multi().set('a', '1').incr('a').get('a').exec()).toEqual(['OK', 2, '2']);
        const other = await open().connect();
        await client.watch('a');
        await other.set('a', 'changed');
        await expect(client.multi().set('a', 'mine').exec()).rejects.toThrow(/watched keys has been changed/i);
        await other.close();
      });

      test('expiry', async () => {
        await client.set('k', 'v');
        expect(await client.pExpire('k', 60)).toBe(1);
        await eventually(
          () => client.exists('k'),
          (exists) => exists === 0,
        );
      });

      test('scan iterators see every key', async () => {
        await client.mSet(Array.from({ length: 2000 }, (_, i): [string, string] => [`key:${i}`, 'v']));
        const seen = new Set<string>();
        for await (const keys of client.scanIterator({ MATCH: 'key:1*', COUNT: 200 })) {
          for (const key of keys) seen.add(key);
        }
        expect(seen.size).toBe(1111);
      });

      test('structures of all kinds', async () => {
        expect(await client.rPush('list', ['a', 'b', 'c'])).toBe(3);
        expect(await client.lPopCount('list', 2)).toEqual(['a', 'b']);
        expect(await client.hSet('hash', { name: 'alice', age: 7 })).toBe(2);
        expect({ ...(await client.hGetAll('hash')) }).toEqual({ name: 'alice', age: '7' });
        expect(await client.sAdd('set', ['a', 'b'])).toBe(2);
        expect([...(await client.sInter(['set', 'set']))].sort()).toEqual(['a', 'b']);
        expect(
          await client.zAdd('zset', [
            { score: 1, value: 'one' },
            { score: Number.POSITIVE_INFINITY, value: 'all' },
          ]),
        ).toBe(2);
        expect(await client.zRangeWithScores('zset', 0, -1)).toEqual([
          { score: 1, value: 'one' },
          { score: Number.POSITIVE_INFINITY, value: 'all' },
        ]);
        expect(await client.zScore('zset', 'nobody')).toBeNull();
        expect(await client.geoAdd('geo', { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' })).toBe(1);
        const [palermo] = await client.geoPos('geo', ['Palermo']);
        expect(Number(palermo?.latitude)).toBeCloseTo(38.1155563954963);
        const id = await client.xAdd('stream', '*', { k: 'v' });
        expect(await client.xRange('stream', '-', '+')).toEqual([{ id, message: { k: 'v' } }]);
      });

      test('messages reach those who subscribed, blocking pops those who wait', async () => {
        const [subscriber, blocked] = await Promise.all([open().connect(), open().connect()]);
        const heard: string[] = [];
        const ended = new Promise<void>((done) => {
          void subscriber.pSubscribe('n*', (text, channel) => {
            heard.push(`${channel} ${text}`);
            if (text === 'end') done();
          });
        });
        await subscriber.subscribe('news', (text) => void heard.push(text));
        await subscriber.sSubscribe('shard', (text) => void heard.push(text));
        expect(await client.publish('news', 'hello')).toBe(2);
        expect(await client.sPublish('shard', 'sharded')).toBe(1);
        await client.publish('nothing', 'end');
        await ended;
        expect(heard.sort()).toEqual(['hello', 'news hello', 'nothing end', 'sharded']);
        const popped = blocked.blPop(['a', 'b'], 10);
        await eventually(
          () => client.info('clients'),
          (info) => info.includes('blocked_clients:1'),
        );
        await client.rPush('b', 'value');
        expect(await popped).toEqual({ key: 'b', element: 'value' });
        await Promise.all([subscriber.close(), blocked.close()]);
      });

      test('scripts', async () => {
        const raise = defineScript({
          NUMBER_OF_KEYS: 1,
          SCRIPT:
            "local n = tonumber(redis.call('GET', KEYS[1]) or 0) + ARGV[1] redis.call('SET', KEYS[1], n) return n",
          parseCommand: (parser, key: string, by: number) => {
            parser.pushKey(key);
            parser.push(String(by));
          },
          transformReply: (reply: unknown) => Number(reply),
        });
        const scripted = createClient({
          RESP: protocol,
          socket: { host: '127.0.0.1', port: server.port },
          scripts: { raise },
        });
        await scripted.connect();
        expect(await scripted.raise('n', 5)).toBe(5);
        expect(await scripted.raise('n', 37)).toBe(42);
        await client.scriptFlush();
        expect(await scripted.raise('n', 0)).toBe(42);
        expect(await client.eval('return {1, "two", false, {3.9}}')).toEqual([1, 'two', null, [3]]);
        const sha = await client.scriptLoad('return ARGV[1]');
        expect(await client.evalSha(sha, { arguments: ['echo'] })).toBe('echo');
        expect(await client.scriptExists([sha, '0'.repeat(40)])).toEqual([1, 0]);
        await expect(client.evalSha('f'.repeat(40))).rejects.toThrow('NOSCRIPT No matching script');
        await scripted.close();
      });

      test('what the server tells of itself', async () => {
        expect(await client.configGet('maxclients')).toEqual({ maxclients: '500' });
        expect(await client.clientId()).toBeGreaterThan(0);
        expect(await client.info('server')).toContain('redis_version:');
        expect(await client.dbSize()).toBe(0);
        expect(await client.ping()).toBe('PONG');
      });

      test('a password, a name and a database are settled while connecting', async () => {
        await client.configSet('requirepass', 'secret');
        try {
          const guest = createClient({
            RESP: protocol,
            ...{ password: 'secret', name: 'guest', database: 3 },
            socket: { host: '127.0.0.1', port: server.port },
          });
          await guest.connect();
          await guest.set('k', 'in 3');
          expect(await guest.clientGetName()).toBe('guest');
          expect(await client.get('k')).toBeNull();
          await guest.close();
        } finally {
          await client.configSet('requirepass', '');
        }
      });

      test('reconnects after the server was restarted', async () => {
        const first = await server.start();
        const survivor = createClient({
          RESP: protocol,
          socket: { host: '127.0.0.1', port: first.port, reconnectStrategy: () => 20 },
        });
        survivor.on('error', () => undefined);
        await survivor.connect();
        await survivor.set('k', 'v');
        await first.stop();
        await eventually(
          () => survivor.isReady,
          (ready) => !ready,
        );
        const second = await server.start(['--port', String(first.port)]);
        expect(await survivor.set('after', 'restart')).toBe('OK');
        expect(await survivor.get('k')).toBeNull();
        await survivor.close();
        await second.stop();
      });
    });
  },
  DIRECTIVES,
);
