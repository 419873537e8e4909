/** The server class: lifecycle, events, the store in the same process, typed errors. */

import { once } from 'node:events';
import net from 'node:net';
import { createServer, isServerError, type RedisLiteServer, type ServerEvent, type TcpAddress } from '../../lib';

const OPTIONS = { port: 0, bind: '127.0.0.1' } as const;

async function started(): Promise<{ server: RedisLiteServer; address: TcpAddress }> {
  const server = createServer(OPTIONS);
  const address = await server.start();
  if (address.kind !== 'tcp') {
    throw new TypeError('Expected a TCP address');
  }
  return { server, address };
}

/** Sends `text` and resolves with the first bytes that come back. */
async function ask(address: TcpAddress, text: string): Promise<string> {
  const socket = net.connect(address.port, address.host);
  socket.write(text);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return chunk.toString();
}

describe('the lifecycle', () => {
  test('goes idle, starting, running, stopping, stopped', async () => {
    const server = createServer(OPTIONS);
    const states = [server.state];
    const starting = server.start();
    states.push(server.state);
    await starting;
    states.push(server.state);
    const stopping = server.stop();
    states.push(server.state);
    await stopping;
    states.push(server.state);
    expect(states).toEqual(['idle', 'starting', 'running', 'stopping', 'stopped']);
  });

  test('start and stop may be called again at any time', async () => {
    const server = createServer(OPTIONS);
    const [first, second] = await Promise.all([server.start(), server.start()]);
    expect(first).toEqual(second);
    expect(await server.start()).toEqual(first);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(server.address).toBeNull();
  });

  test('a stop during the start waits for it', async () => {
    const server = createServer(OPTIONS);
    const starting = server.start();
    await server.stop();
    await starting;
    expect(server.state).toBe('stopped');
  });

  test('a stop before the start ends it', async () => {
    const server = createServer(OPTIONS);
    await server.stop();
    await expect(server.start()).rejects.toMatchObject({ code: 'SERVER_STOPPED' });
  });

  test('`await using` stops at the end of the block', async () => {
    let kept: RedisLiteServer;
    {
      await using server = createServer(OPTIONS);
      await server.start();
      kept = server;
    }
    expect(kept.state).toBe('stopped');
  });

  test('tells the address that it listens on and answers there', async () => {
    const { server, address } = await started();
    expect(address.port).toBeGreaterThan(0);
    expect(server.port).toBe(address.port);
    expect(server.addresses).toEqual([address]);
    expect(await ask(address, '*1\r\n$4\r\nPING\r\n')).toBe('+PONG\r\n');
    await server.stop();
    await expect(ask(address, 'PING\r\n')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('two servers in one process do not share keys', async () => {
    const [one, two] = await Promise.all([started(), started()]);
    one.server.store.set('k', 'one');
    expect(two.server.store.get('k')).toBeNull();
    await Promise.all([one.server.stop(), two.server.stop()]);
  });

  test('SHUTDOWN from a client stops it too', async () => {
    const { server, address } = await started();
    const stopped = new Promise<ServerEvent>((resolve) => server.once('stopped', resolve));
    net
      .connect(address.port, address.host)
      .on('error', () => undefined)
      .write('SHUTDOWN NOSAVE\r\n');
    expect(await stopped).toMatchObject({ type: 'stopped', reason: 'shutdown-command' });
    expect(server.state).toBe('stopped');
    await server.stop();
  });
});

describe('errors of the start', () => {
  test('a taken port is PORT_IN_USE, and the server may try again', async () => {
    const { server, address } = await started();
    const other = createServer({ port: address.port, bind: '127.0.0.1' });
    const error: unknown = await other.start().catch((reason: unknown) => reason);
    expect(isServerError(error)).toBe(true);
    expect(error).toMatchObject({ code: 'PORT_IN_USE', port: address.port, name: 'PortInUseError' });
    expect(other.state).toBe('idle');
    await server.stop();
    expect(await other.start()).toMatchObject({ port: address.port });
    await other.stop();
  });

  test('an address of another machine is ADDRESS_NOT_AVAILABLE', async () => {
    const server = createServer({ port: 0, bind: '192.0.2.1' });
    await expect(server.start()).rejects.toMatchObject({ code: 'ADDRESS_NOT_AVAILABLE', bind: '192.0.2.1' });
  });
});

describe('events', () => {
  test('tell the life of a server in order', async () => {
    const server = createServer(OPTIONS);
    const types: string[] = [];
    const loop = (async () => {
      for await (const event of server.events()) {
        types.push(event.type);
      }
    })();
    const address = await server.start();
    await ask(address as TcpAddress, 'PING\r\n');
    await server.stop();
    await loop;
    expect(types.slice(0, 2)).toEqual(['starting', 'listening']);
    expect(types.slice(-1)).toEqual(['stopped']);
    expect(types).toContain('stopping');
    expect(types).toContain('client-connected');
    expect(types.indexOf('client-disconnected')).toBeGreaterThan(types.indexOf('client-connected'));
  });

  test('reach listeners with their own fields', async () => {
    const { server, address } = await started();
    const left = new Promise((resolve) => server.once('client-disconnected', resolve));
    await ask(address, 'PING\r\n');
    expect(await left).toMatchObject({ type: 'client-disconnected', peer: expect.stringContaining('127.0.0.1') });
    const changed = new Promise((resolve) => server.once('config-changed', resolve));
    server.config.set('maxclients', 123);
    expect(await changed).toMatchObject({ directive: 'maxclients', value: '123' });
    await server.stop();
  });

  test('`off` and `once` do what they say', async () => {
    const server = createServer(OPTIONS);
    const calls: string[] = [];
    const gone = (): void => {
      calls.push('gone');
    };
    server.on('listening', gone).off('listening', gone);
    server.once('listening', ({ address }) => calls.push(address.kind));
    await server.start();
    await server.stop();
    expect(calls).toEqual(['tcp']);
  });

  test('a reader that falls behind hears how much it missed', async () => {
    const { server, address } = await started();
    const slow = server.events({ capacity: 1 });
    for (let i = 0; i < 5; i++) {
      await ask(address, 'PING\r\n');
    }
    await server.stop();
    const types: string[] = [];
    for await (const event of slow) {
      types.push(event.type);
    }
    expect(types.slice(-2)).toEqual(['events-dropped', 'stopped']);
  });

  test('a loop that is left early and a stream opened after the stop both end', async () => {
    const { server } = await started();
    const events = server.events();
    server.config.set('maxclients', 77);
    for await (const event of events) {
      expect(event.type).toBe('config-changed');
      break;
    }
    await server.stop();
    expect(await server.events().next()).toEqual({ done: true, value: undefined });
  });
});

describe('the store', () => {
  let server: RedisLiteServer;
  beforeAll(() => {
    server = createServer(OPTIONS);
  });
  afterAll(() => server.stop());

  test('gives back what was set, as text and as bytes', () => {
    expect(server.store.get('missing')).toBeNull();
    expect(server.store.set('k', 'grüße 👋')).toBe(true);
    expect(server.store.get('k')).toBe('grüße 👋');
    expect(server.store.getBuffer('k')).toEqual(Buffer.from('grüße 👋'));
    const bytes = Buffer.from([0, 255, 13, 10, 128]);
    server.store.set(Buffer.from([0, 1]), bytes);
    expect(server.store.getBuffer(Buffer.from([0, 1]))).toEqual(bytes);
  });

  test('takes keys and values of any length', () => {
    for (const length of [0, 1, 250, 255, 256, 257, 511, 512, 5000, 300_000]) {
      const text = 'é'.repeat(length);
      server.store.set(`length:${text}`, text);
      expect(server.store.get(`length:${text}`) === text).toBe(true);
    }
  });

  test('sets only when it may', () => {
    server.store.del('once');
    expect(server.store.set('once', 1, { when: 'nx' })).toBe(true);
    expect(server.store.set('once', 2, { when: 'nx' })).toBe(false);
    expect(server.store.get('once')).toBe('1');
    expect(server.store.del('once', 'never')).toBe(1);
    expect(server.store.del()).toBe(0);
  });

  test('runs any command and throws typed errors', () => {
    expect(server.store.call('PING')).toBe('PONG');
    expect(server.store.call('CONFIG', 'GET', 'port')).toEqual(new Map([['port', '0']]));
    expect(() => server.store.call('NOPE', 'a')).toThrow(
      expect.objectContaining({
        code: 'REPLY_ERROR',
        kind: 'ERR',
        message: expect.stringContaining('unknown command'),
      }),
    );
  });

  test('is shared with clients on sockets', async () => {
    const { server: running, address } = await started();
    running.store.set('shared', 'yes');
    expect(await ask(address, 'GET shared\r\n')).toBe('$3\r\nyes\r\n');
    await running.stop();
    expect(running.store.get('shared')).toBe('yes');
  });
});

describe('configuration and information', () => {
  test('of a running server are objects', async () => {
    await using server = createServer({ ...OPTIONS, maxclients: 55 });
    await server.start();
    expect(server.config.get('maxclients')).toEqual(new Map([['maxclients', '55']]));
    server.config.set('maxclients', 66);
    expect(server.config.get('maxclients').get('maxclients')).toBe('66');
    server.store.set('k', 'v');
    const info = server.info();
    expect(info.server?.process_id).toBe(process.pid);
    expect(info.keyspace?.db0).toMatchObject({ keys: 1, expires: 0 });
  });

  test('that cannot be set says why', async () => {
    await using server = createServer(OPTIONS);
    expect(() => server.config.set('maxclient', 1)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', suggestion: 'maxclients' }),
    );
  });
});
