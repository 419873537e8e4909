/** Requests are a stream of bytes: cut anywhere, pipelined without end, small and huge. */
import { randomBytes } from 'node:crypto';
import { serverForAll } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';

const MEGABYTE = 1024 * 1024;

const server = serverForAll();
let client: RawClient;

beforeEach(async () => {
  client = await server().connect();
  await client.call('FLUSHALL');
});

afterEach(() => {
  client.close();
});

/** A session of all dialects: what is sent, and what must come back. */
const SESSION: readonly (readonly [Buffer, string])[] = [
  [encode('FLUSHALL'), '+OK\r\n'],
  [encode('SET', 'a', '1'), '+OK\r\n'],
  [Buffer.from('*0\r\n'), ''],
  [encode('SET', 'binary', Buffer.from([0, 13, 10, 255, 42])), '+OK\r\n'],
  [encode('STRLEN', 'binary'), ':5\r\n'],
  [Buffer.from('GET a\n'), '1\n'],
  [Buffer.from('GET "a"\r\n'), '$1\r\n1\r\n'],
  [encode('CLIENT', 'SETNAME', 'me'), '+OK\r\n'],
  [encode('MSET', 'x', 'a'.repeat(40), 'y', ''), '+OK\r\n'],
  [encode('MGET', 'x', 'y', 'z'), `*3\r\n$40\r\n${'a'.repeat(40)}\r\n$0\r\n\r\n$-1\r\n`],
  [encode('MULTI'), '+OK\r\n'],
  [encode('INCR', 'a'), '+QUEUED\r\n'],
  [encode('EXEC'), '*1\r\n:2\r\n'],
  [encode('NOSUCH'), "-ERR unknown command 'NOSUCH', with args beginning with: \r\n"],
  [encode('GET'), "-ERR wrong number of arguments for 'get' command\r\n"],
  [encode('PING', 'the end'), '$7\r\nthe end\r\n'],
];
const REQUESTS = Buffer.concat(SESSION.map(([request]) => request));
const REPLIES = SESSION.map(([, reply]) => reply).join('');

describe('fragments', () => {
  test('a session sent byte by byte is answered as if it came whole', async () => {
    for (const byte of REQUESTS) await client.write(Buffer.from([byte]));
    expect((await client.read(REPLIES.length)).toString('latin1')).toBe(REPLIES);
  });

  test('a session cut in two at any byte is answered as if it came whole', async () => {
    for (let cut = 1; cut < REQUESTS.length; cut++) {
      await client.write(REQUESTS.subarray(0, cut));
      await new Promise((done) => setTimeout(done, 1));
      await client.write(REQUESTS.subarray(cut));
      const replies = await client.read(REPLIES.length);
      expect({ cut, replies: replies.toString('latin1') }).toEqual({ cut, replies: REPLIES });
    }
  });

  test('a value of many packets arrives whole, whatever their sizes', async () => {
    const value = randomBytes(300_000);
    const request = encode('SET', 'key', value);
    for (const size of [1_000, 4_096, 16_383, 65_536, 100_001]) {
      for (let at = 0; at < request.length; at += size) {
        await client.write(request.subarray(at, at + size));
        await new Promise((done) => setImmediate(done));
      }
      expect(await client.reply()).toBe('+OK\r\n');
      expect(await client.call('STRLEN', 'key')).toBe(':300000\r\n');
    }
    client.send(encode('GET', 'key'));
    const reply = await client.replyBytes();
    expect(reply.subarray(9, -2).equals(value)).toBe(true);
  });
});

describe('pipelines', () => {
  test('10,000 commands in one write are answered in order', async () => {
    const commands = Array.from({ length: 5000 }, (_, i) => [encode('SET', `k${i}`, `v${i}`), encode('GET', `k${i}`)]);
    const expected = Array.from({ length: 5000 }, (_, i) => `+OK\r\n$${`v${i}`.length}\r\nv${i}\r\n`).join('');
    client.send(Buffer.concat(commands.flat()));
    expect((await client.read(expected.length)).toString()).toBe(expected);
    expect(await client.call('DBSIZE')).toBe(':5000\r\n');
  });

  test('many clients pipeline at once and nobody gets the answer of another', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => server().connect()));
    const answers = clients.map(async (other, n) => {
      const text = (i: number): string => `client ${n} command ${i}`;
      const expected = Array.from({ length: 2000 }, (_, i) => `$${text(i).length}\r\n${text(i)}\r\n`).join('');
      other.send(Buffer.concat(Array.from({ length: 2000 }, (_, i) => encode('ECHO', text(i)))));
      expect((await other.read(expected.length)).toString()).toBe(expected);
      await other.end();
    });
    await Promise.all(answers);
  });

  test('a pipeline whose 32 MB of replies are read only after all of it was written', async () => {
    const value = 'x'.repeat(3276);
    await client.call('SET', 'key', value);
    const one = `$${value.length}\r\n${value}\r\n`;
    client.pause();
    await client.write(Buffer.concat(Array.from({ length: 10_000 }, () => encode('GET', 'key'))));
    client.resume();
    const replies = await client.read(one.length * 10_000);
    expect(replies.equals(Buffer.from(one.repeat(10_000)))).toBe(true);
  });

  test('a pipeline of 32 MB with 32 MB of replies, read only after all of it was written', async () => {
    const value = 'y'.repeat(3276);
    const one = `+OK\r\n$${value.length}\r\n${value}\r\n`;
    const pair = Buffer.concat([encode('SET', 'key', value), encode('GET', 'key')]);
    client.pause();
    await client.write(Buffer.concat(Array.from({ length: 10_000 }, () => pair)));
    client.resume();
    const replies = await client.read(one.length * 10_000);
    expect(replies.equals(Buffer.from(one.repeat(10_000)))).toBe(true);
  });
});

describe('large values', () => {
  test('100 MB go in and come out as they were', async () => {
    const value = Buffer.alloc(100 * MEGABYTE, randomBytes(MEGABYTE + 7));
    expect(await client.call('SET', 'huge', value)).toBe('+OK\r\n');
    expect(await client.call('STRLEN', 'huge')).toBe(`:${value.length}\r\n`);
    expect(await client.call('GETRANGE', 'huge', '52428800', '52428809')).toBe(
      `$10\r\n${value.subarray(52428800, 52428810).toString('latin1')}\r\n`,
    );
    client.send(encode('GET', 'huge'));
    const header = `$${value.length}\r\n`;
    const reply = await client.read(header.length + value.length + 2);
    expect(reply.subarray(0, header.length).toString()).toBe(header);
    expect(reply.subarray(header.length, -2).equals(value)).toBe(true);
    expect(await client.call('DEL', 'huge')).toBe(':1\r\n');
  }, 60_000);

  test('a value of 20 MB grows by APPEND and SETRANGE', async () => {
    expect(await client.call('SETRANGE', 'grown', String(20 * MEGABYTE), 'end')).toBe(`:${20 * MEGABYTE + 3}\r\n`);
    expect(await client.call('APPEND', 'grown', '!')).toBe(`:${20 * MEGABYTE + 4}\r\n`);
    expect(await client.call('GETRANGE', 'grown', '-5', '-1')).toBe('$5\r\n\0end!\r\n');
  });
});

describe('protocol versions', () => {
  test('HELLO 3 answers a map, and nulls are nulls from then on', async () => {
    const hello = await client.call('HELLO', '3');
    expect(hello.startsWith('%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n')).toBe(true);
    expect(hello).toContain('$5\r\nproto\r\n:3\r\n');
    expect(await client.call('GET', 'nobody')).toBe('_\r\n');
    expect(await client.call('CONFIG', 'GET', 'port')).toBe('%1\r\n$4\r\nport\r\n$1\r\n0\r\n');
    const back = await client.call('HELLO', '2');
    expect(back.startsWith('*14\r\n')).toBe(true);
    expect(await client.call('GET', 'nobody')).toBe('$-1\r\n');
  });

  test('HELLO with another version changes nothing', async () => {
    expect(await client.call('HELLO', '4')).toBe('-NOPROTO unsupported protocol version\r\n');
    expect(await client.call('HELLO', 'three')).toMatch(/^-ERR Protocol version is not an integer/);
    expect(await client.call('GET', 'nobody')).toBe('$-1\r\n');
  });

  test('HELLO authenticates and names the client in one go', async () => {
    expect(await client.call('CONFIG', 'SET', 'requirepass', 'secret')).toBe('+OK\r\n');
    try {
      const other = await server().connect();
      expect(await other.call('GET', 'a')).toBe('-NOAUTH Authentication required.\r\n');
      expect(await other.call('HELLO', '3')).toMatch(/^-NOAUTH HELLO must be called with the client already/);
      expect(await other.call('HELLO', '3', 'AUTH', 'default', 'wrong')).toMatch(/^-WRONGPASS /);
      expect(await other.call('HELLO', '3', 'AUTH', 'default', 'secret', 'SETNAME', 'guest')).toMatch(/^%7\r\n/);
      expect(await other.call('CLIENT', 'GETNAME')).toBe('$5\r\nguest\r\n');
      expect(await other.call('GET', 'nobody')).toBe('_\r\n');
      await other.end();
      const third = await server().connect();
      expect(await third.call('AUTH', 'wrong')).toMatch(/^-WRONGPASS /);
      expect(await third.call('AUTH', 'secret')).toBe('+OK\r\n');
      expect(await third.call('PING')).toBe('+PONG\r\n');
      await third.end();
    } finally {
      expect(await client.call('CONFIG', 'SET', 'requirepass', '')).toBe('+OK\r\n');
    }
  });

  test('inline commands that end in CRLF get RESP replies', async () => {
    client.send('SET inline yes\r\nGET inline\r\nMGET inline nobody\r\nping\r\n');
    const expected = '+OK\r\n$3\r\nyes\r\n*2\r\n$3\r\nyes\r\n$-1\r\n+PONG\r\n';
    expect((await client.read(expected.length)).toString()).toBe(expected);
  });
});
