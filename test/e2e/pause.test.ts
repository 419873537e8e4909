/** Pauses: that of writes stops more than the clients, what the server does to keys by itself waits, too. */
import { describeServers } from '../support/both-servers';
import { eventually, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const NOTHING = ['expired_keys:0', 'evicted_keys:0'];

describeServers('while writes pause', (server) => {
  let one: RawClient;
  let other: RawClient;

  /** How many keys went by themselves. */
  async function gone(): Promise<readonly string[] | null> {
    return (await one.call('INFO', 'stats')).match(/^(?:expired|evicted)_keys:\d+/gm);
  }

  async function pause(): Promise<void> {
    expect(await one.call('CLIENT', 'PAUSE', '20000', 'WRITE')).toBe('+OK\r\n');
  }

  beforeEach(async () => {
    [one, other] = await Promise.all([RawClient.connect(server.port), RawClient.connect(server.port)]);
    await one.call('FLUSHALL');
    await one.call('CONFIG', 'RESETSTAT');
    await one.call('SET', 'stays', 'v');
  });

  afterEach(async () => {
    await one.call('CLIENT', 'UNPAUSE');
    await one.call('CONFIG', 'SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
    one.close();
    other.close();
  });

  test('keys whose time is up are not seen, but stay', async () => {
    for (const name of ['looked at', 'left alone']) await one.call('SET', name, 'v', 'PX', '80');
    await pause();
    await sleep(100);
    expect(await one.call('GET', 'looked at')).toBe('$-1\r\n');
    expect(await one.call('EXISTS', 'looked at', 'stays')).toBe(':1\r\n');
    await sleep(300); // The background works ten times a second.
    expect(await one.call('DBSIZE')).toBe(':3\r\n');
    expect(await gone()).toEqual(NOTHING);
    await one.call('CLIENT', 'UNPAUSE');
    await eventually(
      () => one.call('DBSIZE'),
      (size) => size === ':1\r\n',
    );
    expect(await gone()).toEqual(['expired_keys:2', 'evicted_keys:0']);
  });

  test('and when the pause ends by itself, they go', async () => {
    await one.call('SET', 'left alone', 'v', 'PX', '30');
    await one.call('CLIENT', 'PAUSE', '400', 'WRITE');
    await sleep(200);
    expect(await one.call('DBSIZE')).toBe(':2\r\n');
    await eventually(
      () => one.call('DBSIZE'),
      (size) => size === ':1\r\n',
    );
  });

  test('none goes to make room', async () => {
    await pause();
    await one.call('CONFIG', 'SET', 'maxmemory', '1', 'maxmemory-policy', 'allkeys-lru');
    await sleep(300);
    expect(await one.call('DBSIZE')).toBe(':1\r\n');
    expect(await gone()).toEqual(NOTHING);
    await one.call('CLIENT', 'UNPAUSE');
    await eventually(
      () => one.call('DBSIZE'),
      (size) => size === ':0\r\n',
    );
    expect(await gone()).toEqual(['expired_keys:0', 'evicted_keys:1']);
  });

  test('a command that there is no memory for is put off, and refused afterwards', async () => {
    await pause();
    await one.call('CONFIG', 'SET', 'maxmemory', '1');
    other.send(encode('SET', 'more', 'v'));
    expect(await other.isSilent(100)).toBe(true);
    await one.call('CLIENT', 'UNPAUSE');
    expect(await other.reply()).toContain('-OOM ');
  });
});

describeServers(
  'while the background pauses',
  (server) => {
    test('keys stay until somebody looks', async () => {
      expect(await server.ask('DEBUG', 'PAUSE-CRON', '1')).toBe('+OK\r\n');
      for (const name of ['looked at', 'left alone']) await server.ask('SET', name, 'v', 'PX', '10');
      await sleep(300);
      expect(await server.ask('DBSIZE')).toBe(':2\r\n');
      expect(await server.ask('EXISTS', 'looked at')).toBe(':0\r\n');
      expect(await server.ask('DBSIZE')).toBe(':1\r\n');
      expect(await server.ask('DEBUG', 'PAUSE-CRON', '0')).toBe('+OK\r\n');
      await eventually(
        () => server.ask('DBSIZE'),
        (size) => size === ':0\r\n',
      );
    });
  },
  ['--enable-debug-command', 'yes'],
);
