/**
 * Scripts that run for too long: what other clients are told meanwhile, how such a script is
 * ended, and that it never keeps the server from stopping.  The same against redis-server.
 */
import { createServer, type ListenAddress } from '../../lib';
import { type RunningServer, type StartServer, startRedisServer } from '../support/both-servers';
import { describeWith } from '../support/peers';
import { eventually, ServerProcess, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const SCRIPT_BUSY = '-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n';
const FUNCTION_BUSY = SCRIPT_BUSY.replace('SCRIPT KILL', 'FUNCTION KILL');
const UNKILLABLE =
  '-UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the ' +
  'script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.\r\n';
const NOT_BUSY = '-NOTBUSY No scripts in execution right now.\r\n';
const ENDLESS = 'while true do end';
const STUBBORN = 'while true do pcall(function() while true do end end) end';
const MATCHING = "return string.find(string.rep('a', 40), string.rep('a*', 20) .. 'b')";
const WRITING = "while true do pcall(redis.call, 'SET', 'k', 'v') end";
const LIBRARY = `#!lua name=slow
redis.register_function('loop', function() while true do end end)
redis.register_function('write', function() redis.call('SET', 'k', 'v') while true do end end)`;
const THRESHOLD = ['--busy-reply-threshold', '100'];

/** The port of an address that is not a path. */
function portOf(address: ListenAddress): number {
  if (!('port' in address)) throw new Error('the server listens on a path');
  return address.port;
}

/** What the server says once the threshold is past: asked until it is that. */
async function untilBusy(client: RawClient, busy = SCRIPT_BUSY): Promise<void> {
  while ((await client.call('GET', 'k')) !== busy) await sleep(10);
}

function describeBusy(name: string, start: StartServer, describeIt: (name: string, body: () => void) => void): void {
  describeIt(name, () => {
    let server: RunningServer;
    let opened: RawClient[] = [];
    const connect = async (): Promise<RawClient> => {
      const client = await RawClient.connect(server.port);
      opened.push(client);
      return client;
    };
    /** Sends a command that will run for long. */
    const begin = async (...words: string[]): Promise<RawClient> => {
      const client = await connect();
      client.send(encode(...words));
      return client;
    };

    beforeAll(async () => {
      server = await start(THRESHOLD);
    });
    afterAll(async () => {
      expect(await server.stop()).toEqual({ code: 0, signal: null });
    });
    afterEach(() => {
      for (const client of opened) client.close();
      opened = [];
    });

    test('makes commands of others answer BUSY, but for those that are allowed', async () => {
      const other = await connect();
      expect(await other.call('SET', 'k', 'v')).toBe('+OK\r\n');
      const slow = await begin('EVAL', ENDLESS, '0');
      await untilBusy(other);
      for (const words of [['SET', 'a', 'b'], ['PING'], ['EVAL', 'return 1', '0'], ['INFO'], ['SUBSCRIBE', 'x']]) {
        expect(await other.call(...words)).toBe(SCRIPT_BUSY);
      }
      for (const words of [['SHUTDOWN'], ['SHUTDOWN', 'SAVE'], ['FUNCTION', 'STATS'], ['FUNCTION', 'KILL']]) {
        expect(await other.call(...words)).toBe(SCRIPT_BUSY);
      }
      expect(await other.call('NOSUCH')).toBe("-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
      expect(await other.call('GET')).toBe("-ERR wrong number of arguments for 'get' command\r\n");
      expect(await other.call('WATCH', 'k')).toBe('+OK\r\n');
      expect(await other.call('MULTI')).toBe('+OK\r\n');
      expect(await other.call('GET', 'k')).toBe(SCRIPT_BUSY);
      expect(await other.call('EXEC')).toBe(`-EXECABORT Transaction discarded because of: ${SCRIPT_BUSY.slice(1)}`);
      expect(await other.call('UNWATCH')).toBe('+OK\r\n');
      expect(await other.call('MULTI')).toBe('+OK\r\n');
      expect(await other.call('DISCARD')).toBe('+OK\r\n');
      expect(await other.call('RESET')).toBe('+RESET\r\n');
      expect(await other.call('HELLO', '2')).toContain('version');
      expect(await other.call('QUIT')).toBe('+OK\r\n');

      const late = await connect();
      expect(await late.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
      expect(await slow.reply()).toMatch(
        /^-ERR Script killed by user with SCRIPT KILL\.\.\. script: [0-9a-f]{40}, on @user_script:1\.\r\n$/,
      );
      expect(await late.call('GET', 'k')).toBe('$1\r\nv\r\n');
      expect(await late.call('SCRIPT', 'KILL')).toBe(NOT_BUSY);
      expect(await late.call('FUNCTION', 'KILL')).toBe(NOT_BUSY);
      expect(await slow.call('PING')).toBe('+PONG\r\n');
    });

    test('answers clients that had sent their commands before, and a pipeline behind it', async () => {
      const others = await Promise.all(Array.from({ length: 20 }, connect));
      for (const other of others) expect(await other.call('SET', 'k', 'v')).toBe('+OK\r\n');
      const slow = await connect();
      slow.send(Buffer.concat([encode('EVAL', ENDLESS, '0'), encode('GET', 'k')]));
      for (const other of others) other.send(Buffer.concat([encode('MGET', 'k'), encode('ECHO', 'x')]));
      const replies = await Promise.all(others.map(async (other) => [await other.reply(), await other.reply()]));
      // Some may have come before the script.
      const allowed = new Set([SCRIPT_BUSY, '*1\r\n$1\r\nv\r\n', '$1\r\nx\r\n']);
      expect(replies.flat().filter((reply) => !allowed.has(reply))).toEqual([]);
      await untilBusy(others[0] as RawClient);
      expect(await others[1]?.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
      expect(await slow.reply()).toContain('killed by user');
      expect(await slow.reply()).toBe('$1\r\nv\r\n');
      for (const other of others) expect(await other.call('GET', 'k')).toBe('$1\r\nv\r\n');
    });

    test('ends by SCRIPT KILL whatever it catches, inside of MULTI too', async () => {
      const other = await connect();
      expect(await other.call('SET', 'n', '0')).toBe('+OK\r\n');
      const slow = await connect();
      expect(await slow.call('MULTI')).toBe('+OK\r\n');
      for (const words of [
        ['INCR', 'n'],
        ['EVAL', STUBBORN, '0'],
        ['INCR', 'n'],
      ]) {
        expect(await slow.call(...words)).toBe('+QUEUED\r\n');
      }
      slow.send(encode('EXEC'));
      await untilBusy(other);
      expect(await other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
      expect(await slow.reply()).toMatch(/^\*3\r\n:1\r\n-ERR Script killed by user .*\r\n:2\r\n$/);
      expect(await other.call('GET', 'n')).toBe('$1\r\n2\r\n');
    });

    test('can be waited for once it has written', async () => {
      const other = await connect();
      await other.call('DEL', 'n');
      const slow = await begin(
        'EVAL',
        "redis.call('SET', 'n', 0) for i = 1, 20000000 do if i % 100000 == 0 then redis.call('INCR', 'n') end end " +
          "return redis.call('GET', 'n')",
        '0',
      );
      await untilBusy(other);
      expect(await other.call('SCRIPT', 'KILL')).toBe(UNKILLABLE);
      expect(await other.call('FUNCTION', 'KILL')).toBe(UNKILLABLE);
      expect(await slow.reply()).toBe('$3\r\n200\r\n');
      expect(await other.call('GET', 'n')).toBe('$3\r\n200\r\n');
    });

    test('that is a function is told of by FUNCTION STATS and ended by FUNCTION KILL', async () => {
      const other = await connect();
      expect(await other.call('FUNCTION', 'LOAD', 'REPLACE', LIBRARY)).toBe('$4\r\nslow\r\n');
      const slow = await begin('FCALL', 'loop', '1', 'key', 'arg');
      await untilBusy(other, FUNCTION_BUSY);
      expect(await other.call('SHUTDOWN')).toBe(FUNCTION_BUSY);
      expect(await other.call('SCRIPT', 'KILL')).toBe(FUNCTION_BUSY);
      const stats = await other.call('FUNCTION', 'STATS');
      expect(stats).toMatch(
        /^\*4\r\n\$14\r\nrunning_script\r\n\*6\r\n\$4\r\nname\r\n\$4\r\nloop\r\n\$7\r\ncommand\r\n\*5\r\n\$5\r\nFCALL\r\n\$4\r\nloop\r\n\$1\r\n1\r\n\$3\r\nkey\r\n\$3\r\narg\r\n\$11\r\nduration_ms\r\n:\d+\r\n\$7\r\nengines\r\n/,
      );
      expect(Number(/duration_ms\r\n:(\d+)/.exec(stats)?.[1])).toBeGreaterThanOrEqual(100);
      expect(await other.call('FUNCTION', 'KILL')).toBe('+OK\r\n');
      expect(await slow.reply()).toBe(
        '-ERR Script killed by user with SCRIPT KILL... script: loop, on @user_function:2.\r\n',
      );
      expect(await other.call('FUNCTION', 'STATS')).toMatch(/^\*4\r\n\$14\r\nrunning_script\r\n\$-1\r\n/);
    });

    test('that loads a library ends by itself', async () => {
      const slow = await begin('FUNCTION', 'LOAD', `#!lua name=never\n${ENDLESS}`);
      expect(await slow.reply()).toBe('-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n');
    });

    test('does not wait for a client that has left', async () => {
      const slow = await begin('EVAL', ENDLESS, '0');
      const other = await connect();
      await untilBusy(other);
      slow.close();
      const passing = await connect();
      expect(await passing.call('WATCH', 'k')).toBe('+OK\r\n');
      passing.close();
      expect(await other.call('GET', 'k')).toBe(SCRIPT_BUSY);
      expect(await other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
      // redis-server may read this before the script has noticed that it was killed.
      expect(
        await eventually(
          () => other.call('PING'),
          (reply) => reply !== SCRIPT_BUSY,
        ),
      ).toBe('+PONG\r\n');
    });

    test('takes the threshold from CONFIG SET by either name', async () => {
      const other = await connect();
      expect(await other.call('CONFIG', 'SET', 'lua-time-limit', '1000000')).toBe('+OK\r\n');
      expect(await other.call('CONFIG', 'GET', 'busy-reply-threshold')).toContain('1000000');
      const slow = await begin('EVAL', 'for i = 1, 20000000 do end return 1', '0');
      expect(await slow.reply()).toBe(':1\r\n');
      expect(await other.call('CONFIG', 'SET', 'busy-reply-threshold', '100')).toBe('+OK\r\n');
      expect(await other.call('CONFIG', 'GET', 'lua-time-limit')).toContain('100');
    });
  });
}

const ours =
  (...words: string[]): StartServer =>
  (directives = []) =>
    ServerProcess.start([...words, ...directives]);

describeBusy('a slow script on the one worker', ours('--workers', '1'), describe);
describeBusy('a slow script on one of two workers', ours('--workers', '2'), describe);
describeBusy('a slow script with a thread per client', ours('--workers', '32', '--io-model', 'blocking'), describe);
describeBusy('a slow script in redis-server', startRedisServer, (name, body) =>
  describeWith(['redis-server'], name, body),
);

describe('the end of the server does not wait for a script', () => {
  const LIMIT_MS = 1000;

  describe.each([
    ['1', 'events'],
    ['2', 'events'],
    ['4', 'blocking'],
  ])('with %s workers, io-model %s:', (workers, model) => {
    test.each([
      ['endless', ENDLESS],
      ['catching errors', STUBBORN],
      ['writing', WRITING],
      ['matching a pattern', MATCHING],
      ['in coroutines', 'while true do coroutine.wrap(function() for i = 1, 1000 do end end)() end'],
    ])('%s, neither by SIGTERM nor by SHUTDOWN NOSAVE', async (_, script) => {
      for (const way of ['SIGTERM', 'SHUTDOWN']) {
        const server = await ServerProcess.start(['--workers', workers, '--io-model', model, ...THRESHOLD]);
        const slow = await server.connect();
        slow.send(encode('EVAL', script, '0'));
        const other = await server.connect();
        if (way === 'SHUTDOWN') await untilBusy(other);
        else await sleep(100);
        const started = Date.now();
        if (way === 'SHUTDOWN') other.send(encode('SHUTDOWN', 'NOSAVE'));
        else server.child.kill('SIGTERM');
        expect(await server.exited).toEqual({ code: 0, signal: null });
        expect(Date.now() - started).toBeLessThan(LIMIT_MS);
        slow.close();
        other.close();
      }
    });
  });

  test('matching a pattern is no hiding place: others are told, and it is killed', async () => {
    const server = await ServerProcess.start(['--workers', '2', ...THRESHOLD]);
    const [slow, other] = [await server.connect(), await server.connect()];
    // The second time, every thread knows the script.
    for (let i = 0; i < 2; i++) {
      slow.send(encode('EVAL', MATCHING, '0'));
      await untilBusy(other);
      expect(await other.call('SCRIPT', 'KILL')).toBe('+OK\r\n');
      expect(await slow.reply()).toContain('killed by user');
    }
    slow.close();
    other.close();
    expect(await server.stop()).toEqual({ code: 0, signal: null });
  });

  test('embedded: stop() ends it', async () => {
    await using server = createServer({ port: 0, workers: 2 });
    const slow = await RawClient.connect(portOf(await server.start()));
    slow.send(encode('EVAL', WRITING, '0'));
    await sleep(100);
    const started = Date.now();
    await server.stop();
    expect(Date.now() - started).toBeLessThan(LIMIT_MS);
    slow.close();
  });

  test('embedded: the store in the same process is told BUSY, too', async () => {
    await using server = createServer({ port: 0, workers: 1, busyReplyThreshold: 50 });
    const slow = await RawClient.connect(portOf(await server.start()));
    slow.send(encode('EVAL', ENDLESS, '0'));
    await sleep(200);
    expect(() => server.store.set('k', 'v')).toThrow('BUSY Redis is busy running a script.');
    expect(server.store.call('SCRIPT', 'KILL')).toBe('OK');
    expect(await slow.reply()).toContain('killed by user');
    server.store.set('k', 'v');
    expect(server.store.get('k')).toBe('v');
    slow.close();
  });
});
