/** From socket() to close(): what the server listens on, whom it lets in, and what it leaves behind. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectMany,
  describeLinux,
  type Exit,
  eventually,
  ServerProcess,
  sleep,
  spawnProgram,
} from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const HAS_IPV6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

let folder: string;
const servers: ServerProcess[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rln-e2e-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function start(...directives: string[]): Promise<ServerProcess> {
  const server = await ServerProcess.start(directives);
  servers.push(server);
  return server;
}

/** A start that is expected to fail: how it ended and what it said. */
function failedStart(...directives: string[]): Promise<Exit & { readonly errors: string }> {
  const child = spawnProgram(['start', ...directives]);
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((done) => child.once('close', (code, signal) => done({ code, signal, errors })));
}

async function pings(target: Parameters<typeof RawClient.connect>[0]): Promise<string> {
  const client = await RawClient.connect(target);
  const reply = await client.call('PING');
  await client.end();
  return reply;
}

describe('listening', () => {
  test('port 0 takes a free port, another one for each server', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    expect(first.port).toBeGreaterThan(0);
    expect(second.port).not.toBe(first.port);
    expect(await pings(first.port)).toBe('+PONG\r\n');
    expect(await pings(second.port)).toBe('+PONG\r\n');
    expect(first.output).toContain('Ready to accept connections');
  });

  test('without a bind directive only the loopback interface is listened on', async () => {
    const server = await start();
    const outside = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.internal === false && address.family === 'IPv4');
    if (outside !== undefined) {
      await expect(RawClient.connect({ host: outside.address, port: server.port })).rejects.toThrow('ECONNREFUSED');
    }
    expect(await pings(server.port)).toBe('+PONG\r\n');
  });

  (HAS_IPV6 ? test : test.skip)('every address of bind is served, IPv4 and IPv6', async () => {
    const server = await start('--bind', '127.0.0.1', '::1');
    expect(await pings({ host: '127.0.0.1', port: server.port })).toBe('+PONG\r\n');
    expect(await pings({ host: '::1', port: server.port })).toBe('+PONG\r\n');
    const client = await RawClient.connect({ host: '::1', port: server.port });
    expect(await client.call('CLIENT', 'INFO')).toMatch(/addr=\[::1\]:\d+ laddr=\[::1\]:\d+/);
    await client.end();
  });

  test('an address that begins with a minus sign may be missing on the machine', async () => {
    const server = await start('--bind', '127.0.0.1', '-192.0.2.77');
    expect(await pings(server.port)).toBe('+PONG\r\n');
  });

  test('a Unix socket has the permissions asked for and goes with the server', async () => {
    const path = join(folder, 'perm.sock');
    const server = await start('--unixsocket', path, '--unixsocketperm', '700');
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(server.port).toBe(0);
    expect(await pings(path)).toBe('+PONG\r\n');
    expect((await server.stop()).code).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('a Unix socket and a TCP port serve the same store', async () => {
    const path = join(folder, 'both.sock');
    const first = await start();
    const { port } = first;
    await first.stop();
    await start('--unixsocket', path, '--port', String(port));
    const [one, other] = [await RawClient.connect(path), await RawClient.connect(port)];
    expect(await one.call('SET', 'k', 'v')).toBe('+OK\r\n');
    expect(await other.call('GET', 'k')).toBe('$1\r\nv\r\n');
    await Promise.all([one.end(), other.end()]);
  });

  test('the Unix socket of a killed server is replaced, that of a living one is not', async () => {
    const path = join(folder, 'stale.sock');
    const killed = await start('--unixsocket', path);
    await killed.stop('SIGKILL');
    expect(existsSync(path)).toBe(true);
    await start('--unixsocket', path);
    const { code, errors } = await failedStart('--port', '0', '--unixsocket', path);
    expect(code).toBe(1);
    expect(errors).toContain('Address already in use');
    expect(await pings(path)).toBe('+PONG\r\n');
  });
});

describe('a start that cannot be', () => {
  test('ends with exit code 1 and PORT_IN_USE when the port is taken', async () => {
    const server = await start();
    const { code, errors } = await failedStart('--port', String(server.port));
    expect(code).toBe(1);
    expect(errors).toContain('PORT_IN_USE');
    expect(errors).toContain(`Port ${server.port} is already in use`);
    expect(errors).toContain('Address already in use');
    expect(await pings(server.port)).toBe('+PONG\r\n');
  });

  test('ends with exit code 1 and ADDRESS_NOT_AVAILABLE for an address of another machine', async () => {
    const { code, errors } = await failedStart('--port', '0', '--bind', '192.0.2.77');
    expect(code).toBe(1);
    expect(errors).toContain('ADDRESS_NOT_AVAILABLE');
  });

  test('ends with exit code 1 and the text of the system for a Unix socket in no folder', async () => {
    const { code, errors } = await failedStart('--port', '0', '--unixsocket', join(folder, 'no', 'such.sock'));
    expect(code).toBe(1);
    expect(errors).toContain('No such file or directory');
  });
});

describe('a restart', () => {
  test('takes the same port at once, though the old connections are not forgotten yet', async () => {
    const first = await start();
    const clients = await connectMany(first.port, 20);
    await Promise.all(clients.map((client) => client.call('PING')));
    await first.stop();
    const second = await start('--port', String(first.port));
    expect(second.port).toBe(first.port);
    expect(await pings(first.port)).toBe('+PONG\r\n');
    for (const client of clients) client.close();
  });
});

describe('maxclients', () => {
  test('turns the next client away with an error, until one leaves', async () => {
    const server = await start('--maxclients', '3');
    const clients = await connectMany(server.port, 3);
    for (const client of clients) expect(await client.call('PING')).toBe('+PONG\r\n');

    const refused = await server.connect();
    expect((await refused.readToEnd()).toString()).toBe('-ERR max number of clients reached\r\n');
    expect(await clients[0]?.call('INFO', 'stats')).toContain('\r\nrejected_connections:1\r\n');

    await clients[2]?.end();
    const answered = await eventually(
      async () => {
        const next = await server.connect();
        next.send(encode('PING'));
        const text = await next.readLine();
        next.close();
        return text;
      },
      (text) => text === '+PONG\r\n',
    );
    expect(answered).toBe('+PONG\r\n');
    for (const client of clients) client.close();
  });

  test('is changed by CONFIG SET while the server runs', async () => {
    const server = await start('--maxclients', '100');
    const client = await server.connect();
    expect(await client.call('CONFIG', 'SET', 'maxclients', '1')).toBe('+OK\r\n');
    const refused = await server.connect();
    expect((await refused.readToEnd()).toString()).toBe('-ERR max number of clients reached\r\n');
    await client.end();
  });
});

/** The timer field of the connected sockets of a local port; 02 is keep-alive. */
function timers(port: number): string[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[1]?.endsWith(end) && words[3] === '01')
    .map((words) => words[5]?.slice(0, 2) ?? '');
}

describeLinux('sockets of clients', () => {
  test('are watched by keep-alive as tcp-keepalive says', async () => {
    const server = await start('--tcp-keepalive', '120');
    const client = await server.connect();
    await client.call('PING');
    expect(timers(server.port)).toEqual(['02']);
    await client.call('CONFIG', 'SET', 'tcp-keepalive', '0');
    await client.end();
    const other = await server.connect();
    await other.call('PING');
    expect(timers(server.port)).toEqual(['00']);
    await other.end();
  });

  test('are closed when the client is gone: recv() of 0 gives the descriptor back', async () => {
    const server = await start();
    await server.ask('PING');
    const before = await eventually(
      () => server.descriptors(),
      () => true,
    );
    const clients = await connectMany(server.port, 100);
    await Promise.all(clients.map((client) => client.call('PING')));
    expect(server.descriptors()).toBe(before + 100);
    await Promise.all(clients.map((client) => client.end()));
    await eventually(
      () => server.descriptors(),
      (count) => count <= before,
    );
  });
});

describe('a request with the end right behind it', () => {
  // A worker that sleeps finds both at once; the second request is more than it reads at once.
  test.each([1, 20_000])('is answered, all of %d commands, and then the server closes too', async (count) => {
    const server = await start('--workers', '1', '--enable-debug-command', 'yes');
    const [sleeper, client] = await Promise.all([
      RawClient.connect(server.port),
      RawClient.connect(server.port, { allowHalfOpen: true }),
    ]);
    expect(await client.call('PING')).toBe('+PONG\r\n');
    const slept = sleeper.call('DEBUG', 'SLEEP', '0.2');
    await sleep(50);
    client.send(Buffer.concat(Array.from({ length: count }, () => encode('PING'))));
    client.socket.end();
    expect((await client.readToEnd()).length).toBe(count * '+PONG\r\n'.length);
    await slept;
    expect(await sleeper.call('CLIENT', 'LIST')).not.toMatch(/\n.*cmd=ping/);
    await sleeper.end();
  });
});

describeLinux('the backlog', () => {
  /** Tries `count` connections to a server that does not accept, and counts those that the kernel completes. */
  async function connectedToStopped(server: ServerProcess, count: number): Promise<number> {
    process.kill(server.pid, 'SIGSTOP');
    let connected = 0;
    const clients = Array.from({ length: count }, async () => {
      const client = await RawClient.connect(server.port);
      connected++;
      return client;
    });
    await sleep(400);
    const before = connected;
    process.kill(server.pid, 'SIGCONT');
    // Those that were left out try again by themselves, and nobody is lost.
    for (const client of await Promise.all(clients)) {
      expect(await client.call('PING')).toBe('+PONG\r\n');
      client.close();
    }
    return before;
  }

  test('holds as many newcomers as tcp-backlog says while nobody accepts', async () => {
    const small = await start('--tcp-backlog', '4');
    const few = await connectedToStopped(small, 30);
    expect(few).toBeGreaterThanOrEqual(4);
    expect(few).toBeLessThan(12);
  });

  test('holds a burst of clients by default', async () => {
    const server = await start();
    expect(await connectedToStopped(server, 100)).toBe(100);
  });
});
