/** A graceful stop: by SIGINT, SIGTERM and SHUTDOWN, with a thousand clients, and with work in hand. */
import { connectMany, ServerProcess, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const MEGABYTE = 1024 * 1024;

let server: ServerProcess;

beforeEach(async () => {
  server = await ServerProcess.start();
});

afterEach(async () => {
  await server.stop('SIGKILL');
});

/** Resolves when nobody accepts at the port any more. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    try {
      (await RawClient.connect(port)).close();
      await sleep(1);
    } catch {
      return;
    }
  }
}

/** A client that has asked for `megabytes` and reads none of them. */
async function slowReader(megabytes: number): Promise<RawClient> {
  const client = await server.connect();
  await client.call('SETRANGE', 'big', String(megabytes * MEGABYTE - 1), 'x');
  client.pause();
  client.send(encode('GET', 'big'));
  await sleep(100);
  return client;
}

describe('a stop', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s, with 1,000 clients, exits with 0 in under a second',
    async (signal) => {
      const clients = await connectMany(server.port, 1000);
      await Promise.all(clients.map((client) => client.call('PING')));
      const started = Date.now();
      expect(await server.stop(signal)).toEqual({ code: 0, signal: null });
      expect(Date.now() - started).toBeLessThan(1000);
      await Promise.all(clients.map((client) => client.readToEnd()));
      expect(server.output).toContain('scheduling shutdown');
      expect(server.output).toContain('bye bye');
    },
  );

  test.each(['SHUTDOWN', 'SHUTDOWN NOSAVE', 'SHUTDOWN NOW'])(
    'by %s, with 1,000 clients, exits with 0 in under a second and no reply',
    async (command) => {
      const clients = await connectMany(server.port, 1000);
      await Promise.all(clients.map((client) => client.call('PING')));
      const started = Date.now();
      clients[0]?.send(encode(...command.split(' ')));
      expect(await server.exited).toEqual({ code: 0, signal: null });
      expect(Date.now() - started).toBeLessThan(1000);
      const rests = await Promise.all(clients.map((client) => client.readToEnd()));
      expect(rests.filter((rest) => rest.length > 0)).toEqual([]);
    },
  );

  test('lets the replies of 2,000 commands leave that had arrived before the signal', async () => {
    const clients = await connectMany(server.port, 2000);
    await Promise.all(clients.map((client) => client.call('PING')));
    // While it is halted, commands and signal wait for it side by side.
    server.child.kill('SIGSTOP');
    await Promise.all(clients.map((client) => client.write(encode('INCR', 'n'))));
    server.child.kill('SIGTERM');
    server.child.kill('SIGCONT');
    expect(await server.exited).toEqual({ code: 0, signal: null });
    const replies = (await Promise.all(clients.map((client) => client.readToEnd()))).map(String);
    const numbers = replies.map((reply) => Number(/^:(\d+)\r\n$/.exec(reply)?.[1])).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));
  });

  test('does not wait for clients who never stop asking', async () => {
    const clients = await connectMany(server.port, 20);
    const many = Buffer.concat(Array.from({ length: 1000 }, () => encode('INCR', 'n')));
    const asking = clients.map(async (client) => {
      client.socket.on('data', () => undefined);
      let taken = true;
      while (taken) {
        taken = await client.write(many).then(
          () => true,
          () => false,
        );
      }
    });
    await sleep(200);
    const started = Date.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(Date.now() - started).toBeLessThan(1000);
    await Promise.all(asking);
  });

  test('in the middle of a pipeline leaves whole replies, in order, and no gap', async () => {
    const client = await server.connect();
    await client.call('PING');
    client.send(Buffer.concat(Array.from({ length: 100_000 }, () => encode('INCR', 'n'))));
    await client.read(1000);
    const first = Array.from({ length: 100_000 }, (_, i) => `:${i + 1}\r\n`).join('');
    expect((await server.stop('SIGTERM')).code).toBe(0);
    const rest = (await client.readToEnd()).toString();
    expect(rest).toBe(first.slice(1000, 1000 + rest.length));
    expect(rest === '' || rest.endsWith('\n')).toBe(true);
  });

  test('lets a large reply leave that its reader takes in time', async () => {
    const client = await slowReader(16);
    server.child.kill('SIGTERM');
    await sleep(30);
    client.resume();
    const reply = await client.readToEnd();
    expect(reply.length).toBe(16 * MEGABYTE + '$16777216\r\n\r\n'.length);
    expect(await server.exited).toEqual({ code: 0, signal: null });
  });

  test('does not wait for a reader who never reads', async () => {
    const client = await slowReader(64);
    const started = Date.now();
    expect(await server.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(Date.now() - started).toBeLessThan(1000);
    client.close();
  });

  test('closes the listener first, while replies are still on their way', async () => {
    const client = await slowReader(64);
    server.child.kill('SIGTERM');
    await untilRefused(server.port);
    expect(server.child.exitCode).toBeNull();
    expect(server.child.signalCode).toBeNull();
    client.resume();
    const reply = await client.readToEnd();
    expect(reply.length).toBeGreaterThan(0);
    expect((await server.exited).code).toBe(0);
  });

  test('is not waited for after a second Ctrl+C', async () => {
    const client = await slowReader(64);
    server.child.kill('SIGINT');
    await sleep(20);
    server.child.kill('SIGINT');
    const { code, signal } = await server.exited;
    expect(signal === 'SIGINT' || code === 130).toBe(true);
    client.close();
  });

  test('is not waited for when SIGINT and SIGTERM come at once', async () => {
    server.child.kill('SIGSTOP');
    server.child.kill('SIGINT');
    server.child.kill('SIGTERM');
    server.child.kill('SIGCONT');
    const { code, signal } = await server.exited;
    expect(signal === 'SIGINT' || signal === 'SIGTERM' || code === 130 || code === 143).toBe(true);
  });

  test('cannot be called off when there is none, and takes no other words', async () => {
    expect(await server.ask('SHUTDOWN', 'ABORT')).toBe('-ERR No shutdown in progress.\r\n');
    expect(await server.ask('SHUTDOWN', 'LATER')).toBe('-ERR syntax error\r\n');
    expect(await server.ask('PING')).toBe('+PONG\r\n');
  });
});
