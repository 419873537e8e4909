/** Clients who ask for gigabytes and do not read: bounded memory, and nobody else notices. */
import { connectMany, describeLinux, eventually, sleep } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';
import { Patient } from './patient';

const MEGABYTE = 1024 * 1024;

/** `count` times the same command, back to back. */
function many(count: number, ...command: string[]): Buffer {
  const one = encode(...command);
  return Buffer.alloc(one.length * count, one);
}

describeLinux('slow readers', () => {
  // Far below the default, which is per client: 20 of them would take more than a test should.
  const patient = Patient.of('--client-reply-pause', '1mb');

  async function readers(count: number): Promise<RawClient[]> {
    const clients = await connectMany(patient.port, count);
    for (const client of clients) client.pause();
    return clients;
  }

  function leave(clients: readonly RawClient[]): void {
    for (const client of clients) client.close();
  }

  test('of one large value, 10 GB in all, share its memory', async () => {
    expect(await patient.server.ask('SETRANGE', 'big', String(MEGABYTE - 1), 'x')).toBe(`:${MEGABYTE}\r\n`);
    const clients = await readers(50);
    for (const client of clients) client.send(many(200, 'GET', 'big'));
    await sleep(500);
    patient.expectBounded(100);
    await patient.expectUnharmed();
    leave(clients);
  });

  test('of many middling values, 4 GB in all, are held back', async () => {
    await patient.server.ask('SETRANGE', 'middle', '9999', 'x');
    const clients = await readers(20);
    for (const client of clients) client.send(many(20_000, 'GET', 'middle'));
    await sleep(800);
    patient.expectBounded(120);
    await patient.expectUnharmed();
    leave(clients);
  });

  test('of many small values, 1 GB in all, are held back', async () => {
    await patient.server.ask('SET', 'small', 'x'.repeat(100));
    const list = Array.from({ length: 1000 }, () => 'small');
    const clients = await readers(20);
    for (const client of clients) client.send(many(500, 'MGET', ...list));
    await sleep(800);
    patient.expectBounded(120);
    await patient.expectUnharmed();
    leave(clients);
  });

  test('who never stop asking are held back too', async () => {
    await patient.server.ask('SETRANGE', 'big', String(MEGABYTE - 1), 'x');
    const clients = await readers(4);
    for (const client of clients) client.send(many(1_000_000, 'GET', 'big'));
    await sleep(1500);
    patient.expectBounded(100);
    await patient.expectUnharmed();
    leave(clients);
  }, 60_000);

  test('who replace the value between their questions do not keep every old one', async () => {
    const value = 'x'.repeat(MEGABYTE);
    const pair = Buffer.concat([encode('SET', 'big', value), encode('GET', 'big')]);
    const clients = await readers(2);
    for (const client of clients) client.send(Buffer.alloc(pair.length * 150, pair));
    await sleep(1500);
    patient.expectBounded(100);
    await patient.expectUnharmed();
    leave(clients);
  }, 60_000);

  test('get everything, in order, once they read', async () => {
    const [client] = await readers(1);
    if (client === undefined) throw new Error('there is no client');
    const value = 'v'.repeat(5000);
    await patient.server.ask('SET', 'value', value);
    client.send(Buffer.concat([many(2000, 'GET', 'value'), many(2000, 'INCR', 'n')]));
    await sleep(300);
    client.resume();
    const numbers = Array.from({ length: 2000 }, (_, i) => `:${i + 1}\r\n`).join('');
    const expected = `$5000\r\n${value}\r\n`.repeat(2000) + numbers;
    expect((await client.read(expected.length)).toString('latin1') === expected).toBe(true);
    await client.end();
  });

  test('who read a little at a time get everything too', async () => {
    const [client] = await readers(1);
    if (client === undefined) throw new Error('there is no client');
    const value = 'w'.repeat(100_000);
    await patient.server.ask('SET', 'value', value);
    client.send(many(300, 'GET', 'value'));
    const expected = Buffer.from(`$100000\r\n${value}\r\n`.repeat(300));
    while (client.unread < expected.length) {
      client.resume();
      await new Promise((done) => setImmediate(done));
      client.pause();
      await sleep(1);
    }
    client.resume();
    expect((await client.read(expected.length)).equals(expected)).toBe(true);
    await client.end();
  });
});

describeLinux('client-output-buffer-limit', () => {
  const patient = Patient.of('--client-reply-pause', '0');

  test('closes who is over the hard limit', async () => {
    const admin = await patient.server.connect();
    expect(await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 8mb 0 0')).toBe('+OK\r\n');
    await admin.call('SETRANGE', 'middle', '9999', 'x');
    const client = await patient.server.connect();
    client.pause();
    client.send(many(10_000, 'GET', 'middle'));
    await eventually(
      () => patient.server.info('client_output_buffer_limit_disconnections'),
      (count) => count === '1',
    );
    client.resume();
    expect((await client.readToEnd()).length).toBeLessThan(90 * MEGABYTE);
    await patient.expectUnharmed();
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    await admin.end();
  });

  test('closes who is over the soft limit for too long', async () => {
    const admin = await patient.server.connect();
    expect(await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 1mb 1')).toBe('+OK\r\n');
    await admin.call('CONFIG', 'RESETSTAT');
    await admin.call('SETRANGE', 'middle', '9999', 'x');
    const client = await patient.server.connect();
    client.pause();
    client.send(many(2_000, 'GET', 'middle'));
    const started = Date.now();
    await eventually(
      async () => {
        client.send(encode('GET', 'middle'));
        return patient.server.info('client_output_buffer_limit_disconnections');
      },
      (count) => count === '1',
    );
    expect(Date.now() - started).toBeGreaterThan(800);
    client.close();
    await admin.call('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 0 0 0');
    await admin.end();
  });
});
