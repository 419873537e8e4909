/** Clients that are gone from one moment to the next, at each step, and a hundred thousand that come and go. */
import { connect } from 'node:net';
import { connectMany, describeLinux, eventually, sleep } from '../support/server';
import { encode } from '../support/wire-client';
import { Patient } from './patient';

describeLinux('clients that vanish', () => {
  const patient = Patient.of();

  test('without a word, by FIN and by RST', async () => {
    for (let round = 0; round < 10; round++) {
      const clients = await connectMany(patient.port, 100);
      for (const [i, client] of clients.entries()) i % 2 === 0 ? client.reset() : client.close();
    }
    await patient.expectUnharmed();
  });

  test('after any byte of a session, in the middle of commands and transactions', async () => {
    const session = Buffer.concat([
      encode('HELLO', '3'),
      encode('SET', 'key', 'x'.repeat(50)),
      encode('WATCH', 'key'),
      encode('MULTI'),
      encode('GET', 'key'),
      Buffer.from('GET key\n'),
      encode('EXEC'),
    ]);
    for (let from = 1; from < session.length; from += 50) {
      const clients = await connectMany(patient.port, Math.min(50, session.length - from));
      await Promise.all(clients.map((client, i) => client.write(session.subarray(0, from + i))));
      for (const [i, client] of clients.entries()) i % 2 === 0 ? client.reset() : client.close();
    }
    await patient.expectUnharmed();
  });

  test('in the middle of a large request', async () => {
    const clients = await connectMany(patient.port, 50);
    const part = Buffer.alloc(1_500_000, 'x');
    await Promise.all(
      clients.map((client) =>
        client.write(Buffer.concat([Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2000000\r\n'), part])),
      ),
    );
    for (const [i, client] of clients.entries()) i % 2 === 0 ? client.reset() : client.close();
    await patient.expectUnharmed();
    expect(await patient.server.ask('EXISTS', 'k')).toBe(':0\r\n');
  });

  test('in the middle of a large reply', async () => {
    await patient.server.ask('SETRANGE', 'big', '16777215', 'x');
    const clients = await connectMany(patient.port, 50);
    for (const client of clients) {
      client.pause();
      client.send(Buffer.concat([encode('GET', 'big'), encode('GET', 'big'), encode('SET', 'after', 'it')]));
    }
    await sleep(100);
    for (const [i, client] of clients.entries()) i % 2 === 0 ? client.reset() : client.close();
    await patient.expectUnharmed();
  });

  test('while their commands are held back by CLIENT PAUSE', async () => {
    const admin = await patient.server.connect();
    const clients = await connectMany(patient.port, 50);
    await admin.call('CLIENT', 'PAUSE', '300', 'WRITE');
    await Promise.all(clients.map((client) => client.write(encode('SET', 'held', 'back'))));
    for (const [i, client] of clients.entries()) i % 2 === 0 ? client.reset() : client.close();
    await sleep(400);
    await admin.end();
    await patient.expectUnharmed();
  });

  test('are counted, and told of in INFO', async () => {
    const before = Number(await patient.server.info('total_connections_received'));
    const clients = await connectMany(patient.port, 10);
    for (const client of clients) client.reset();
    await eventually(
      () => patient.server.info('connected_clients'),
      (count) => count === '1',
    );
    expect(Number(await patient.server.info('total_connections_received')) - before).toBeGreaterThanOrEqual(10);
  });
});

/** One client's short life from one of several addresses, so that the ports of none run out. */
function shortLife(port: number, number: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: `127.0.0.${2 + (number % 8)}`, noDelay: true });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
    socket.once('connect', () => {
      switch (number % 5) {
        case 0:
          socket.end();
          break;
        case 1:
          socket.end('*1\r\n$4\r\nPING\r\n');
          break;
        case 2:
          socket.write('QUIT\r\n');
          break;
        case 3:
          socket.write('*1\r\n$4\r\nPI');
          socket.resetAndDestroy();
          break;
        default:
          socket.once('data', () => socket.end());
          socket.write('PING\n');
      }
    });
    socket.resume();
  });
}

describeLinux('a churn of 100,000 connections', () => {
  const patient = Patient.of();
  const TOTAL = 100_000;

  test('leaves no descriptor and no memory behind', async () => {
    const before = Number(await patient.server.info('total_connections_received'));
    let next = 0;
    const lives = Array.from({ length: 100 }, async () => {
      while (next < TOTAL) await shortLife(patient.port, next++);
    });
    await Promise.all(lives);
    const received = Number(await patient.server.info('total_connections_received')) - before;
    expect(received).toBeGreaterThanOrEqual(TOTAL);
    await eventually(
      () => patient.server.info('connected_clients'),
      (count) => count === '1',
    );
    await patient.expectUnharmed();
  }, 240_000);
});
