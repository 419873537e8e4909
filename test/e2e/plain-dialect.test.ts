/** The plain dialect: commands as lines that end in LF, answers as lines. Typed by hand, or by nc. */
import { spawn } from 'node:child_process';
import { describeWith } from '../support/peers';
import { serverForAll } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';

const server = serverForAll();
let client: RawClient;

beforeEach(async () => {
  client = await server().connect();
  await client.call('FLUSHALL');
});

afterEach(() => {
  client.close();
});

async function line(command: string): Promise<string> {
  client.send(`${command}\n`);
  return client.readLine();
}

describe('a line that ends in LF', () => {
  test('stores and finds: OK, the value, (nil)', async () => {
    expect(await line('SET user:1 alice')).toBe('OK\n');
    expect(await line('GET user:1')).toBe('alice\n');
    expect(await line('GET user:2')).toBe('(nil)\n');
    expect(await line('DEL user:1')).toBe('1\n');
    expect(await line('GET user:1')).toBe('(nil)\n');
  });

  test('gets integers as digits', async () => {
    expect(await line('INCR visits')).toBe('1\n');
    expect(await line('INCRBY visits 41')).toBe('42\n');
    expect(await line('TTL visits')).toBe('-1\n');
    expect(await line('EXISTS visits nobody visits')).toBe('2\n');
  });

  test('gets errors as they are, without a minus sign', async () => {
    expect(await line('GET')).toBe("ERR wrong number of arguments for 'get' command\n");
    expect(await line('NOSUCH a b')).toBe("ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \n");
    await line('SET text abc');
    expect(await line('INCR text')).toBe('ERR value is not an integer or out of range\n');
  });

  test('gets arrays one element a line', async () => {
    await line('MSET a 1 b 2');
    client.send('MGET a nobody b\n');
    expect([await client.readLine(), await client.readLine(), await client.readLine()]).toEqual([
      '1\n',
      '(nil)\n',
      '2\n',
    ]);
  });

  test('takes quotes, spaces around words and any letter case', async () => {
    expect(await line('  sEt   greeting   "hello \\"world\\""  ')).toBe('OK\n');
    expect(await line('get greeting')).toBe('hello "world"\n');
    expect(await line("SET single 'it is'")).toBe('OK\n');
    expect(await line('GET single')).toBe('it is\n');
  });

  test('is skipped when it is empty', async () => {
    client.send('\n\n   \nPING\n');
    expect(await client.readLine()).toBe('PONG\n');
  });

  test('is answered in order when many come at once', async () => {
    client.send(Array.from({ length: 1000 }, (_, i) => `SET key:${i} value:${i}\nGET key:${i}\n`).join(''));
    for (let i = 0; i < 1000; i++) {
      expect([await client.readLine(), await client.readLine()]).toEqual(['OK\n', `value:${i}\n`]);
    }
  });

  test('can be QUIT: the last answer comes, then the end', async () => {
    client.send('SET a 1\nQUIT\n');
    expect((await client.readToEnd()).toString()).toBe('OK\nOK\n');
  });

  test('runs transactions', async () => {
    expect(await line('MULTI')).toBe('OK\n');
    expect(await line('SET a 1')).toBe('QUEUED\n');
    expect(await line('INCR a')).toBe('QUEUED\n');
    client.send('EXEC\n');
    expect([await client.readLine(), await client.readLine()]).toEqual(['OK\n', '2\n']);
  });
});

describe('one connection may mix its dialects', () => {
  test('and each command is answered in its own', async () => {
    client.send('SET user:1 alice\n');
    client.send('GET user:1\r\n');
    client.send(encode('GET', 'user:1'));
    client.send('GET user:1\n');
    client.send('GET nobody\r\nGET nobody\n');
    client.send(encode('INCR', 'n'));
    client.send('INCR n\nINCR n\r\n');
    const expected =
      'OK\n' + '$5\r\nalice\r\n' + '$5\r\nalice\r\n' + 'alice\n' + '$-1\r\n(nil)\n' + ':1\r\n' + '2\n:3\r\n';
    expect((await client.read(expected.length)).toString()).toBe(expected);
  });

  test('and HELLO 3 changes the RESP ones alone', async () => {
    await client.call('HELLO', '3');
    client.send(encode('GET', 'nobody'));
    client.send('GET nobody\r\nGET nobody\n');
    expect((await client.read(12)).toString()).toBe('_\r\n_\r\n(nil)\n');
  });
});

describeWith(['nc'], 'a session of nc', () => {
  test('reads as the protocol says', async () => {
    const nc = spawn('nc', ['127.0.0.1', String(server().port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    const done = new Promise<void>((resolve) => nc.once('close', () => resolve()));
    const seen = new Promise<void>((resolve) => {
      nc.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        if (output.split('\n').length > 6) resolve();
      });
    });
    nc.stdin.write('SET user:1 alice\nGET user:1\n');
    nc.stdin.write('GET user:2\nAPPEND user:1 !\nFOO\nPING\n');
    await Promise.race([seen, done]);
    nc.kill();
    await done;
    expect(output).toBe("OK\nalice\n(nil)\n6\nERR unknown command 'FOO', with args beginning with: \nPONG\n");
  });
});
