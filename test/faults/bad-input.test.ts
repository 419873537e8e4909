/** Garbage, lies about lengths, and commands that never end: an error or a closed connection, and no harm. */
import { Dice } from '../support/dice';
import { connectMany, describeLinux, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';
import { Patient } from './patient';

describeLinux('bad input', () => {
  const patient = Patient.of();

  /** What the server says to bytes before it closes the connection. */
  async function refusal(bytes: string | Buffer): Promise<string> {
    const client = await patient.server.connect();
    client.send(bytes);
    return (await client.readToEnd()).toString('latin1');
  }

  test.each([
    ['a count that is no number', '*abc\r\n', 'invalid multibulk length'],
    ['a count beyond 64 bits', '*99999999999999999999\r\n', 'invalid multibulk length'],
    ['a count above the limit', '*1048577\r\n', 'invalid multibulk length'],
    ['a count of four billion', '*4294967297\r\n', 'invalid multibulk length'],
    ['a length that is no number', '*1\r\n$abc\r\n', 'invalid bulk length'],
    ['a negative length', '*1\r\n$-1\r\n', 'invalid bulk length'],
    ['a length above the limit', '*1\r\n$536870913\r\n', 'invalid bulk length'],
    ['a length beyond 64 bits', '*1\r\n$18446744073709551617\r\n', 'invalid bulk length'],
    ['an integer in place of a bulk', '*1\r\n:5\r\n', "expected '$', got ':'"],
    ['an array within an array', '*2\r\n$3\r\nGET\r\n*1\r\n$1\r\na\r\n', "expected '$', got '*'"],
    ['arrays nested ten thousand deep', '*1\r\n'.repeat(10_000), "expected '$', got '*'"],
    ['a NUL in place of a bulk', '*1\r\n\0\0\0\r\n', "expected '$', got '\0'"],
    ['a count without an end', `*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    ['a length without an end', `*1\r\n$${'1'.repeat(70_000)}`, 'too big bulk count string'],
    ['a line without an end', 'a'.repeat(70_000), 'too big inline request'],
    ['quotes that do not close', 'SET key "value\r\n', 'unbalanced quotes in request'],
    ['quotes with a tail', 'SET key "value"tail\r\n', 'unbalanced quotes in request'],
  ])('%s is answered by a protocol error and the end', async (_, bytes, error) => {
    expect(await refusal(bytes)).toBe(`-ERR Protocol error: ${error}\r\n`);
    await patient.expectUnharmed();
  });

  test('a protocol error comes after the replies to the commands before it', async () => {
    const bytes = Buffer.concat([
      encode('SET', 'k', 'v'),
      encode('GET', 'k'),
      Buffer.from('*1\r\nbad\r\n'),
      encode('PING'),
    ]);
    expect(await refusal(bytes)).toBe("+OK\r\n$1\r\nv\r\n-ERR Protocol error: expected '$', got 'b'\r\n");
  });

  test('empty commands are skipped', async () => {
    const client = await patient.server.connect();
    client.send(`*0\r\n*-1\r\n*-5\r\n\r\n\n${'*0\r\n'.repeat(10_000)}`);
    expect(await client.call('PING')).toBe('+PONG\r\n');
    await client.end();
  });

  test('NULs are bytes like any other, in names, keys, values and lines', async () => {
    const client = await patient.server.connect();
    const key = Buffer.from('a\0b\0');
    expect(await client.call('SET', key, Buffer.alloc(5))).toBe('+OK\r\n');
    expect(await client.call('GET', key)).toBe('$5\r\n\0\0\0\0\0\r\n');
    expect(await client.call('GET', 'a')).toBe('$-1\r\n');
    expect(await client.call('GET\0')).toMatch(/^-ERR unknown command/);
    expect(await client.call('')).toMatch(/^-ERR unknown command/);
    client.send('GET a\0b\0\r\n');
    expect(await client.reply()).toBe('$5\r\n\0\0\0\0\0\r\n');
    client.send('\0\0\0\r\n');
    expect(await client.reply()).toMatch(/^-ERR unknown command/);
    await client.end();
  });

  test('random bytes end in an error or nothing, in 500 connections', async () => {
    const dice = new Dice();
    process.stdout.write(`seed ${dice.seed}\n`);
    const openings = [
      '*',
      '$',
      '*3\r\n',
      '*2\r\n$4\r\n',
      '*1\r\n$100\r\n',
      'GET ',
      '\0',
      '',
      '',
      '',
      '+OK\r\n',
      ':',
      '%1\r\n',
    ];
    for (let round = 0; round < 25; round++) {
      const clients = await connectMany(patient.port, 20);
      for (const client of clients) {
        const body = Buffer.from(Array.from({ length: 1 + dice.below(3000) }, () => dice.below(256)));
        client.send(Buffer.concat([Buffer.from(dice.pick(openings)), body]));
      }
      await sleep(5);
      for (const client of clients) dice.oneIn(2) ? client.reset() : client.socket.end();
      await sleep(2);
      for (const client of clients) client.close();
    }
    await patient.expectUnharmed();
  });

  test('commands with a few bytes changed end in an answer, an error or nothing', async () => {
    const dice = new Dice();
    process.stdout.write(`seed ${dice.seed}\n`);
    const whole = Buffer.concat([
      encode('SET', 'key', 'x'.repeat(100)),
      encode('MGET', 'key', 'other', 'third'),
      encode('GETRANGE', 'key', '0', '10'),
      Buffer.from('APPEND key "some more"\r\nGET key\n'),
    ]);
    for (let round = 0; round < 25; round++) {
      const clients = await connectMany(patient.port, 40);
      for (const client of clients) {
        const bytes = Buffer.from(whole);
        for (let changes = 1 + dice.below(4); changes > 0; changes--) {
          bytes[dice.below(bytes.length)] = dice.oneIn(3) ? dice.below(256) : (bytes[dice.below(bytes.length)] ?? 0);
        }
        client.send(bytes.subarray(0, dice.oneIn(3) ? dice.below(bytes.length) : bytes.length));
      }
      await sleep(5);
      for (const client of clients) client.close();
    }
    await patient.expectUnharmed();
  });

  test('half commands of a thousand clients wait without harm to others, and can be ended', async () => {
    const clients = await connectMany(patient.port, 1000);
    const whole = encode('SET', 'half', 'x'.repeat(200));
    for (const [i, client] of clients.entries()) client.send(whole.subarray(0, 1 + (i % (whole.length - 1))));
    await sleep(100);
    await patient.expectUnharmed();
    expect(clients.filter((client) => client.closed || client.unread > 0)).toHaveLength(0);
    for (const [i, client] of clients.entries()) client.send(whole.subarray(1 + (i % (whole.length - 1))));
    const replies = await Promise.all(clients.map((client) => client.reply()));
    expect(new Set(replies)).toEqual(new Set(['+OK\r\n']));
    for (const client of clients) client.close();
  });

  test('lines that grow byte by byte and never end are cut off at the limit', async () => {
    const clients = await connectMany(patient.port, 50);
    for (let round = 0; round < 70; round++) {
      for (const client of clients) client.send('a'.repeat(1000));
      await sleep(2);
    }
    const ends = await Promise.all(clients.map((client) => client.readToEnd()));
    const texts = ends.map((end) => end.toString()).filter((text) => text !== '');
    expect(new Set(texts)).toEqual(new Set(['-ERR Protocol error: too big inline request\r\n']));
  });

  test('200 bulks of 512 MB that are announced and never sent take no memory', async () => {
    const clients = await connectMany(patient.port, 200);
    for (const client of clients) client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n${'x'.repeat(100)}`);
    await sleep(300);
    patient.expectBounded(64);
    await patient.expectUnharmed();
    for (const client of clients) client.close();
  });

  test('20 bulks of 512 MB of which 2 MB are sent take about that', async () => {
    const clients = await connectMany(patient.port, 20);
    const part = Buffer.alloc(2 * 1024 * 1024, 'x');
    for (const client of clients) client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n`);
    await Promise.all(clients.map((client) => client.write(part)));
    await sleep(200);
    patient.expectBounded(40 * 3 + 40);
    await patient.expectUnharmed();
    for (const client of clients) client.close();
  });

  test('100 commands of a million arguments that are announced and never sent take no memory', async () => {
    const clients = await connectMany(patient.port, 100);
    for (const client of clients) client.send('*1048576\r\n$4\r\nMGET\r\n$1\r\na\r\n');
    await sleep(200);
    patient.expectBounded(64);
    await patient.expectUnharmed();
    for (const client of clients) client.close();
  });

  test('a million arguments are a command like any other', async () => {
    const pairs = Array.from({ length: 500_000 }, (_, i) => `$${`k${i}`.length}\r\nk${i}\r\n$1\r\nv\r\n`).join('');
    const names = Array.from({ length: 500_000 }, (_, i) => `$${`k${i}`.length}\r\nk${i}\r\n`).join('');
    patient.allowKept(256);
    for (let round = 0; round < 3; round++) {
      const client = await patient.server.connect();
      client.send(`*1000001\r\n$4\r\nMSET\r\n${pairs}`);
      expect(await client.reply()).toBe('+OK\r\n');
      expect(await client.call('DBSIZE')).toBe(':500000\r\n');
      client.send(`*500001\r\n$6\r\nUNLINK\r\n${names}`);
      expect(await client.reply()).toBe(':500000\r\n');
      await client.end();
    }
  }, 60_000);

  test('200,000 queued commands can be discarded', async () => {
    const client = await patient.server.connect();
    await client.call('MULTI');
    const queued = encode('PING');
    client.send(Buffer.alloc(queued.length * 200_000, queued));
    const text = (await client.read('+QUEUED\r\n'.length * 200_000)).toString();
    expect(text).toBe('+QUEUED\r\n'.repeat(200_000));
    expect(await client.call('DISCARD')).toBe('+OK\r\n');
    await client.end();
  });
});

describeLinux('limits', () => {
  const patient = Patient.of(
    ...['--client-query-buffer-limit', '1mb', '--proto-max-bulk-len', '4mb', '--proto-inline-max-size', '2kb'],
    ...['--proto-max-multibulk-len', '100'],
  );

  test('client-query-buffer-limit closes who sends a command beyond it', async () => {
    const client = await patient.server.connect();
    client.send(`*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$3000000\r\n`);
    client.send(Buffer.alloc(2_900_000, 'x'));
    expect((await client.readToEnd()).length).toBe(0);
    expect(await patient.server.info('client_query_buffer_limit_disconnections')).toBe('1');
    await patient.expectUnharmed();
  });

  test('many small commands beyond it are no such command', async () => {
    const client = await patient.server.connect();
    const command = encode('ECHO', 'x'.repeat(1000));
    client.send(Buffer.alloc(command.length * 5000, command));
    await client.read(5000 * '$1000\r\n\r\n'.length + 5000 * 1000);
    await client.end();
  });

  test('proto-max-bulk-len, proto-inline-max-size and proto-max-multibulk-len are heeded', async () => {
    for (const [bytes, error] of [
      ['*1\r\n$4194305\r\n', 'invalid bulk length'],
      ['*101\r\n', 'invalid multibulk length'],
      ['x'.repeat(2049), 'too big inline request'],
    ]) {
      const client = await patient.server.connect();
      client.send(bytes ?? '');
      expect((await client.readToEnd()).toString()).toBe(`-ERR Protocol error: ${error}\r\n`);
    }
  });

  test('before AUTH there are 10 arguments of 16,384 bytes', async () => {
    const admin = await patient.server.connect();
    await admin.call('CONFIG', 'SET', 'requirepass', 'secret');
    for (const [bytes, error] of [
      ['*11\r\n', 'unauthenticated multibulk length'],
      ['*2\r\n$3\r\nGET\r\n$16385\r\n', 'unauthenticated bulk length'],
    ]) {
      const client = await RawClient.connect(patient.port);
      client.send(bytes ?? '');
      expect((await client.readToEnd()).toString()).toBe(`-ERR Protocol error: ${error}\r\n`);
    }
    await admin.call('CONFIG', 'SET', 'requirepass', '');
    await admin.end();
  });
});
