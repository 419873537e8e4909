/** The four sources of configuration: how they are read, checked and ordered. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createServer, type ServerOptions } from '../../lib';
import { readCommandLine } from '../../lib/config/argv';
import { camelName, directiveTable } from '../../lib/config/directives';
import { describeOrigin } from '../../lib/config/origin';
import { type ResolvedConfig, resolveConfig } from '../../lib/config/resolve';
import { nearest } from '../../lib/config/suggest';
import { joinWords, splitWords } from '../../lib/config/words';
import type { DirectiveOptions } from '../../lib/options';

let folder: string;
beforeAll(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rln-config-'));
});
afterAll(() => fs.rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = path.join(folder, name);
  fs.writeFileSync(file, text);
  return file;
}

function given(config: ResolvedConfig): Record<string, string> {
  return Object.fromEntries(
    config
      .given()
      .map(({ directive, lines, origin }) => [directive.name, `${lines.join('|')} @${describeOrigin(origin)}`]),
  );
}

function failure(options: ServerOptions): unknown {
  try {
    createServer(options);
  } catch (error) {
    return error;
  }
  return null;
}

/** Every key of DirectiveOptions; the compiler proves that none is missing and none invented. */
const TYPED_OPTIONS: { readonly [Key in keyof Required<DirectiveOptions>]: true } = {
  port: true,
  bind: true,
  unixsocket: true,
  unixsocketperm: true,
  tcpBacklog: true,
  protectedMode: true,
  tcpKeepalive: true,
  timeout: true,
  maxclients: true,
  databases: true,
  ioModel: true,
  workers: true,
  jobQueueLength: true,
  ioPoller: true,
  requirepass: true,
  user: true,
  aclfile: true,
  acllogMaxLen: true,
  aclPubsubDefault: true,
  protoMaxBulkLen: true,
  protoInlineMaxSize: true,
  protoMaxMultibulkLen: true,
  clientQueryBufferLimit: true,
  clientOutputBufferLimit: true,
  clientReplyPause: true,
  hz: true,
  dynamicHz: true,
  maxmemory: true,
  maxmemoryClients: true,
  maxmemoryPolicy: true,
  maxmemorySamples: true,
  lfuLogFactor: true,
  lfuDecayTime: true,
  slowlogLogSlowerThan: true,
  slowlogMaxLen: true,
  notifyKeyspaceEvents: true,
  logLevel: true,
  lazyfreeLazyEviction: true,
  lazyfreeLazyExpire: true,
  lazyfreeLazyServerDel: true,
  lazyfreeLazyUserDel: true,
  lazyfreeLazyUserFlush: true,
  hashMaxListpackEntries: true,
  hashMaxListpackValue: true,
  listMaxListpackSize: true,
  listCompressDepth: true,
  latencyMonitorThreshold: true,
  latencyTracking: true,
  latencyTrackingInfoPercentiles: true,
  trackingTableMaxKeys: true,
  mailboxLimit: true,
  busyReplyThreshold: true,
  luaMemoryLimit: true,
  luaReplyLimit: true,
  rdbcompression: true,
  sanitizeDumpPayload: true,
  setMaxIntsetEntries: true,
  setMaxListpackEntries: true,
  setMaxListpackValue: true,
  zsetMaxListpackEntries: true,
  zsetMaxListpackValue: true,
  hllSparseMaxBytes: true,
  streamNodeMaxBytes: true,
  streamNodeMaxEntries: true,
  dir: true,
  dbfilename: true,
  shutdownTimeout: true,
  enableDebugCommand: true,
  enableProtectedConfigs: true,
  logFormat: true,
  logFile: true,
};

/** Of the program only: a server inside another process neither daemonizes nor owns a pidfile. */
const PROGRAM_ONLY = ['daemonize', 'pidfile'];

describe('the table of directives', () => {
  test('has exactly the directives that the type of the options has', () => {
    const names = directiveTable()
      .all()
      .filter(({ name, fixed }) => !fixed && !PROGRAM_ONLY.includes(name))
      .map(({ name }) => camelName(name));
    expect(names.sort()).toEqual(Object.keys(TYPED_OPTIONS).sort());
  });

  test('has defaults that its own schema accepts', () => {
    const argv = directiveTable()
      .all()
      .flatMap(({ name, kind, fallback }) => [
        `--${name}`,
        kind === 'string' ? fallback.replace(/^""$/, '') : fallback,
      ]);
    expect(() => resolveConfig({ argv })).not.toThrow();
  });

  test('finds the name that a misspelt one meant', () => {
    expect(nearest('maxclient', ['maxmemory', 'maxclients'])).toBe('maxclients');
    expect(nearest('prot', ['port', 'bind'])).toBe('port');
    expect(nearest('zzzzzz', ['port', 'bind'])).toBeNull();
  });
});

describe('words of redis.conf', () => {
  test.each([
    ['bind 127.0.0.1 ::1', ['bind', '127.0.0.1', '::1']],
    ['requirepass "a \\"b\\" \\x41\\n"', ['requirepass', 'a "b" A\n']],
    ["requirepass 'it\\'s'", ['requirepass', "it's"]],
    ['save ""', ['save', '']],
    ['requirepass "open', null],
    ['requirepass "a"b', null],
  ])('%s', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  test('are quoted so that they read back the same', () => {
    const words = ['plain', '', 'two words', 'quo"te', "it's", 'new\nline', 'back\\slash', '\x01'];
    expect(splitWords(joinWords(words))).toEqual(words);
  });
});

describe('the command line', () => {
  test('is read as redis-server reads it', () => {
    const { configFile, assignments } = readCommandLine(['my.conf', '--port', '7777', '--save', '60', '1', '--hz=20']);
    expect(configFile).toBe('my.conf');
    expect(assignments.map(({ name, value }) => [name, value])).toEqual([
      ['port', ['7777']],
      ['save', ['60', '1']],
      ['hz', ['20']],
    ]);
  });

  test('takes values that look like options of other programs', () => {
    expect(given(resolveConfig({ argv: ['--slowlog-log-slower-than', '-1', '--bind', '-::1'] }))).toEqual({
      'slowlog-log-slower-than': '-1 @--slowlog-log-slower-than',
      bind: '-::1 @--bind',
    });
  });

  test('takes a switch without a value as yes', () => {
    expect(resolveConfig({ argv: ['--daemonize', '--port', '1'] }).flag('daemonize')).toBe(true);
  });

  test('splits a list that the shell kept together', () => {
    expect(given(resolveConfig({ argv: ['--bind', '127.0.0.1 ::1'] })).bind).toBe('127.0.0.1 ::1 @--bind');
  });
});

describe('the sources together', () => {
  test('win in the order file, environment, arguments, options', () => {
    const file = write('order.conf', 'port 1\nmaxclients 1\nhz 11\ntimeout 1\n');
    const config = resolveConfig({
      configFile: file,
      environment: { REDIS_LITE_PORT: '2', REDIS_LITE_MAXCLIENTS: '2', REDIS_LITE_HZ: '12', PATH: '/bin' },
      argv: ['--port', '3', '--maxclients', '3'],
      options: { port: 4 },
    });
    expect(given(config)).toEqual({
      port: '4 @options.port',
      maxclients: '3 @--maxclients',
      hz: '12 @REDIS_LITE_HZ',
      timeout: `1 @${file}:4`,
    });
  });

  test('leave defaults where nothing was said', () => {
    const port = resolveConfig({})
      .entries()
      .find(({ directive }) => directive.name === 'port');
    expect(port).toMatchObject({ lines: ['6379'], origin: { kind: 'default' } });
  });

  test('accept sizes as numbers and with units', () => {
    const text = (maxmemory: unknown): string => resolveConfig({ options: { maxmemory } }).text('maxmemory');
    expect([text(1048576), text('1mb'), text('1M'), text('2GB')]).toEqual([
      '1048576',
      '1048576',
      '1000000',
      '2147483648',
    ]);
  });

  test('accept the memory of clients as a part of maxmemory', () => {
    const text = (maxmemoryClients: unknown): string =>
      resolveConfig({ options: { maxmemoryClients } }).text('maxmemory-clients');
    expect([text('5%'), text('100%'), text('1mb'), text(0)]).toEqual(['5%', '100%', '1048576', '0']);
  });

  test('collect the lines of a directive that repeats, and replace them from a stronger source', () => {
    const file = write(
      'repeat.conf',
      'client-output-buffer-limit normal 1 1 1\nclient-output-buffer-limit pubsub 2 2 2\n',
    );
    const lines = (config: ResolvedConfig): readonly string[] | undefined =>
      config.entries().find(({ directive }) => directive.name === 'client-output-buffer-limit')?.lines;
    expect(lines(resolveConfig({ configFile: file }))).toEqual(['normal 1 1 1', 'pubsub 2 2 2']);
    const options = { clientOutputBufferLimit: ['normal 3 3 3', 'pubsub 4 4 4'] };
    expect(lines(resolveConfig({ configFile: file, options }))).toEqual(['normal 3 3 3', 'pubsub 4 4 4']);
  });

  test('read no environment unless it is passed in', () => {
    process.env.REDIS_LITE_PORT = '5';
    try {
      expect(createServer().configuration.text('port')).toBe('6379');
      expect(createServer({ environment: process.env }).configuration.text('port')).toBe('5');
    } finally {
      delete process.env.REDIS_LITE_PORT;
    }
  });

  test('name a configuration file in the environment, and leave variables of the package alone', () => {
    const environment = { REDIS_LITE_CONFIG: write('env.conf', 'port 8\n'), REDIS_LITE_NATIVE_PREBUILD: '/nowhere' };
    expect(resolveConfig({ environment }).text('port')).toBe('8');
  });
});

describe('includes', () => {
  test('are read where they stand, beside the file that names them, with wildcards', () => {
    fs.mkdirSync(path.join(folder, 'conf.d'));
    write('conf.d/10-a.conf', 'port 10\nmaxclients 10\n');
    write('conf.d/20-b.conf', 'maxclients 20\n');
    const file = write('main.conf', '# a comment\n\nport 1\ninclude conf.d/*.conf\nhz 20\n');
    const config = resolveConfig({ configFile: file });
    expect(given(config)).toEqual({
      port: `10 @${path.join(folder, 'conf.d/10-a.conf')}:1`,
      maxclients: `20 @${path.join(folder, 'conf.d/20-b.conf')}:1`,
      hz: `20 @${file}:5`,
    });
  });

  test('may stand on the command line', () => {
    const file = write('included.conf', 'hz 33\n');
    expect(given(resolveConfig({ argv: ['--port', '5', '--include', file] }))).toEqual({
      port: '5 @--port',
      hz: `33 @${file}:1`,
    });
  });

  test('that go round in a circle end in an error', () => {
    const file = write('circle.conf', 'include circle.conf\n');
    expect(failure({ configFile: file })).toMatchObject({ code: 'CONFIG_FILE' });
  });

  test('of a missing file name the line that asked for it', () => {
    const file = write('missing.conf', 'port 1\ninclude nowhere.conf\n');
    expect(failure({ configFile: file })).toMatchObject({ code: 'CONFIG_FILE', path: file, line: 2 });
  });
});

describe('mistakes', () => {
  test('in a file name the line and what was expected', () => {
    const file = write('bad.conf', 'hz 20\nport many\n');
    expect(failure({ configFile: file })).toMatchObject({
      code: 'INVALID_OPTION',
      option: 'port',
      message: `${file}:2: Expected \`port\` to be an integer from 0 to 65535, got "many".`,
    });
  });

  test('in a name suggest the nearest one, spelt as the source spells names', () => {
    const file = write('typo.conf', '\n\nmaxclient 7\n');
    expect(failure({ configFile: file })).toMatchObject({
      code: 'UNKNOWN_OPTION',
      message: `${file}:3: Unknown option \`maxclient\`. Did you mean \`maxclients\`?`,
    });
    expect(failure({ tcpBackLog: 1 } as ServerOptions)).toMatchObject({ suggestion: 'tcpBacklog' });
    expect(failure({ argv: ['--tcp-backlg', '1'] })).toMatchObject({
      suggestion: 'tcp-backlog',
      origin: '--tcp-backlg',
    });
  });

  test('in a quote name the line', () => {
    const file = write('quote.conf', 'requirepass "open\n');
    expect(failure({ configFile: file })).toMatchObject({ code: 'CONFIG_FILE', line: 1 });
  });

  test('of a missing file say so', () => {
    expect(failure({ configFile: '/nowhere/redis.conf' })).toMatchObject({
      code: 'CONFIG_FILE',
      message: '/nowhere/redis.conf: cannot read: the file /nowhere/redis.conf does not exist.',
    });
  });

  test('are told of features that Redis has and this server has not', () => {
    expect(failure({ argv: ['--appendonly', 'yes'] })).toMatchObject({
      code: 'INVALID_OPTION',
      message: '--appendonly: Expected `appendonly` to be no, because this server has no such feature, got "yes".',
    });
  });

  test.each([
    [{ port: 65536 }, 'an integer from 0 to 65535, got 65536'],
    [{ port: 1.5 }, 'an integer from 0 to 65535, got 1.5'],
    [{ ioModel: 'threads' }, 'one of events, blocking, got "threads"'],
    [
      { maxmemoryClients: '101%' },
      'a number of bytes such as 1048576, 100mb or 1gb, 0 or more, or a percentage up to 100%, got "101%"',
    ],
    [{ maxmemoryClients: -5 }, 'or a percentage up to 100%, got -5'],
    [{ maxmemory: '1tb' }, 'a number of bytes such as 1048576, 100mb or 1gb, 0 or more, got "1tb"'],
    [{ protectedMode: 'maybe' }, 'yes or no, got "maybe"'],
    [{ requirepass: null }, 'one text, got null'],
    [{ argv: ['--port'] }, 'an integer from 0 to 65535, got nothing'],
    [{ argv: ['--port', '1', '2'] }, 'an integer from 0 to 65535, got "1 2"'],
  ])('%j is refused', (options, text) => {
    expect(failure(options as unknown as ServerOptions)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(text),
    });
  });
});
