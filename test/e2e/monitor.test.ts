/** MONITOR shows every command of every client, but no secrets and no administration. */
import { describeServers } from '../support/both-servers';
import { ServerProcess, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

test('a monitor sees the commands of other clients as Redis prints them, until RESET', async () => {
  const server = await ServerProcess.start(['--workers', '2']);
  const monitor = await server.connect();
  const client = await server.connect();
  expect(await monitor.call('MONITOR')).toBe('+OK\r\n');
  await client.call('SET', 'key', 'a "b"\n\u0001');
  await client.call('SELECT', '2');
  await client.call('CONFIG', 'GET', 'port');
  await client.call('AUTH', 'secret');
  await client.call('MULTI');
  await client.call('INCR', 'n');
  await client.call('EXEC');
  const shown: string[] = [];
  for (let i = 0; i < 6; i++)
    shown.push((await monitor.reply()).replace(/^\+\d+\.\d{6} /, '').replace(/127\S*\]/, 'ADDRESS]'));
  expect(shown).toEqual([
    '[0 ADDRESS] "SET" "key" "a \\"b\\"\\n\\x01"\r\n',
    '[2 ADDRESS] "SELECT" "2"\r\n',
    '[2 ADDRESS] "AUTH" "(redacted)"\r\n',
    '[2 ADDRESS] "MULTI"\r\n',
    '[2 ADDRESS] "INCR" "n"\r\n',
    '[2 ADDRESS] "EXEC"\r\n',
  ]);
  expect(await client.call('CLIENT', 'LIST')).toMatch(/ flags=O .* cmd=monitor /);
  monitor.send(encode('RESET'));
  expect(await monitor.reply()).toBe('+RESET\r\n');
  await client.call('PING');
  await sleep(20);
  expect(await monitor.call('PING')).toBe('+PONG\r\n');
  monitor.close();
  client.close();
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describeServers('scripts', (server) => {
  test('are shown before their commands, by MONITOR and in the slow log', async () => {
    const monitor = await RawClient.connect(server.port);
    const client = await RawClient.connect(server.port);
    await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
    await client.call('SLOWLOG', 'RESET');
    expect(await monitor.call('MONITOR')).toBe('+OK\r\n');
    await client.call('EVAL', "redis.call('SET', KEYS[1], 'v') redis.pcall('NOSUCH') return 1", '1', 'k');
    await client.call('EVAL', 'return 1', 'x');
    await client.call('EVALSHA', 'f'.repeat(40), '0');
    await client.call('MULTI');
    await client.call('EVAL_RO', "return redis.call('GET', 'k')", '0');
    await client.call('EXEC');
    await client.call('FUNCTION', 'LOAD', "#!lua name=l\nredis.register_function('f', function() end)");
    await client.call('FCALL', 'f', '0');
    const shown: string[] = [];
    for (let i = 0; i < 10; i++)
      shown.push((await monitor.reply()).replace(/^\+\d+\.\d{6} /, '').replace(/127\S*\]/, 'ADDRESS]'));
    expect(shown).toEqual([
      `[0 ADDRESS] "EVAL" "redis.call('SET', KEYS[1], 'v') redis.pcall('NOSUCH') return 1" "1" "k"\r\n`,
      '[0 lua] "SET" "k" "v"\r\n',
      '[0 ADDRESS] "EVAL" "return 1" "x"\r\n',
      `[0 ADDRESS] "EVALSHA" "${'f'.repeat(40)}" "0"\r\n`,
      '[0 ADDRESS] "MULTI"\r\n',
      `[0 ADDRESS] "EVAL_RO" "return redis.call('GET', 'k')" "0"\r\n`,
      '[0 lua] "GET" "k"\r\n',
      '[0 ADDRESS] "EXEC"\r\n',
      `[0 ADDRESS] "FUNCTION" "LOAD" "#!lua name=l\\nredis.register_function('f', function() end)"\r\n`,
      '[0 ADDRESS] "FCALL" "f" "0"\r\n',
    ]);
    // Of the commands of a script, those of a client that is nowhere.
    const log = await client.call('SLOWLOG', 'GET', '-1');
    expect([...log.matchAll(/\$3\r\n(GET|SET)\r\n[^?]*?\$3\r\n\?:0\r\n/g)].map((found) => found[1])).toEqual([
      'GET',
      'SET',
    ]);
    monitor.close();
    client.close();
  });
});
