/** Real work through node-redis, in both protocols. */
import { createClient } from 'redis';
import { eventually, ServerProcess, sleep } from '../support/server';

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

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
    expect(await client.set('name', 'alice', { expiration: { type: 'EX', value: 100 }, condition: 'NX' })).toBe('OK');
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
    await sleep(100);
    expect(await client.exists('k')).toBe(0);
  });

  test('scan iterators see every key', async () => {
    await client.mSet(Array.from({ length: 2000 }, (_, i): [string, string] => [`key:${i}`, 'v']));
    const seen = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: 'key:1*', COUNT: 200 })) {
      for (const key of keys) seen.add(key);
    }
    expect(seen.size).toBe(1111);
  });

  test('what the server tells of itself', async () => {
    expect(await client.configGet('maxclients')).toEqual({ maxclients: '10000' });
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
    const first = await ServerProcess.start();
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
    const second = await ServerProcess.start(['--port', String(first.port)]);
    expect(await survivor.set('after', 'restart')).toBe('OK');
    expect(await survivor.get('k')).toBeNull();
    await survivor.close();
    await second.stop();
  });
});
