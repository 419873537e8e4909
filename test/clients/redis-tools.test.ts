/** Redis's own programs against our server. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { describeWith } from '../support/peers';
import { ServerProcess } from '../support/server';
import { encode } from '../support/wire-client';

const run = promisify(execFile);

let server: ServerProcess;

beforeAll(async () => {
  server = await ServerProcess.start();
});

afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});

describeWith(['redis-cli'], 'redis-cli', () => {
  const cli = async (...words: string[]): Promise<string> =>
    (await run('redis-cli', ['-p', String(server.port), ...words])).stdout;

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
    const client = await server.connect();
    await client.call('MSET', ...Array.from({ length: 500 }, (_, i) => [`key:${i}`, 'v']).flat());
    await client.end();
    const lines = (await cli('--scan', '--pattern', 'key:*')).trim().split('\n');
    expect(new Set(lines).size).toBe(500);
  });

  test('--stat prints its line', async () => {
    const child = spawn('redis-cli', ['-p', String(server.port), '--stat', '-i', '0.02'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    await new Promise<void>((done) => {
      child.once('close', () => done());
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split('\n').length > 4) done();
      });
    });
    child.kill();
    expect(text).toMatch(/keys\s+mem\s+clients\s+blocked\s+requests\s+connections/);
    expect(text).toMatch(/^\d+\s+[\d.]+[BKMG]\s+\d+\s+\d+\s+\d+ \(\+\d+\)\s+\d+/m);
  });

  test('--bigkeys and --memkeys walk the keyspace', async () => {
    await server.ask('SET', 'big', 'x'.repeat(1000));
    expect(await cli('--bigkeys')).toContain('Biggest string found \'"big"\' has 1000 bytes');
  });

  test('--pipe loads a stream of commands', async () => {
    const child = spawn('redis-cli', ['-p', String(server.port), '--pipe'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stdin.end(Buffer.concat(Array.from({ length: 20_000 }, (_, i) => encode('SET', `k${i}`, 'v'))));
    await new Promise((done) => child.once('close', done));
    expect(text).toContain('errors: 0, replies: 20000');
    expect(await server.ask('DBSIZE')).toBe(':20000\r\n');
  });

  test('takes commands from its standard input', async () => {
    const child = spawn('redis-cli', ['-p', String(server.port)], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stdin.end('MULTI\nSET a 1\nINCR a\nEXEC\n');
    await new Promise((done) => child.once('close', done));
    expect(text).toBe('OK\nQUEUED\nQUEUED\nOK\n2\n');
  });
});

describeWith(['redis-benchmark'], 'redis-benchmark', () => {
  test('runs the tests whose commands exist, without an error', async () => {
    const words = ['-p', String(server.port), '-t', 'ping,set,get,incr,mset', '-n', '20000', '-P', '16', '-q'];
    const { stdout, stderr } = await run('redis-benchmark', words);
    for (const name of ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR', 'MSET \\(10 keys\\)']) {
      expect(stdout).toMatch(new RegExp(`(^|\\r|\\n)${name}: \\d+(\\.\\d+)? requests per second`));
    }
    expect(`${stdout}${stderr}`).not.toMatch(/error|warning/i);
  });

  test('runs with threads, random keys and large values', async () => {
    const words = [
      '-p',
      String(server.port),
      '-t',
      'set,get',
      '-n',
      '5000',
      '-r',
      '1000',
      '-d',
      '20000',
      '--threads',
      '2',
      '-q',
    ];
    const { stdout, stderr } = await run('redis-benchmark', words);
    expect(stdout).toMatch(/GET: \d+/);
    expect(`${stdout}${stderr}`).not.toMatch(/error|warning/i);
  });

  test('runs with a new connection for each request', async () => {
    const words = ['-p', String(server.port), '-t', 'ping', '-n', '2000', '-k', '0', '-q'];
    const { stdout, stderr } = await run('redis-benchmark', words);
    expect(stdout).toMatch(/PING_MBULK: \d+/);
    expect(`${stdout}${stderr}`).not.toMatch(/error/i);
  });
});
