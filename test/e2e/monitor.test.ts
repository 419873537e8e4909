/** MONITOR shows every command of every client, but no secrets and no administration. */
import { ServerProcess, sleep } from '../support/server';
import { encode } from '../support/wire-client';

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
