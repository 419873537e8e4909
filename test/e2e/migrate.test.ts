/** MIGRATE: keys go from one server to another, to redis-server and back, and nothing is lost. */
import { Generator } from '../differential/generator';
import { describeServers, Opened, type StartServer, startRedisServer } from '../support/both-servers';
import { Dice } from '../support/dice';
import { describeWith } from '../support/peers';
import { decodeReply, elementsOf, textOf } from '../support/resp';
import { ServerProcess } from '../support/server';
import { SilentServer } from '../support/silent-server';
import { RawClient } from '../support/wire-client';

const DEBUG = ['--enable-debug-command', 'yes'];
const NO_ANSWER = '-IOERR error or timeout reading to target instance\r\n';
const NOT_WRITTEN = '-IOERR error or timeout writing to target instance\r\n';
const NO_CONNECTION = '-IOERR error or timeout connecting to the client\r\n';

/** Two servers and a client of each. */
class Pair {
  readonly #opened: Opened;
  readonly from: RawClient;
  readonly to: RawClient;
  readonly port: number;
  readonly #home: number;

  private constructor(opened: Opened, from: RawClient, to: RawClient, home: number, port: number) {
    this.#opened = opened;
    this.from = from;
    this.to = to;
    this.#home = home;
    this.port = port;
  }

  static async start(source: StartServer, target: StartServer, directives: readonly string[] = []): Promise<Pair> {
    const opened = new Opened();
    const [one, other] = await Promise.all([source(DEBUG), target([...DEBUG, ...directives])]);
    opened.later(() => one.stop());
    opened.later(() => other.stop());
    const [from, to] = await Promise.all([RawClient.connect(one.port), RawClient.connect(other.port)]);
    opened.later(() => from.end());
    opened.later(() => to.end());
    return new Pair(opened, from, to, one.port, other.port);
  }

  /** MIGRATE to the other one: the key, and everything behind the port. */
  move(key: string, ...rest: (string | Buffer)[]): Promise<string> {
    return this.from.call('MIGRATE', '127.0.0.1', String(this.port), key, ...rest);
  }

  /** The same from the other one to the first. */
  moveBack(key: string, ...rest: (string | Buffer)[]): Promise<string> {
    return this.to.call('MIGRATE', '127.0.0.1', String(this.#home), key, ...rest);
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}

const FILL: readonly (readonly string[])[] = [
  ['SET', 'string', 'some text that is longer than the twenty bytes which are worth compressing aaaaaaaaaaaaaaaaaaaa'],
  ['SET', 'number', '12345'],
  ['SET', 'ends', 'v', 'PX', '100000'],
  ['SETRANGE', 'large', '300000', 'x'],
  ['RPUSH', 'list', 'a', 'b', '3', ''],
  ['SADD', 'integers', '1', '2', '3'],
  ['SADD', 'set', 'a', 'b', '3'],
  ['HSET', 'hash', 'f', 'v', 'g', '1'],
  ['ZADD', 'zset', '1', 'a', '2.5', 'b', '-inf', 'c'],
  ['XADD', 'stream', '1-1', 'f', 'v'],
  ['XGROUP', 'CREATE', 'stream', 'group', '0'],
  ['XREADGROUP', 'GROUP', 'group', 'one', 'STREAMS', 'stream', '>'],
  ['PFADD', 'hll', 'a', 'b', 'c'],
  ['GEOADD', 'geo', '13.361389', '38.115556', 'Palermo'],
  ['EXPIRE', 'zset', '1000'],
];

const SERVERS: readonly (readonly [string, StartServer, StartServer])[] = [
  ['from ours to ours', ServerProcess.start, ServerProcess.start],
  ['from ours to redis-server', ServerProcess.start, startRedisServer],
  ['from redis-server to ours', startRedisServer, ServerProcess.start],
];

/** All keys, in order. */
async function keysOf(client: RawClient): Promise<string[]> {
  const reply = Buffer.from(await client.call('KEYS', '*'), 'latin1');
  return elementsOf(decodeReply(reply)).map(textOf).sort();
}

describeWith(['redis-server'], 'keys that go', () => {
  describe.each(SERVERS)('%s', (_, source, target) => {
    let pair: Pair;

    beforeAll(async () => {
      pair = await Pair.start(source, target);
    });

    afterAll(() => pair?.close());

    beforeEach(async () => {
      await Promise.all([pair.from.call('FLUSHALL'), pair.to.call('FLUSHALL')]);
    });

    test('arrive as they were, of every type, and with their ends', async () => {
      for (const words of FILL) expect(await pair.from.call(...words)).not.toMatch(/^-/);
      const before = await pair.from.call('DEBUG', 'DIGEST');
      const keys = (await keysOf(pair.from)).filter((key) => key !== 'string');
      expect(await pair.move('string', '0', '1000')).toBe('+OK\r\n');
      expect(await pair.move('', '0', '1000', 'KEYS', ...keys, 'none')).toBe('+OK\r\n');
      expect(await pair.from.call('DBSIZE')).toBe(':0\r\n');
      for (const [key, end] of [
        ['ends', 100_000],
        ['zset', 1_000_000],
      ] as const) {
        const left = Number((await pair.to.call('PTTL', key)).slice(1));
        expect(left).toBeLessThanOrEqual(end);
        expect(left).toBeGreaterThan(end - 10_000);
      }
      expect(await pair.to.call('PTTL', 'set')).toBe(':-1\r\n');
      expect(await pair.to.call('XPENDING', 'stream', 'group')).toContain('one');
      // The two kinds of servers make digests of their own.
      expect(await pair.moveBack('', '0', '1000', 'KEYS', 'string', ...keys)).toBe('+OK\r\n');
      expect(await pair.to.call('DBSIZE')).toBe(':0\r\n');
      expect(await pair.from.call('DEBUG', 'DIGEST')).toBe(before);
    });

    test('stay here with COPY, and take the place of others with REPLACE only', async () => {
      await pair.from.call('SET', 'k', 'new');
      await pair.to.call('SET', 'k', 'old');
      const busy = '-ERR Target instance replied with error: BUSYKEY Target key name already exists.\r\n';
      expect(await pair.move('k', '0', '1000')).toBe(busy);
      expect(await pair.move('k', '0', '1000', 'COPY')).toBe(busy);
      expect(await pair.to.call('GET', 'k')).toBe('$3\r\nold\r\n');
      expect(await pair.move('k', '0', '1000', 'COPY', 'REPLACE')).toBe('+OK\r\n');
      expect(await pair.to.call('GET', 'k')).toBe('$3\r\nnew\r\n');
      expect(await pair.from.call('EXISTS', 'k')).toBe(':1\r\n');
      expect(await pair.move('k', '0', '1000', 'replace')).toBe('+OK\r\n');
      expect(await pair.from.call('EXISTS', 'k')).toBe(':0\r\n');
    });

    test('go as far as the other server takes them', async () => {
      for (const key of ['a', 'b', 'c']) await pair.from.call('SET', key, 'new');
      await pair.to.call('SET', 'b', 'old');
      expect(await pair.move('', '0', '1000', 'KEYS', 'a', 'b', 'c')).toContain('BUSYKEY');
      expect(await keysOf(pair.from)).toEqual(['b']);
      expect(await keysOf(pair.to)).toEqual(['a', 'b', 'c']);
      expect(await pair.to.call('GET', 'b')).toBe('$3\r\nold\r\n');
    });

    test('go to another database, if it is there', async () => {
      await pair.from.call('SET', 'k', 'v');
      expect(await pair.move('k', '99', '1000')).toBe(
        '-ERR Target instance replied with error: ERR DB index is out of range\r\n',
      );
      expect(await pair.move('k', '3', '0')).toBe('+OK\r\n');
      expect(await pair.from.call('DBSIZE')).toBe(':0\r\n');
      await pair.to.call('SELECT', '3');
      expect(await keysOf(pair.to)).toEqual(['k']);
      await pair.to.call('SELECT', '0');
    });

    test('go from within transactions and scripts', async () => {
      for (const key of ['a', 'b']) await pair.from.call('SET', key, 'v');
      await pair.from.call('MULTI');
      expect(await pair.move('a', '0', '1000')).toBe('+QUEUED\r\n');
      await pair.from.call('EXISTS', 'a');
      expect(await pair.from.call('EXEC')).toBe('*2\r\n+OK\r\n:0\r\n');
      const script = `return redis.call('MIGRATE', '127.0.0.1', '${pair.port}', KEYS[1], 0, 1000)`;
      expect(await pair.from.call('EVAL', script, '1', 'b')).toBe('+OK\r\n');
      expect(await pair.from.call('DBSIZE')).toBe(':0\r\n');
      expect(await pair.to.call('DBSIZE')).toBe(':2\r\n');
    });

    test('arrive as they were when they are anything at all', async () => {
      const dice = new Dice();
      const generator = new Generator(dice);
      try {
        for (let step = 0; step < 1500; step++) {
          for (const words of generator.next()) {
            await pair.from.call(...words.map((word) => Buffer.from(word, 'latin1')));
          }
          if (step % 300 === 299) await move();
        }
      } catch (error) {
        throw new Error(`with RLN_TEST_SEED=${dice.seed}: ${(error as Error).message}`);
      }
      async function move(): Promise<void> {
        await pair.from.call('RESET');
        // What ends on the way would be missing on one side only.
        const keys = (await keysOf(pair.from)).map((key) => Buffer.from(key, 'latin1'));
        for (const key of keys) await pair.from.call('PERSIST', key);
        await pair.to.call('FLUSHALL');
        const before = await pair.from.call('DEBUG', 'DIGEST');
        const some = keys.length > 0 ? '+OK\r\n' : '+NOKEY\r\n';
        expect(await pair.move('', '0', '1000', 'KEYS', ...keys)).toBe(some);
        expect(await pair.from.call('DBSIZE')).toBe(':0\r\n');
        expect(await pair.moveBack('', '0', '1000', 'KEYS', ...keys)).toBe(some);
        expect(await pair.from.call('DEBUG', 'DIGEST')).toBe(before);
      }
    });
  });

  test('go to a server with a password, for those who know it', async () => {
    const users = ['--requirepass', 'secret'];
    const pair = await Pair.start(ServerProcess.start, startRedisServer, users);
    try {
      await pair.to.call('AUTH', 'secret');
      for (const key of ['a', 'b']) await pair.from.call('SET', key, 'v');
      expect(await pair.move('a', '0', '1000')).toMatch(/^-ERR Target instance replied with error: NOAUTH /);
      expect(await pair.move('a', '0', '1000', 'AUTH', 'wrong')).toMatch(
        /^-ERR Target instance replied with error: WRONGPASS /,
      );
      expect(await keysOf(pair.to)).toEqual([]);
      expect(await pair.move('a', '0', '1000', 'AUTH', 'secret')).toBe('+OK\r\n');
      expect(await pair.move('b', '0', '1000')).toMatch(/NOAUTH/); // Nobody else's connection is used.
      expect(await pair.move('b', '0', '1000', 'AUTH2', 'default', 'secret')).toBe('+OK\r\n');
      expect(await keysOf(pair.to)).toEqual(['a', 'b']);
    } finally {
      await pair.close();
    }
  });
});

describeServers('MIGRATE', (server) => {
  const bad: readonly (readonly [string, readonly string[], string])[] = [
    ['a timeout', ['k', '0', 'x'], '-ERR value is not an integer or out of range\r\n'],
    ['a database', ['k', 'x', '10'], '-ERR value is not an integer or out of range\r\n'],
    ['an option', ['k', '0', '10', 'MOVE'], '-ERR syntax error\r\n'],
    ['a password', ['k', '0', '10', 'AUTH'], '-ERR syntax error\r\n'],
    ['a user', ['k', '0', '10', 'AUTH2', 'u'], '-ERR syntax error\r\n'],
    [
      'a key besides KEYS',
      ['k', '0', '10', 'KEYS', 'k'],
      '-ERR When using MIGRATE KEYS option, the key argument must be set to the empty string\r\n',
    ],
    ['no key', ['', '0', '10', 'KEYS'], '+NOKEY\r\n'],
    ['a key that is not there', ['none', '0', '10'], '+NOKEY\r\n'],
  ];
  test.each(bad)('says so of %s', async (_, rest, reply) => {
    await server.ask('SET', 'k', 'v');
    expect(await server.ask('MIGRATE', '127.0.0.1', '1', ...rest)).toBe(reply);
  });

  test('shows nobody the password', async () => {
    const client = await RawClient.connect(server.port);
    await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
    const monitor = await RawClient.connect(server.port);
    await monitor.call('MONITOR');
    await client.call('MIGRATE', '127.0.0.1', '1', 'none', '0', '10', 'AUTH', 'hidden');
    await client.call('MIGRATE', '127.0.0.1', '1', '', '0', '10', 'AUTH2', 'hidden', 'hidden', 'KEYS', 'auth', 'none');
    const log = await client.call('SLOWLOG', 'GET', '3');
    expect(log).toContain('(redacted)');
    expect(log).toContain('none');
    expect(log).not.toContain('hidden');
    expect(await monitor.readLine()).toMatch(/"AUTH" "\(redacted\)"/);
    expect(await monitor.readLine()).toMatch(/"AUTH2" "\(redacted\)" "\(redacted\)" "KEYS" "auth" "none"/);
    await client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
    client.close();
    monitor.close();
  });

  test('says that nobody is there', async () => {
    await server.ask('SET', 'k', 'v');
    for (const [host, port, reply] of [
      ['127.0.0.1', '1', NOT_WRITTEN],
      ['127.0.0.1', 'none', NOT_WRITTEN],
      ['', '1', NO_CONNECTION],
    ] as const) {
      expect(await server.ask('MIGRATE', host, port, 'k', '0', '1000')).toBe(reply);
    }
    expect(await server.ask('GET', 'k')).toBe('$1\r\nv\r\n');
  });

  test('waits no longer than it was told for a server that says nothing, and keeps the key', async () => {
    const silent = await SilentServer.start();
    try {
      await server.ask('SET', 'k', 'v');
      const began = Date.now();
      expect(await server.ask('MIGRATE', '127.0.0.1', String(silent.port), 'k', '0', '150')).toBe(NO_ANSWER);
      expect(Date.now() - began).toBeLessThan(2000);
      expect(await server.ask('GET', 'k')).toBe('$1\r\nv\r\n');
    } finally {
      await silent.close();
    }
  });
});

describe('while a key is on its way', () => {
  const opened = new Opened();
  let server: ServerProcess;
  let silent: SilentServer;

  beforeEach(async () => {
    server = await ServerProcess.start(['--workers', '1']);
    opened.later(() => server.stop());
    silent = opened.keep(await SilentServer.start(['+OK\r\n']));
  });

  afterEach(() => opened.close());

  async function connect(): Promise<RawClient> {
    const client = await server.connect();
    opened.later(() => client.end());
    return client;
  }

  /** Lets a key go to the server that says yes to SELECT, and then nothing. */
  async function depart(key: string, patienceMs: number): Promise<RawClient> {
    const mover = await connect();
    mover.send(`MIGRATE 127.0.0.1 ${silent.port} ${key} 0 ${patienceMs}\r\nPING\r\n`);
    const other = await connect();
    await other.call('CONFIG', 'RESETSTAT');
    for (let tries = 0; silent.connections === 0; tries++) {
      expect(tries).toBeLessThan(200);
      await new Promise((done) => setTimeout(done, 10));
    }
    await new Promise((done) => setTimeout(done, 100));
    return mover;
  }

  test('it may be read, everything else goes on, and who changes it waits', async () => {
    const [reader, writer, executor] = [await connect(), await connect(), await connect()];
    await reader.call('RPUSH', 'k', 'v');
    const script = "return redis.call('SET', KEYS[1], 'w')";
    await reader.call('EVAL', script, '1', 'other'); // What it touches is known from now on.
    const mover = await depart('k', 1500);
    const began = Date.now();
    writer.send('RPUSH k w\r\n');
    executor.send('MULTI\r\nRPUSH k x\r\nEXEC\r\n');
    expect(await reader.call('LRANGE', 'k', '0', '-1')).toBe('*1\r\n$1\r\nv\r\n');
    expect(await reader.call('SET', 'other', 'v')).toBe('+OK\r\n');
    expect(await reader.call('EVAL', script, '1', 'other')).toBe('+OK\r\n');
    expect(Date.now() - began).toBeLessThan(1000);
    expect(await writer.isSilent(50)).toBe(true);
    expect(await executor.reply()).toBe('+OK\r\n');
    expect(await executor.reply()).toBe('+QUEUED\r\n');
    expect(await executor.isSilent(50)).toBe(true);
    expect(await mover.reply()).toBe(NO_ANSWER);
    expect(await mover.reply()).toBe('+PONG\r\n');
    await Promise.all([writer.reply(), executor.reply()]);
    expect(await reader.call('LLEN', 'k')).toBe(':3\r\n');
  });

  test('a blocked client that would put something into it waits on', async () => {
    const [pusher, blocked] = [await connect(), await connect()];
    await pusher.call('RPUSH', 'k', 'v');
    blocked.send('BLMOVE empty k RIGHT RIGHT 0\r\n');
    const mover = await depart('k', 700);
    expect(await pusher.call('RPUSH', 'empty', 'e')).toBe(':1\r\n');
    expect(await pusher.call('LLEN', 'k')).toBe(':1\r\n');
    expect(await mover.reply()).toBe(NO_ANSWER);
    expect(await blocked.reply()).toBe('$1\r\ne\r\n');
    expect(await pusher.call('LRANGE', 'k', '0', '-1')).toBe('*2\r\n$1\r\nv\r\n$1\r\ne\r\n');
  });

  test('the server stops without waiting for its end', async () => {
    await (await connect()).call('SET', 'k', 'v');
    await depart('k', 60_000);
    const began = Date.now();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(Date.now() - began).toBeLessThan(5000);
  });

  test('its client can not be unblocked, but may leave', async () => {
    const other = await connect();
    await other.call('SET', 'k', 'v');
    const mover = await depart('k', 400);
    const id = /^id=(\d+).*cmd=migrate/m.exec(await other.call('CLIENT', 'LIST'))?.[1] ?? '';
    expect(await other.call('CLIENT', 'UNBLOCK', id)).toBe(':0\r\n');
    mover.close();
    expect(await other.call('SET', 'k', 'w')).toBe('+OK\r\n');
    expect(await other.call('GET', 'k')).toBe('$1\r\nw\r\n');
  });
});
