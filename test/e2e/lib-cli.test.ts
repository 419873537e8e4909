/** The program: its commands, their output and their exit codes, each run as a user runs it. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Child, cleanEnvironment, type Ending, runProgram, watch } from '../lifecycle/child';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rln-cli-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

/** Runs the program to its end. */
function run(args: readonly string[], options: Parameters<typeof runProgram>[1] = {}): Promise<Ending> {
  return runProgram(args, { cwd: folder, ...options }).ended;
}

async function withServer(body: (port: string) => Promise<void>, ...args: string[]): Promise<Ending> {
  const server = runProgram(['start', '--port', '0', '--bind', '127.0.0.1', '--log-format', 'redis', ...args], {
    cwd: folder,
  });
  try {
    await body(await portOf(server));
  } finally {
    server.process.kill('SIGTERM');
  }
  return server.ended;
}

/** The port of a server, as its banner says it. */
async function portOf(server: Child): Promise<string> {
  const match = await server.saw(/listens on 127\.0\.0\.1:(\d+)/);
  return match[1] ?? '';
}

describe('start', () => {
  test('serves in the foreground and ends with 0 on SIGTERM', async () => {
    const ending = await withServer(async (port) => {
      expect(await run(['cli', '-p', port, 'ping'])).toMatchObject({ code: 0, output: 'PONG\n' });
    });
    expect(ending).toMatchObject({ code: 0, signal: null, errors: '' });
    expect(ending.output).toMatch(/^\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* Ready to accept connections$/m);
  });

  test.each(['Ready to accept connections', 'Server initialized'])(
    'ends with 0 on SIGINT too, after "%s"',
    async (line) => {
      const server = runProgram(['start', '--port', '0', '--log-format', 'redis']);
      await server.saw(line);
      server.process.kill('SIGINT');
      expect(await server.ended).toMatchObject({ code: 0, signal: null });
    },
  );

  test('says address, io model, workers and version', async () => {
    const ending = await withServer(async () => undefined, '--workers', '3');
    expect(ending.output).toMatch(
      /redis-lite-native \d+\.\d+\.\d+ listens on 127\.0\.0\.1:\d+, io model events, workers 3/,
    );
  });

  test('logs JSON when its output is no terminal, and logfmt when asked', async () => {
    const json = runProgram(['start', '--port', '0', '--json']);
    await json.saw('Ready to accept connections');
    json.process.kill('SIGTERM');
    const [first = ''] = (await json.ended).output.split('\n');
    expect(JSON.parse(first)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) });
    const logfmt = runProgram(['start', '--port', '0'], { env: { REDIS_LITE_LOG_FORMAT: 'logfmt' } });
    await logfmt.saw('msg="Ready to accept connections"');
    logfmt.process.kill('SIGTERM');
    expect((await logfmt.ended).code).toBe(0);
  });

  test('reads a configuration file and lets arguments win over it', async () => {
    const file = path.join(folder, 'start.conf');
    fs.writeFileSync(file, 'maxclients 11\ntimeout 12\n');
    const server = runProgram(['start', file, '--port', '0', '--maxclients', '13', '--log-format', 'redis']);
    const port = await portOf(server);
    expect((await run(['cli', '-p', port, 'config', 'get', 'maxclients'])).output).toBe('maxclients\n13\n');
    expect((await run(['cli', '-p', port, 'config', 'get', 'timeout'])).output).toBe('timeout\n12\n');
    server.process.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
  });

  test('ends with 1 and the typed error when the port is taken', async () => {
    await withServer(async (port) => {
      const second = await run(['start', '--port', port, '--bind', '127.0.0.1']);
      expect(second).toMatchObject({
        code: 1,
        errors: expect.stringContaining(`PORT_IN_USE: Port ${port} is already in use`),
      });
      expect(second.errors).toMatch(/[Aa]ddress already in use/);
    });
  });

  test.each([
    [['--prot', '1'], 'UNKNOWN_OPTION: --prot: Unknown option `prot`. Did you mean `port`?'],
    [['--port', 'x'], 'INVALID_OPTION: --port: Expected `port` to be an integer from 0 to 65535, got "x".'],
    [['nowhere.conf'], 'CONFIG_FILE: nowhere.conf: cannot read'],
  ])('%j ends with 2', async (args, text) => {
    expect(await run(['start', ...args])).toMatchObject({ code: 2, errors: expect.stringContaining(text) });
  });
});

describe('a daemon', () => {
  test('leaves a pidfile, logs to a file, and is stopped by the pidfile', async () => {
    const started = await run([
      'start',
      '--port',
      '0',
      '--bind',
      '127.0.0.1',
      '--daemonize',
      'yes',
      '--pidfile',
      'd.pid',
      '--logfile',
      'd.log',
    ]);
    expect(started).toMatchObject({ code: 0, errors: '' });
    const port = /127\.0\.0\.1:(\d+)/.exec(started.output)?.[1] ?? '';
    const pid = Number(fs.readFileSync(path.join(folder, 'd.pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).not.toThrow();
    expect((await run(['status', '-p', port, '--pidfile', 'd.pid', '--json'])).code).toBe(0);
    expect(await run(['stop', '--pidfile', 'd.pid'])).toMatchObject({ code: 0, output: `Stopped process ${pid}\n` });
    expect((await run(['status', '-p', port])).code).toBe(1);
    expect(fs.existsSync(path.join(folder, 'd.pid'))).toBe(false);
    expect(fs.readFileSync(path.join(folder, 'd.log'), 'utf8')).toContain('Ready to accept connections');
  });

  test('that cannot start tells why, and how it failed', async () => {
    await withServer(async (port) => {
      const daemon = await run(['start', '--port', port, '--bind', '127.0.0.1', '--daemonize', 'yes']);
      expect(daemon).toMatchObject({ code: 1, errors: expect.stringContaining('PORT_IN_USE') });
    });
    expect(await run(['start', '--port', 'x', '--daemonize', 'yes'])).toMatchObject({ code: 2 });
  });
});

describe('status and stop', () => {
  test('find a server by its port', async () => {
    const ending = await withServer(async (port) => {
      const status = await run(['status', '-p', port, '--json']);
      expect(JSON.parse(status.output)).toMatchObject({
        running: true,
        address: `127.0.0.1:${port}`,
        io_model: 'events',
      });
      expect(await run(['stop', '-p', port])).toMatchObject({ code: 0, output: `Stopped 127.0.0.1:${port}\n` });
      expect(await run(['status', '-p', port])).toMatchObject({
        code: 1,
        errors: expect.stringContaining('cannot connect'),
      });
      expect((await run(['stop', '-p', port])).code).toBe(1);
    });
    expect(ending.code).toBe(0);
  });

  test('a stop leaves a server of another make alone', async () => {
    const asked: string[] = [];
    const other = net.createServer((socket) =>
      socket.on('data', (chunk) => {
        asked.push(String(chunk));
        const text = '# Server\r\nredis_version:7.0.15\r\n';
        socket.write(`$${text.length}\r\n${text}\r\n`);
      }),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as net.AddressInfo;
    const stop = await run(['stop', '-p', String(port)]);
    other.close();
    expect(stop).toMatchObject({ code: 1, errors: expect.stringContaining('is not redis-lite-native') });
    expect(asked.join('')).not.toContain('SHUTDOWN');
  });

  test('a pidfile that is left over stops nobody', async () => {
    fs.writeFileSync(path.join(folder, 'old.pid'), `${process.pid}\n`);
    const stop = await run(['stop', '--pidfile', 'old.pid', '-p', '1']);
    expect(stop.code).toBe(1);
  });
});

describe('config', () => {
  test('prints each value with its source', async () => {
    const { code, output } = await run(['config', '--port', '7'], { env: { REDIS_LITE_MAXCLIENTS: '8' } });
    expect(code).toBe(0);
    expect(output).toContain('# --port\nport 7\n');
    expect(output).toContain('# REDIS_LITE_MAXCLIENTS\nmaxclients 8\n');
    expect(output).toContain('# default\ntimeout 0\n');
  });

  test('prints a configuration file that reads back as the same', async () => {
    const password = 'a "b" c';
    const first = path.join(folder, 'first.conf');
    const second = path.join(folder, 'second.conf');
    fs.writeFileSync(first, (await run(['config', '--requirepass', password, '--port', '0'])).output);
    fs.writeFileSync(second, (await run(['config', first])).output);
    type Values = { readonly [name: string]: { readonly value: unknown } };
    const values = async (file: string): Promise<[string, unknown][]> =>
      Object.entries(JSON.parse((await run(['config', file, '--json'])).output) as Values).map(([name, entry]) => [
        name,
        entry.value,
      ]);
    expect(await values(second)).toEqual(await values(first));
    expect(await values(second)).toContainEqual(['requirepass', password]);
  });
});

describe('cli', () => {
  test('runs one command, a script, and prints JSON', async () => {
    await withServer(async (port) => {
      expect(await run(['cli', '-p', port, 'set', 'k', 'two words'])).toMatchObject({ code: 0, output: 'OK\n' });
      const script = await run(['cli', '-p', port], { input: 'get k\n\nset n "5"\nincr n\n' });
      expect(script).toMatchObject({ code: 0, output: 'two words\nOK\n6\n' });
      const json = await run(['cli', '-p', port, '--json'], { input: 'mget k missing\nexists k\n' });
      expect(json.output).toBe('["two words",null]\n1\n');
    });
  });

  test('ends with 1 on an error reply and where no server is', async () => {
    await withServer(async (port) => {
      const error = await run(['cli', '-p', port, 'nope']);
      expect(error).toMatchObject({ code: 1, output: expect.stringContaining('ERR unknown command') });
    });
    expect(await run(['cli', '-p', '1', 'ping'])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('127.0.0.1:1: ECONNREFUSED'),
    });
  });
});

describe('the program itself', () => {
  test('has help with examples for itself and for each command, and ends with 0', async () => {
    for (const command of [[], ['start'], ['stop'], ['status'], ['config'], ['cli'], ['completion']]) {
      const help = await run([...command, '--help']);
      expect(help).toMatchObject({ code: 0, errors: '' });
      expect(help.output).toContain('Examples:');
    }
  });

  test('tells its version', async () => {
    expect((await run(['--version'])).output).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([[[]], [['nope']], [['stop', '--nope']], [['stop', '-p', 'x']], [['completion', 'csh']]])(
    '%j is wrong usage: 2',
    async (args) => {
      expect((await run(args)).code).toBe(2);
    },
  );

  test.each(['bash', 'zsh', 'fish'])('prints completions for %s', async (shell) => {
    const { code, output } = await run(['completion', shell]);
    expect(code).toBe(0);
    expect(output).toContain('maxclients');
  });
});

/** Runs the program on a terminal of its own; `script` of util-linux makes one. */
const onTerminal = process.platform === 'linux' && fs.existsSync('/usr/bin/script') ? test : test.skip;

onTerminal('on a terminal there are a banner and colours, and NO_COLOR takes the colours away', async () => {
  const program = path.join(__dirname, '../../dist/cli/main.js');
  // Without exec a shell stays between the terminal and the program, and may die of the Ctrl+C itself.
  const command = `exec ${process.execPath} ${program} start --port 0 --bind 127.0.0.1`;
  for (const noColor of ['', '1']) {
    const env = { ...cleanEnvironment(), NO_COLOR: noColor, TERM: 'xterm' };
    const terminal = watch(
      spawn('/usr/bin/script', ['-qec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'pipe'] }),
    );
    await terminal.saw(/pid.{5,12}\d+\s+/);
    // Ctrl+C, as a person types it.
    terminal.process.stdin?.write('\x03');
    const { code, output } = await terminal.ended;
    expect(code).toBe(0);
    expect(output).toContain('* Ready to accept connections');
    expect(output).toMatch(/address.{2,8}127\.0\.0\.1:\d+/);
    expect(output.includes('\x1b[1mredis-lite-native')).toBe(noColor === '');
  }
});
