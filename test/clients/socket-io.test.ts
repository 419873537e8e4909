/** Two socket.io servers that know each other by Redis alone: pub/sub, sharded pub/sub, and streams. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import Redis from 'ioredis';
import { createClient } from 'redis';
import { Server, type ServerOptions } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { describeServers, Opened, type TestedServer } from '../support/both-servers';
import { eventually } from '../support/server';

type Adapter = NonNullable<ServerOptions['adapter']>;
type MakeAdapter = (server: TestedServer, opened: Opened) => Promise<Adapter>;

async function nodeRedis(server: TestedServer, opened: Opened) {
  const client = createClient({ socket: { host: '127.0.0.1', port: server.port } });
  client.on('error', () => undefined);
  await client.connect();
  opened.later(() => client.close());
  return client;
}

function ioredis(server: TestedServer, opened: Opened): Redis {
  const client = new Redis({ host: '127.0.0.1', port: server.port });
  opened.later(() => client.quit());
  return client;
}

const streams: MakeAdapter = async (server, opened) =>
  createStreamsAdapter(await nodeRedis(server, opened), { blockTimeInMs: 200 });

const ADAPTERS: readonly (readonly [string, MakeAdapter])[] = [
  ['redis-adapter', async (server, opened) => createAdapter(ioredis(server, opened), ioredis(server, opened))],
  [
    'redis-adapter, sharded',
    async (server, opened) => createShardedAdapter(await nodeRedis(server, opened), await nodeRedis(server, opened)),
  ],
  ['redis-streams-adapter', streams],
];

describeServers('socket.io', (server) => {
  const opened = new Opened();
  let one: Server;
  let two: Server;

  const serve = async (adapter: Adapter): Promise<Server> => {
    const web = createServer();
    const it = new Server(web, { adapter, connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });
    opened.later(() => it.close());
    await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
    it.on('connection', (socket) => {
      socket.on('join', (room: string, done: () => void) => Promise.resolve(socket.join(room)).then(done));
    });
    return it;
  };
  /** Starts both, which have subscribed then and know of each other. */
  const serveBoth = async (makeAdapter: MakeAdapter): Promise<void> => {
    await server.ask('FLUSHALL');
    one = await serve(await makeAdapter(server, opened));
    two = await serve(await makeAdapter(server, opened));
    await eventually(
      () => Promise.all([one, two].map((each) => each.of('/').adapter.serverCount())),
      (counts) => counts.every((count) => count === 2),
    );
  };
  const url = (to: Server): string => `http://127.0.0.1:${(to.httpServer.address() as AddressInfo).port}`;
  const connect = async (to: Server): Promise<Socket> => {
    const socket = io(url(to), { transports: ['websocket'], reconnection: false });
    opened.later(async () => socket.disconnect());
    await new Promise<void>((done) => socket.once('connect', () => done()));
    return socket;
  };
  const next = (socket: Socket, event: string): Promise<unknown> =>
    new Promise((done) => void socket.once(event, (what: unknown) => done(what)));

  afterEach(() => opened.close());

  test.each(ADAPTERS)('%s: clients of both acknowledge, and the servers answer each other', async (_name, adapter) => {
    await serveBoth(adapter);
    for (const socket of [await connect(one), await connect(two)]) {
      socket.on('sum', (a: number, b: number, done: (sum: number) => void) => done(a + b));
    }
    // Adapters leave the timer behind: it must not be long.
    expect(await one.timeout(1500).emitWithAck('sum', 3, 4)).toEqual([7, 7]);
    two.on('question', (text: string, done: (answer: string) => void) => done(`${text}!`));
    expect(await one.serverSideEmitWithAck('question', 'well')).toEqual(['well!']);
  });

  test.each(ADAPTERS)('%s: a broadcast reaches the clients of both, a room those in it', async (_name, adapter) => {
    await serveBoth(adapter);
    const [ann, bob, eve] = [await connect(one), await connect(two), await connect(two)];
    await Promise.all([ann.emitWithAck('join', 'friends'), bob.emitWithAck('join', 'friends')]);
    const heard = Promise.all([ann, bob, eve].map((socket) => next(socket, 'news')));
    one.emit('news', { text: 'héllo', bytes: Buffer.from([1, 2, 3]) });
    for (const news of await heard) expect(news).toEqual({ text: 'héllo', bytes: Buffer.from([1, 2, 3]) });
    const noise: unknown[] = [];
    eve.on('secret', (what) => noise.push(what));
    const secrets = Promise.all([next(ann, 'secret'), next(bob, 'secret'), next(eve, 'end')]);
    two.to('friends').emit('secret', 42);
    two.emit('end', 'of news');
    expect(await secrets).toEqual([42, 42, 'of news']);
    expect(noise).toEqual([]);
  });

  test.each(ADAPTERS)('%s: each sees the sockets of the other, moves and disconnects them', async (_name, adapter) => {
    await serveBoth(adapter);
    const [ann, bob] = [await connect(one), await connect(two)];
    const ids = (await one.fetchSockets()).map(({ id }) => id);
    expect(ids.sort()).toEqual([ann.id, bob.id].sort());
    one.in(bob.id ?? '').socketsJoin('moved');
    await eventually(
      () => two.in('moved').fetchSockets(),
      (sockets) => sockets.length === 1 && sockets[0]?.id === bob.id,
    );
    const gone = next(bob, 'disconnect');
    one.in('moved').disconnectSockets(true);
    await gone;
    expect(ann.connected).toBe(true);
  });

  test('redis-streams-adapter gives a client that comes back what it missed, at the other server too', async () => {
    await serveBoth(streams);
    const socket = await connect(one);
    const { id } = socket;
    const heard: unknown[] = [];
    socket.on('news', (what) => heard.push(what));
    two.emit('news', 1);
    await eventually(
      () => heard.length,
      (count) => count === 1,
    );
    const lost = new Promise<void>((done) => one.sockets.sockets.get(id ?? '')?.once('disconnect', () => done()));
    socket.io.engine.close();
    await lost;
    const before = await server.ask('XLEN', 'socket.io');
    two.emit('news', 2);
    await eventually(
      () => server.ask('XLEN', 'socket.io'),
      (length) => length !== before,
    );
    // The session is kept in Redis: any server can take it up.
    (socket.io as unknown as { uri: string }).uri = url(two);
    const back = new Promise<void>((done) => socket.once('connect', () => done()));
    socket.connect();
    await back;
    await eventually(
      () => heard.length,
      (count) => count === 2,
    );
    expect({ recovered: socket.recovered, id: socket.id, heard }).toEqual({ recovered: true, id, heard: [1, 2] });
  });
});
