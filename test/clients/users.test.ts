/** Users and their permissions through real clients. */
import Redis from 'ioredis';
import { createClient } from 'redis';
import { describeServers } from '../support/both-servers';

describeServers('users', (server) => {
  beforeAll(async () => {
    await server.ask('ACL', 'SETUSER', 'reader', 'on', '>secret', '+@all', '-@write', '~*', '&news');
    await server.ask('SET', 'k', 'v');
  });

  test('ioredis logs in with a name, and is told what it may not do', async () => {
    const redis = new Redis({ port: server.port, username: 'reader', password: 'secret', lazyConnect: true });
    await redis.connect();
    expect(await redis.acl('WHOAMI')).toBe('reader');
    expect(await redis.get('k')).toBe('v');
    await expect(redis.set('k', 'x')).rejects.toThrow("NOPERM this user has no permissions to run the 'set' command");
    await expect(redis.publish('other', 'x')).rejects.toThrow(
      'NOPERM this user has no permissions to access one of the channels used as arguments',
    );
    const results = await redis.pipeline().get('k').set('k', 'x').exec();
    expect(results?.map(([error]) => error?.message.split(' ')[0])).toEqual([undefined, 'NOPERM']);
    await expect(redis.multi().get('k').set('k', 'x').exec()).rejects.toThrow('EXECABORT');
    await redis.quit();
  });

  test.each([2, 3] as const)('node-redis in RESP%i logs in with a name', async (protocol) => {
    const client = createClient({
      RESP: protocol,
      username: 'reader',
      password: 'secret',
      socket: { host: '127.0.0.1', port: server.port },
    });
    await client.connect();
    expect(await client.aclWhoAmI()).toBe('reader');
    expect(await client.get('k')).toBe('v');
    await expect(client.del('k')).rejects.toThrow("NOPERM this user has no permissions to run the 'del' command");
    const user = await client.aclGetUser('reader');
    expect(user).toMatchObject({ keys: '~*', channels: '&news', selectors: [] });
    await client.close();
  });

  test('a wrong password is refused by both', async () => {
    const redis = new Redis({
      port: server.port,
      username: 'reader',
      password: 'wrong',
      lazyConnect: true,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    await expect(redis.connect()).rejects.toThrow(/WRONGPASS|closed/);
    redis.disconnect();
    const client = createClient({
      username: 'reader',
      password: 'wrong',
      socket: { host: '127.0.0.1', port: server.port, reconnectStrategy: false },
    });
    client.on('error', () => undefined);
    await expect(client.connect()).rejects.toThrow('WRONGPASS');
  });
});
