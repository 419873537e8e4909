/** The two ways to serve: event loops that share their clients, and a thread for each client. */
import { connectMany, eventually, ServerProcess } from '../support/server';
import { encode, type RawClient } from '../support/wire-client';

const IDLE = 10_000;

let server: ServerProcess;

afterEach(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

/** A small piece of work with all its answers. */
async function work(client: RawClient, rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    expect(await client.call('SET', `key:${i}`, `value:${i}`)).toBe('+OK\r\n');
    expect(await client.call('GET', `key:${i}`)).toBe(`$${`value:${i}`.length}\r\nvalue:${i}\r\n`);
  }
}

describe('io-model events', () => {
  test('10,000 idle clients leave the active ones unharmed, and are still served themselves', async () => {
    server = await ServerProcess.start(['--workers', '2', '--maxclients', String(IDLE + 100)]);
    const idle = await connectMany(server.port, IDLE);
    const active = await connectMany(server.port, 10);
    expect(await server.info('connected_clients')).toBe(String(IDLE + 11));

    const started = Date.now();
    await Promise.all(active.map((client) => work(client, 200)));
    expect(Date.now() - started).toBeLessThan(10_000);

    expect(idle.filter((client) => client.closed)).toHaveLength(0);
    for (let from = 0; from < IDLE; from += 500) {
      const answers = await Promise.all(idle.slice(from, from + 500).map((client) => client.call('PING')));
      expect(new Set(answers)).toEqual(new Set(['+PONG\r\n']));
    }
    for (const client of [...idle, ...active]) client.close();
  }, 60_000);

  test('more clients than workers are all served at once', async () => {
    server = await ServerProcess.start(['--workers', '2']);
    const clients = await connectMany(server.port, 5);
    for (const client of clients) expect(await client.call('PING')).toBe('+PONG\r\n');
    for (const client of clients) client.close();
  });

  test.each(['poll', process.platform === 'darwin' ? 'kqueue' : 'epoll'])('works with io-poller %s', async (poller) => {
    server = await ServerProcess.start(['--io-poller', poller]);
    for (let round = 0; round < 20; round++) {
      const clients = await connectMany(server.port, 50);
      await Promise.all(clients.map((client) => work(client, 4)));
      await Promise.all(clients.map((client) => client.end()));
    }
    await eventually(
      () => server.info('connected_clients'),
      (count) => count === '1',
    );
  });
});

describe('io-model blocking', () => {
  test('idle clients starve the others until one of them leaves', async () => {
    server = await ServerProcess.start(['--io-model', 'blocking', '--workers', '4']);
    const idle = await connectMany(server.port, 4);
    for (const client of idle) expect(await client.call('PING')).toBe('+PONG\r\n');

    const starving = await server.connect();
    starving.send(encode('PING'));
    expect(await starving.isSilent(600)).toBe(true);
    // Those that have a worker are served all the while.
    for (const client of idle) expect(await client.call('PING')).toBe('+PONG\r\n');
    expect(starving.unread).toBe(0);

    await idle[2]?.end();
    expect(await starving.reply()).toBe('+PONG\r\n');
    for (const client of [...idle, starving]) client.close();
  });

  test('serves strings, keys, expiry and transactions', async () => {
    server = await ServerProcess.start(['--io-model', 'blocking', '--workers', '2']);
    const client = await server.connect();
    await work(client, 50);
    expect(await client.call('SET', 'short', 'lived', 'PX', '30')).toBe('+OK\r\n');
    await eventually(
      () => client.call('GET', 'short'),
      (reply) => reply === '$-1\r\n',
    );
    client.send(Buffer.concat([encode('MULTI'), encode('INCR', 'n'), encode('INCR', 'n'), encode('EXEC')]));
    const expected = '+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n';
    expect((await client.read(expected.length)).toString()).toBe(expected);
    client.send('SET user:1 alice\nGET user:1\n');
    expect([await client.readLine(), await client.readLine()]).toEqual(['OK\n', 'alice\n']);
    await client.end();
  });

  test('serves one client after the other with a single worker, also when its job queue is full', async () => {
    server = await ServerProcess.start(['--io-model', 'blocking', '--workers', '1', '--job-queue-length', '2']);
    const clients = await connectMany(server.port, 20);
    const answers = clients.map(async (client) => {
      const reply = await client.call('INCR', 'turn');
      await client.end();
      return reply;
    });
    const turns = (await Promise.all(answers)).map((reply) => Number(reply.slice(1))).sort((a, b) => a - b);
    expect(turns).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test('timeout takes the worker from a client who says nothing', async () => {
    server = await ServerProcess.start(['--io-model', 'blocking', '--workers', '1', '--timeout', '1']);
    const [idle, next] = await connectMany(server.port, 2);
    next?.send(encode('PING'));
    expect(await next?.reply()).toBe('+PONG\r\n');
    expect(idle?.closed).toBe(true);
    next?.close();
  });

  test.each([
    ['in the job queue', '100'],
    ['in the backlog, since the job queue is full', '1'],
  ])('stops within a second while idle clients hold every worker and others wait %s', async (_, room) => {
    server = await ServerProcess.start(['--io-model', 'blocking', '--workers', '2', '--job-queue-length', room]);
    const clients = await connectMany(server.port, 10);
    await Promise.all(clients.slice(0, 2).map((client) => client.call('PING')));
    const started = Date.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(Date.now() - started).toBeLessThan(1000);
    await Promise.all(clients.map((client) => client.readToEnd()));
  });
});
