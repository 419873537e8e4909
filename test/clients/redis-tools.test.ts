/** Redis's own programs against our server and against theirs. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeServers } from '../support/both-servers';
import { describeWith } from '../support/peers';
import { encode } from '../support/wire-client';

const run = promisify(execFile);

describeServers('redis-cli and redis-benchmark', (server) => {
  const port = (): string => String(server.port);

  describeWith(['redis-cli'], 'redis-cli', () => {
    const cli = async (...words: string[]): Promise<string> =>
      (await run('redis-cli', ['-p', port(), ...words], { timeout: 20_000 })).stdout;

    /** Runs it with something on its standard input. */
    const fed = async (input: Buffer | string, ...words: string[]): Promise<string> => {
      const child = spawn('redis-cli', ['-p', port(), ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      child.stdin.end(input);
      await new Promise((done) => child.once('close', done));
      return text;
    };

    /** Runs it until what it printed is `enough`, and ends it; `meanwhile` is called once it has printed something. */
    const until = async (
      enough: (text: string) => boolean,
      words: readonly string[],
      meanwhile: () => Promise<unknown> = async () => undefined,
    ): Promise<string> => {
      const child = spawn('redis-cli', ['-p', port(), ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = new Promise((done) => child.once('close', done));
      let text = '';
      let started: Promise<unknown> | undefined;
      await new Promise<void>((done) => {
        child.once('close', () => done());
        child.stdout.on('data', (chunk: Buffer) => {
          text += chunk.toString();
          started ??= meanwhile();
          if (enough(text)) done();
        });
      });
      child.kill();
      await closed;
      await started;
      return text;
    };

    beforeEach(async () => {
      await server.ask('FLUSHALL');
    });

    test('runs commands, in RESP2 and RESP3', async () => {
      expect(await cli('SET', 'user:1', 'alice')).toBe('OK\n');
      expect(await cli('GET', 'user:1')).toBe('alice\n');
      expect(await cli('-3', 'GET', 'nobody')).toBe('\n');
      expect(await cli('--no-raw', 'GET', 'nobody')).toBe('(nil)\n');
      expect(await cli('--no-raw', 'INCR', 'n')).toBe('(integer) 1\n');
      expect(await cli('-n', '5', 'DBSIZE')).toBe('0\n');
      expect(await cli('-u', `redis://127.0.0.1:${port()}/3`, 'SET', 'in', '3')).toBe('OK\n');
      expect(await cli('-n', '3', 'KEYS', '*')).toBe('in\n');
      expect(await cli('-r', '3', 'INCR', 'n')).toBe('2\n3\n4\n');
    });

    test('shows replies of all shapes: -3, --json, --csv', async () => {
      await cli('HSET', 'h', 'name', 'Zoë', 'age', '7');
      expect(await cli('-3', '--no-raw', 'HGETALL', 'h')).toBe('1# "name" => "Zo\\xc3\\xab"\n2# "age" => "7"\n');
      expect(JSON.parse(await cli('--json', 'HGETALL', 'h'))).toEqual({ name: 'Zoë', age: '7' });
      expect(await cli('--csv', 'HMGET', 'h', 'age', 'none')).toBe('"7",NULL\n');
      await cli('ZADD', 'z', '1.5', 'a', '2', 'b');
      expect(JSON.parse(await cli('--json', 'ZRANGE', 'z', '0', '-1', 'WITHSCORES'))).toEqual([
        ['a', 1.5],
        ['b', 2],
      ]);
      expect(await cli('-3', '--no-raw', 'ZSCORE', 'z', 'a')).toBe('(double) 1.5\n');
      await expect(cli('-e', 'INCR', 'h')).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('WRONGTYPE'),
      });
    });

    test('shows the sections of INFO', async () => {
      const info = await cli('INFO');
      for (const section of ['Server', 'Clients', 'Memory', 'Persistence', 'Stats', 'Replication', 'CPU', 'Keyspace']) {
        expect(info).toContain(`# ${section}\r\n`);
      }
      expect(info).toMatch(/^redis_version:\d+\.\d+\.\d+\r$/m);
      expect(info).toContain(`tcp_port:${server.port}\r\n`);
    });

    test('--scan lists the keys', async () => {
      await server.ask('MSET', ...Array.from({ length: 500 }, (_, i) => [`key:${i}`, 'v']).flat());
      const lines = (await cli('--scan', '--pattern', 'key:*')).trim().split('\n');
      expect(new Set(lines).size).toBe(500);
      expect((await cli('--scan', '--pattern', 'key:1?')).trim().split('\n')).toHaveLength(10);
    });

    test('--stat prints its line', async () => {
      const text = await until((lines) => lines.split('\n').length > 4, ['--stat', '-i', '0.02']);
      expect(text).toMatch(/keys\s+mem\s+clients\s+blocked\s+requests\s+connections/);
      expect(text).toMatch(/^\d+\s+[\d.]+[BKMG]\s+\d+\s+\d+\s+\d+ \(\+\d+\)\s+\d+/m);
    });

    test('--latency measures', async () => {
      const samples = await cli('--latency', '--csv', '-i', '0.2');
      expect(samples).toMatch(/^\d+,\d+,\d+\.\d+,\d+\n$/);
      const [min, max] = samples.split(',').map(Number);
      expect(max).toBeGreaterThanOrEqual(min ?? Number.NaN);
    });

    test('--bigkeys and --hotkeys walk the keyspace', async () => {
      await server.ask('SET', 'big', 'x'.repeat(1000));
      await server.ask('RPUSH', 'list', ...Array.from({ length: 12 }, (_, i) => `item ${i}`));
      await server.ask('SADD', 'set', 'a', 'b', 'c');
      await server.ask('HSET', 'hash', 'a', '1', 'b', '2');
      await server.ask('ZADD', 'sorted', '1', 'a');
      await server.ask('XADD', 'stream', '*', 'k', 'v');
      const big = await cli('--bigkeys');
      for (const line of [
        'Sampled 6 keys in the keyspace!',
        'Biggest string found \'"big"\' has 1000 bytes',
        'Biggest   list found \'"list"\' has 12 items',
        'Biggest    set found \'"set"\' has 3 members',
        'Biggest   hash found \'"hash"\' has 2 fields',
        'Biggest   zset found \'"sorted"\' has 1 members',
        'Biggest stream found \'"stream"\' has 1 entries',
      ]) {
        expect(big).toContain(line);
      }
      await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lfu');
      try {
        for (let i = 0; i < 50; i++) await server.ask('GET', 'big');
        expect(await cli('--hotkeys')).toMatch(/hot key found with counter: \d+\s+keyname: "big"/);
      } finally {
        await server.ask('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
      }
    });

    test('--pipe loads a stream of commands', async () => {
      const text = await fed(
        Buffer.concat(Array.from({ length: 20_000 }, (_, i) => encode('SET', `k${i}`, 'v'))),
        '--pipe',
      );
      expect(text).toContain('errors: 0, replies: 20000');
      expect(await server.ask('DBSIZE')).toBe(':20000\r\n');
    });

    test('takes commands and the last argument from its standard input', async () => {
      expect(await fed('MULTI\nSET a 1\nINCR a\nEXEC\n')).toBe('OK\nQUEUED\nQUEUED\nOK\n2\n');
      expect(await fed('from\0stdin', '-x', 'SET', 'x')).toBe('OK\n');
      expect(await cli('--no-raw', 'GET', 'x')).toBe('"from\\x00stdin"\n');
    });

    test('--eval runs a file', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rln-cli-'));
      try {
        const file = join(folder, 'add.lua');
        writeFileSync(file, "return { KEYS[1], ARGV[1] + ARGV[2], redis.call('SET', KEYS[1], ARGV[1]) }");
        expect(await cli('--no-raw', '--eval', file, 'k', ',', '3', '4')).toBe('1) "k"\n2) (integer) 7\n3) OK\n');
        expect(await cli('GET', 'k')).toBe('3\n');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    test('MONITOR shows what others do', async () => {
      const text = await until(
        (lines) => lines.includes('"GET"'),
        ['MONITOR'],
        async () => {
          await server.ask('SET', 'k', 'a "b"\n');
          await server.ask('GET', 'k');
        },
      );
      expect(text).toMatch(/^OK\n/);
      expect(text).toMatch(/^\d+\.\d{6} \[0 127\.0\.0\.1:\d+\] "SET" "k" "a \\"b\\"\\n"$/m);
    });

    test('SUBSCRIBE shows messages', async () => {
      const text = await until(
        (lines) => lines.includes('goodbye'),
        ['--csv', 'PSUBSCRIBE', 'news.*'],
        async () => {
          await server.ask('PUBLISH', 'news.one', 'hello');
          await server.ask('PUBLISH', 'news.two', 'goodbye');
        },
      );
      expect(text).toContain('"pmessage","news.*","news.one","hello"');
    });
  });

  describeWith(['redis-benchmark'], 'redis-benchmark', () => {
    const benchmark = async (...words: string[]): Promise<string> => {
      const { stdout, stderr } = await run('redis-benchmark', ['-p', port(), '-q', ...words], { timeout: 25_000 });
      expect(`${stdout}${stderr}`).not.toMatch(/error|WARNING: (?!Keepalive)/i);
      return stdout;
    };
    const NAMES = [
      ...['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'LPUSH', 'RPUSH', 'LPOP', 'RPOP', 'SADD', 'HSET', 'SPOP'],
      ...['ZADD', 'ZPOPMIN', 'LPUSH (needed to benchmark LRANGE)', 'LRANGE_100 (first 100 elements)'],
      ...['LRANGE_300 (first 300 elements)', 'LRANGE_500 (first 500 elements)', 'LRANGE_600 (first 600 elements)'],
      'MSET (10 keys)',
    ];

    test.each([
      ['one at a time', ['-n', '500']],
      ['with random keys, in pipelines, in RESP3', ['-n', '2000', '-r', '1000', '-P', '16', '-3']],
    ])('runs its default set %s', async (_name, words) => {
      const stdout = await benchmark(...words);
      const measured = [...stdout.matchAll(/(?:^|[\r\n])([^:\r\n]+): \d+(?:\.\d+)? requests per second/g)];
      expect(measured.map(([, name]) => name)).toEqual(NAMES);
    });

    test('runs with threads and large values', async () => {
      const words = ['-t', 'set,get', '-n', '2000', '-r', '1000', '-d', '20000', '--threads', '2'];
      expect(await benchmark(...words)).toMatch(/GET: \d+/);
    });

    test('runs with a new connection for each request', async () => {
      expect(await benchmark('-t', 'ping', '-n', '1000', '-k', '0')).toMatch(/PING_MBULK: \d+/);
    });
  });
});
