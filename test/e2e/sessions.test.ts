/** What clients see of each other and of time: transactions, kills, pauses, timeouts, expiry. */
import { eventually, serverForAll, sleep } from '../support/server';
import { encode, RawClient } from '../support/wire-client';

const server = serverForAll();
let one: RawClient;
let other: RawClient;

beforeEach(async () => {
  one = await server().connect();
  other = await server().connect();
  await one.call('FLUSHALL');
});

afterEach(() => {
  one.close();
  other.close();
});

describe('transactions', () => {
  test('run as one: nobody sees the middle of them', async () => {
    const torn: string[] = [];
    const writer = async (): Promise<void> => {
      for (let i = 0; i < 200; i++) {
        one.send(
          Buffer.concat([encode('MULTI'), encode('SET', 'a', `${i}`), encode('SET', 'b', `${i}`), encode('EXEC')]),
        );
        for (let replies = 0; replies < 4; replies++) await one.reply();
      }
    };
    const reader = async (): Promise<void> => {
      for (let i = 0; i < 400; i++) {
        const reply = await other.call('MGET', 'a', 'b');
        const values = reply.split('\r\n').slice(1, -1);
        const half = values.length / 2;
        if (values.slice(0, half).join() !== values.slice(half).join()) torn.push(reply);
      }
    };
    await Promise.all([writer(), reader()]);
    expect(torn).toEqual([]);
  });

  test('are called off when another client changes a watched key', async () => {
    await one.call('SET', 'watched', '1');
    expect(await one.call('WATCH', 'watched')).toBe('+OK\r\n');
    expect(await one.call('MULTI')).toBe('+OK\r\n');
    expect(await one.call('SET', 'watched', 'mine')).toBe('+QUEUED\r\n');
    expect(await other.call('SET', 'watched', 'theirs')).toBe('+OK\r\n');
    expect(await one.call('EXEC')).toBe('*-1\r\n');
    expect(await one.call('GET', 'watched')).toBe('$6\r\ntheirs\r\n');
  });

  test('run when the watched key stays as it is, or is no longer watched', async () => {
    await one.call('WATCH', 'watched');
    await other.call('SET', 'another', 'value');
    await other.call('GET', 'watched');
    await one.call('MULTI');
    await one.call('INCR', 'n');
    expect(await one.call('EXEC')).toBe('*1\r\n:1\r\n');

    await one.call('WATCH', 'watched');
    await other.call('SET', 'watched', 'changed');
    expect(await one.call('UNWATCH')).toBe('+OK\r\n');
    await one.call('MULTI');
    await one.call('INCR', 'n');
    expect(await one.call('EXEC')).toBe('*1\r\n:2\r\n');
  });

  test('are called off when a watched key expires, or its database is flushed', async () => {
    await one.call('SET', 'short', 'lived', 'PX', '40');
    await one.call('WATCH', 'short');
    await sleep(120);
    await one.call('MULTI');
    await one.call('PING');
    // Redis does not call it off when the key had expired before it was looked at again: either is an answer.
    expect(await one.call('EXEC')).toMatch(/^\*(-1|1\r\n\+PONG)\r\n$/);

    await one.call('SET', 'flushed', 'away');
    await one.call('WATCH', 'flushed');
    await other.call('FLUSHDB');
    await one.call('MULTI');
    await one.call('PING');
    expect(await one.call('EXEC')).toBe('*-1\r\n');
  });

  test('end with their client, and leave nothing behind', async () => {
    await one.call('WATCH', 'k');
    await one.call('MULTI');
    await one.call('SET', 'k', 'never');
    one.reset();
    await sleep(20);
    expect(await other.call('EXISTS', 'k')).toBe(':0\r\n');
    expect(await other.call('SET', 'k', 'v')).toBe('+OK\r\n');
  });

  test('DISCARD forgets, and a bad command aborts', async () => {
    await one.call('MULTI');
    await one.call('SET', 'k', 'v');
    expect(await one.call('DISCARD')).toBe('+OK\r\n');
    expect(await one.call('EXISTS', 'k')).toBe(':0\r\n');
    await one.call('MULTI');
    expect(await one.call('SET', 'k')).toBe("-ERR wrong number of arguments for 'set' command\r\n");
    expect(await one.call('EXEC')).toBe('-EXECABORT Transaction discarded because of previous errors.\r\n');
  });
});

describe('databases', () => {
  test('belong to the connection that selects them', async () => {
    await one.call('SELECT', '3');
    await one.call('SET', 'k', 'in 3');
    expect(await other.call('GET', 'k')).toBe('$-1\r\n');
    await other.call('SWAPDB', '0', '3');
    expect(await other.call('GET', 'k')).toBe('$4\r\nin 3\r\n');
    expect(await one.call('GET', 'k')).toBe('$-1\r\n');
    expect(await one.call('SELECT', '16')).toBe('-ERR DB index is out of range\r\n');
  });
});

describe('CLIENT', () => {
  test('KILL by number ends that client alone', async () => {
    const id = (await other.call('CLIENT', 'ID')).slice(1, -2);
    expect(await one.call('CLIENT', 'KILL', 'ID', id)).toBe(':1\r\n');
    expect((await other.readToEnd()).length).toBe(0);
    expect(await one.call('PING')).toBe('+PONG\r\n');
    expect(await one.call('CLIENT', 'KILL', 'ID', id)).toBe(':0\r\n');
  });

  test('KILL by address, the old form, ends that client alone', async () => {
    const address = /addr=(\S+)/.exec(await other.call('CLIENT', 'INFO'))?.[1] ?? '';
    expect(await one.call('CLIENT', 'KILL', address)).toBe('+OK\r\n');
    expect((await other.readToEnd()).length).toBe(0);
    expect(await one.call('CLIENT', 'KILL', address)).toBe('-ERR No such client\r\n');
  });

  test('KILL of oneself is answered first', async () => {
    const id = (await one.call('CLIENT', 'ID')).slice(1, -2);
    one.send(encode('CLIENT', 'KILL', 'ID', id, 'SKIPME', 'no'));
    expect((await one.readToEnd()).toString()).toBe(':1\r\n');
  });

  test('LIST shows who is there', async () => {
    await other.call('CLIENT', 'SETNAME', 'somebody');
    expect(await one.call('CLIENT', 'LIST')).toContain(' name=somebody ');
    await other.end();
    await eventually(
      () => one.call('CLIENT', 'LIST'),
      (list) => !list.includes('name=somebody'),
    );
  });

  test('PAUSE WRITE holds writes back and lets reads through', async () => {
    await one.call('SET', 'k', 'before');
    expect(await one.call('CLIENT', 'PAUSE', '400', 'WRITE')).toBe('+OK\r\n');
    other.send(encode('SET', 'k', 'after'));
    expect(await one.call('GET', 'k')).toBe('$6\r\nbefore\r\n');
    expect(await other.isSilent(200)).toBe(true);
    expect(await other.reply()).toBe('+OK\r\n');
    expect(await one.call('GET', 'k')).toBe('$5\r\nafter\r\n');
  });

  test('PAUSE ALL holds everything back, in order', async () => {
    await one.call('SET', 'k', 'v');
    expect(await one.call('CLIENT', 'PAUSE', '400')).toBe('+OK\r\n');
    other.send(Buffer.concat([encode('GET', 'k'), encode('INCR', 'n'), encode('INCR', 'n'), encode('PING')]));
    expect(await other.isSilent(200)).toBe(true);
    const expected = '$1\r\nv\r\n:1\r\n:2\r\n+PONG\r\n';
    expect((await other.read(expected.length)).toString()).toBe(expected);
  });

  test('UNPAUSE ends a pause before its time', async () => {
    expect(await one.call('CLIENT', 'PAUSE', '20000', 'WRITE')).toBe('+OK\r\n');
    other.send(Buffer.concat([encode('INCR', 'n'), encode('INCR', 'n'), encode('GET', 'n')]));
    expect(await other.isSilent(100)).toBe(true);
    expect(await one.call('CLIENT', 'UNPAUSE')).toBe('+OK\r\n');
    expect((await other.read(15)).toString()).toBe(':1\r\n:2\r\n$1\r\n2\r\n');
  });

  test('REPLY OFF and SKIP leave answers out', async () => {
    one.send(
      Buffer.concat([encode('CLIENT', 'REPLY', 'OFF'), encode('SET', 'k', 'v'), encode('CLIENT', 'REPLY', 'ON')]),
    );
    expect(await one.reply()).toBe('+OK\r\n');
    one.send(Buffer.concat([encode('CLIENT', 'REPLY', 'SKIP'), encode('PING'), encode('GET', 'k')]));
    expect(await one.reply()).toBe('$1\r\nv\r\n');
  });
});

describe('a connection', () => {
  test('ends after QUIT, and what follows it is not run', async () => {
    one.send(Buffer.concat([encode('SET', 'k', '1'), encode('QUIT'), encode('SET', 'k', '2')]));
    expect((await one.readToEnd()).toString()).toBe('+OK\r\n+OK\r\n');
    expect(await other.call('GET', 'k')).toBe('$1\r\n1\r\n');
  });

  test('is as new after RESET', async () => {
    await one.call('HELLO', '3', 'SETNAME', 'me');
    await one.call('SELECT', '2');
    await one.call('MULTI');
    expect(await one.call('RESET')).toBe('+RESET\r\n');
    expect(await one.call('GET', 'nobody')).toBe('$-1\r\n');
    expect(await one.call('CLIENT', 'GETNAME')).toBe('$-1\r\n');
    expect(await one.call('EXEC')).toBe('-ERR EXEC without MULTI\r\n');
  });

  test('that is half closed by its client gets the answers that are due', async () => {
    const half = await RawClient.connect(server().port, { allowHalfOpen: true });
    half.socket.end(Buffer.concat([encode('SET', 'k', 'v'), encode('GET', 'k')]));
    expect((await half.readToEnd()).toString()).toBe('+OK\r\n$1\r\nv\r\n');
    half.close();
  });
});

describe('time', () => {
  test('an expired key is gone when it is looked at', async () => {
    await one.call('SET', 'short', 'lived', 'PX', '60');
    await one.call('SET', 'long', 'lived', 'EX', '100');
    expect(await one.call('GET', 'short')).toBe('$5\r\nlived\r\n');
    await sleep(100);
    expect(await one.call('GET', 'short')).toBe('$-1\r\n');
    expect(await one.call('TTL', 'short')).toBe(':-2\r\n');
    expect(await one.call('TTL', 'long')).toBe(':100\r\n');
  });

  test('expired keys are taken away though nobody looks at them', async () => {
    const before = Number(await server().info('expired_keys'));
    const keys = Array.from({ length: 1000 }, (_, i) => encode('SET', `short:${i}`, 'lived', 'PX', '150'));
    one.send(Buffer.concat(keys));
    for (let i = 0; i < 1000; i++) await one.reply();
    await one.call('SET', 'stays', 'here');
    expect(await one.call('DBSIZE')).toBe(':1001\r\n');
    await eventually(
      () => one.call('DBSIZE'),
      (size) => size === ':1\r\n',
      2_000,
    );
    expect(Number(await server().info('expired_keys')) - before).toBe(1000);
  });

  test('timeout closes idle clients and leaves busy ones', async () => {
    expect(await other.call('CONFIG', 'SET', 'timeout', '1')).toBe('+OK\r\n');
    const started = Date.now();
    while (!one.closed && Date.now() - started < 6_000) {
      expect(await other.call('PING')).toBe('+PONG\r\n');
      await sleep(100);
    }
    expect(one.closed).toBe(true);
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(other.closed).toBe(false);
    expect(await other.call('CONFIG', 'SET', 'timeout', '0')).toBe('+OK\r\n');
  });
});
