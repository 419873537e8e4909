/** Each kind of event comes when it should, says what it should, and floods nobody. */

import { once } from 'node:events';
import net from 'node:net';
import {
  createServer,
  type EventOf,
  type RedisLiteServer,
  type ServerEvent,
  type ServerEventType,
  type ServerOptions,
} from '../../lib';
import { eventually, sleep } from '../support/server';
import { RawClient } from '../support/wire-client';

let server: RedisLiteServer;
let seen: ServerEvent[];
/** Ends when the last event of `server` was seen. */
let ended: Promise<void>;

/** Starts `server`, with every event of it in `seen`. */
async function start(options: ServerOptions = {}): Promise<void> {
  server = createServer({ port: 0, bind: '127.0.0.1', ...options });
  seen = [];
  ended = (async () => {
    for await (const event of server.events({ capacity: 100_000 })) seen.push(event);
  })();
  await server.start();
}

afterEach(() => server.stop());

/** The events of `type` so far. */
function all<Type extends ServerEventType>(type: Type): EventOf<Type>[] {
  return seen.filter((event): event is EventOf<Type> => event.type === type);
}

/** The first event of `type`, which has to come. */
async function first<Type extends ServerEventType>(type: Type): Promise<EventOf<Type>> {
  await eventually(
    () => all(type).length,
    (count) => count > 0,
  );
  const [event] = all(type);
  if (event === undefined) throw new Error(type);
  return event;
}

function connect(): Promise<RawClient> {
  return RawClient.connect(server.port);
}

describe('client-connected and client-disconnected', () => {
  test('name the client, and why it left', async () => {
    await start({ timeout: 1 });
    const client = await connect();
    expect(await client.call('CLIENT', 'ID')).toMatch(/^:\d+\r\n$/);
    const { clientId, peer } = await first('client-connected');
    expect(peer).toBe(`127.0.0.1:${client.socket.localPort}`);
    await client.end();
    expect(await first('client-disconnected')).toMatchObject({ clientId, peer, reason: 'by-client' });
  });

  test.each<[string, EventOf<'client-disconnected'>['reason'], (client: RawClient) => unknown]>([
    ['QUIT', 'quit', (client) => client.send('QUIT\r\n')],
    ['CLIENT KILL', 'killed', () => server.store.call('CLIENT', 'KILL', 'TYPE', 'normal')],
    ['silence beyond `timeout`', 'idle-timeout', () => undefined],
    ['what is no command', 'protocol-error', (client) => client.send('*1\r\n!\r\n')],
    ['too long a query', 'query-buffer-limit', (client) => client.send(`*2\r\n$2000000\r\n${'x'.repeat(1_500_000)}`)],
    ['replies that are not read', 'output-buffer-limit', (client) => client.send('GET big\r\n'.repeat(40))],
    ['a broken connection', 'socket-error', (client) => client.reset()],
    ['the stop of the server', 'server-stop', () => server.stop()],
  ])('%s is %s', async (_, reason, act) => {
    await start({
      timeout: 1,
      clientQueryBufferLimit: '1mb',
      clientReplyPause: 0,
      clientOutputBufferLimit: 'normal 1mb 0 0',
    });
    server.store.call('SETRANGE', 'big', 1024 * 1024 - 1, 'x');
    const client = await connect();
    await client.call('PING');
    client.pause();
    await act(client);
    expect(await first('client-disconnected')).toMatchObject({ reason });
    client.close();
  });

  test('of thousands never hold up the server, and are dropped rather than kept when nobody reads', async () => {
    await start({ eventCapacity: 64 });
    const busy = new Int32Array(new SharedArrayBuffer(4));
    const flood = net.connect(server.port, '127.0.0.1');
    await once(flood, 'connect');
    // 5,000 commands, each of them an event, are written, and then this thread does nothing for a while.
    flood.write('CONFIG SET timeout 100\r\nCONFIG SET timeout 200\r\n'.repeat(2500));
    await sleep(5);
    Atomics.wait(busy, 0, 0, 500);
    let replies = 0;
    flood.on('data', (chunk) => {
      replies += chunk.length / '+OK\r\n'.length;
    });
    await eventually(
      () => replies,
      (count) => count === 5000,
    );
    flood.destroy();
    const dropped = await first('events-dropped');
    expect(dropped.at).toBeGreaterThan(1_600_000_000_000);
    await server.stop();
    await ended;
    const told = all('events-dropped').reduce((sum, { count }) => sum + count, 0);
    expect(told + all('config-changed').length).toBeGreaterThanOrEqual(5000);
    expect(seen.at(-1)?.type).toBe('stopped');
  });
});

test('client-error tells what went wrong with one client', async () => {
  await start();
  const client = await connect();
  await client.call('PING');
  client.send('PING\r\n'.repeat(1000));
  client.reset();
  expect(await first('client-error')).toMatchObject({
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    message: expect.stringMatching(/^(Reading from|Writing to) client: (Connection reset by peer|Broken pipe)/),
  });
});

test('limit-reached tells who may not come in, but not each time', async () => {
  await start({ maxclients: 2 });
  const clients = [await connect(), await connect()];
  for (const client of clients) await client.call('PING');
  for (let i = 0; i < 20; i++) {
    const refused = await connect();
    expect((await refused.readToEnd()).toString()).toBe('-ERR max number of clients reached\r\n');
  }
  expect(await first('limit-reached')).toMatchObject({ directive: 'maxclients', limit: 2, refused: 1 });
  expect(all('limit-reached').length).toBeLessThan(5);
  for (const client of clients) client.close();
});

test('keys-expired counts, and comes at most ten times a second', async () => {
  await start({ hz: 100 });
  const started = Date.now();
  for (let i = 0; i < 500; i++) server.store.call('SET', `key:${i}`, 'v', 'PX', 1 + i);
  await eventually(
    () => all('keys-expired').reduce((sum, { count }) => sum + count, 0),
    (count) => count === 500,
  );
  expect(all('keys-expired').length).toBeLessThanOrEqual((Date.now() - started) / 100 + 2);
});

test('slow-command names the command and its time', async () => {
  await start({ slowlogLogSlowerThan: 20_000, enableDebugCommand: 'yes' });
  const client = await connect();
  await client.call('PING');
  expect(await client.call('DEBUG', 'SLEEP', '0.05')).toBe('+OK\r\n');
  const event = await first('slow-command');
  expect(event.command.toLowerCase()).toMatch(/^debug/);
  expect(event.microseconds).toBeGreaterThanOrEqual(50_000);
  expect(event.clientId).toBeGreaterThan(0);
  await client.end();
  expect(all('slow-command')).toHaveLength(1);
});

test('warning says what the machine will not give', async () => {
  await start({ maxclients: 4_000_000_000 });
  expect(await first('warning')).toMatchObject({
    code: 'OPEN_FILES_LIMIT',
    message: expect.stringMatching(/may open \d+ files, too few for maxclients 4000000000/),
  });
});

test('stopping and stopped come once, in this order, and are the last', async () => {
  await start();
  await Promise.all([server.stop(), server.stop(), ended]);
  expect(seen.slice(-2)).toMatchObject([
    { type: 'stopping', reason: 'requested', signal: null },
    { type: 'stopped', reason: 'requested' },
  ]);
});

test('a listener hears of what comes after it, and a loop that ends takes no listener away', async () => {
  server = createServer({ port: 0, bind: '127.0.0.1' });
  await server.start();
  const clients = [await connect()];
  await clients[0]?.call('PING');
  const [heard, once]: EventOf<'client-connected'>[][] = [[], []];
  const listener = (event: EventOf<'client-connected'>): unknown => heard?.push(event);
  server.on('client-connected', listener);
  server.once('client-connected', (event) => once?.push(event));
  const loop = server.events();
  for (let i = 0; i < 2; i++) {
    clients.push(await connect());
    await eventually(
      () => heard?.length,
      (count) => count === i + 1,
    );
    await loop.return?.();
  }
  expect(heard?.map(({ peer }) => peer)).toEqual(clients.slice(1).map(({ socket }) => `127.0.0.1:${socket.localPort}`));
  expect(once?.length).toBe(1);
  server.off('client-connected', listener);
  clients.push(await connect());
  await clients.at(-1)?.call('PING');
  expect(heard?.length).toBe(2);
  await Promise.all(clients.map((client) => client.end()));
});
