/** The targets that can be named, and how each is started. */

import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';
import { nativeVersion } from '../binding';
import { Connection } from '../cli/connection';
import { UsageError } from '../cli/exit';
import { splitWords } from '../config/words';
import { parseInfo } from '../info';
import { type Pinning, pinnedWords } from './pinning';
import { freePort, Spawned } from './spawned';
import { InProcessTarget, SocketTarget, type Target } from './target';

/** How targets are started. */
export interface TargetSettings {
  readonly pinning: Pinning | null;
  /** Threads that may serve, where a server lets one choose. */
  readonly serverThreads: number;
  readonly connections: number;
  readonly password: string | null;
}

/** A target that has not been started. */
export interface TargetSpec {
  readonly name: string;
  readonly summary: string;
  /** Why it cannot be used here, with what would help; null when it can. */
  unavailable(): string | null;
  start(settings: TargetSettings): Promise<Target>;
}

const CLI = path.join(__dirname, '..', 'cli', 'main.js');

function here(file: string): string {
  return path.join(__dirname, file);
}

/** The version that INFO tells, or nothing. */
async function versionOf(port: number): Promise<string> {
  const connection = await Connection.open({ host: '127.0.0.1', port });
  try {
    const info = parseInfo(String(await connection.call(['INFO', 'server'])));
    const version = info['server']?.['redis_lite_native_version'] ?? info['server']?.['redis_version'];
    return version === undefined ? '' : ` ${String(version)}`;
  } catch {
    return '';
  } finally {
    connection.close();
  }
}

type WordsFor = (port: number, settings: TargetSettings) => readonly string[];

/** A target that is a program with a port. */
function program(
  name: string,
  summary: string,
  words: WordsFor,
  unavailable: () => string | null,
  version: (port: number) => Promise<string> | string = versionOf,
): TargetSpec {
  const start = async (settings: TargetSettings): Promise<Target> => {
    const port = await freePort();
    const spawned = new Spawned(pinnedWords(settings.pinning, words(port, settings)));
    await spawned.ready(name, port);
    const description = `${summary}${await version(port)}`;
    return new SocketTarget(name, description, { host: '127.0.0.1', port, password: null }, spawned);
  };
  return { name, summary, unavailable, start };
}

function always(): null {
  return null;
}

function ours(name: string, summary: string, directives: (settings: TargetSettings) => readonly string[]): TargetSpec {
  const words: WordsFor = (port, settings) => {
    const more = ['--log-format', 'redis', '--loglevel', 'warning'];
    return [process.execPath, CLI, 'start', '--port', String(port), ...more, ...directives(settings)];
  };
  return program(name, summary, words, always);
}

async function startInProcess(name: string, summary: string, settings: TargetSettings): Promise<Target> {
  const spawned = new Spawned(pinnedWords(settings.pinning, [process.execPath, here('in-process.js')]), true);
  const target = new InProcessTarget(name, `${summary} ${nativeVersion()}`, spawned);
  await target.ready();
  return target;
}

/** The folder of an installed package, looked for from the caller's folder and from ours. */
function packageFolder(name: string): string | null {
  try {
    return path.dirname(require.resolve(`${name}/package.json`, { paths: [process.cwd(), __dirname] }));
  } catch {
    // Packages that export no package.json are found by their folder.
    const folders = [process.cwd(), __dirname].flatMap((from) => {
      const parts = path.resolve(from).split(path.sep);
      return parts.map((_, i) => path.join(path.sep, ...parts.slice(0, parts.length - i), 'node_modules', name));
    });
    return folders.find((folder) => canRead(path.join(folder, 'package.json'))) ?? null;
  }
}

function canRead(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A server from npm, started by its own script. */
function fromNpm(name: string, script: string, args: (port: number) => readonly string[]): TargetSpec {
  const words: WordsFor = (port) => [process.execPath, path.join(packageFolder(name) ?? '', script), ...args(port)];
  const missing = (): string | null => (packageFolder(name) === null ? `try: npm install --no-save ${name}` : null);
  // What INFO tells is the Redis that it imitates.
  const version = (): string => {
    const { version: own } = JSON.parse(readFileSync(path.join(packageFolder(name) ?? '', 'package.json'), 'utf8')) as {
      readonly version: string;
    };
    return ` ${own}`;
  };
  return program(name, `${name} of npm`, words, missing, version);
}

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => canRead(path.join(folder, name)));
}

/** All named targets, in order. */
export const TARGETS: ReadonlyMap<string, TargetSpec> = new Map(
  [
    ours('ours', 'redis-lite-native, io-model events', ({ serverThreads }) => ['--workers', String(serverThreads)]),
    ours('ours-blocking', 'redis-lite-native, io-model blocking, a thread for each client', ({ connections }) => [
      ...['--io-model', 'blocking', '--workers', String(connections + 2)],
    ]),
    {
      name: 'ours-in-process',
      summary: 'redis-lite-native, store.get() and store.set() without a socket',
      unavailable: always,
      start: (settings: TargetSettings): Promise<Target> =>
        startInProcess('ours-in-process', 'redis-lite-native, in process', settings),
    },
    program(
      'pure-js',
      'a tight server in JavaScript, one thread',
      (port) => [process.execPath, here('pure-js-server.js'), String(port)],
      always,
    ),
    program(
      'pure-js-workers',
      'the same with sockets on one thread and keys on worker threads',
      (port, { serverThreads }) => [
        ...[process.execPath, here('pure-js-workers.js'), String(port), String(Math.max(2, serverThreads))],
      ],
      always,
    ),
    fromNpm('js-redis-server', 'dist/cli.js', (port) => ['--port', String(port)]),
    fromNpm('redis-dev-server', 'index.js', (port) => ['-a', '127.0.0.1', '-p', String(port), '-n']),
    program(
      'redis',
      'redis-server',
      (port, { serverThreads }) => [
        ...['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
        ...['--maxclients', '20000', '--io-threads', String(serverThreads)],
      ],
      () => (isOnPath('redis-server') ? null : 'there is no redis-server on PATH'),
    ),
  ].map((spec) => [spec.name, spec]),
);

function nameAndRest(text: string, option: string): readonly [string, string] {
  const [, name, rest] = /^([A-Za-z0-9_-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || rest === undefined) {
    throw new UsageError(`Expected \`${option}\` to be name=..., got '${text}'.`);
  }
  return [name, rest];
}

/** `name=host:port`: a server that runs already.  Its keys are left alone, but for those that are written. */
export function addressTarget(text: string): TargetSpec {
  const [name, address] = nameAndRest(text, '--target');
  const [, host = '', port = ''] = /^(?:\[?([^[\]]+)\]?:)?(\d{1,5})$/.exec(address) ?? [];
  const summary = `the server at ${address}`;
  if (port === '') {
    throw new UsageError(`Expected \`--target\` to be name=host:port, got '${text}'.`);
  }
  const start = ({ password }: TargetSettings): Promise<Target> =>
    Promise.resolve(
      new SocketTarget(name, summary, { host: host === '' ? '127.0.0.1' : host, port: Number(port), password }, null),
    );
  return { name, summary, unavailable: always, start };
}

/** `name=command {port}`: a command that starts a server. */
export function commandTarget(text: string): TargetSpec {
  const [name, command] = nameAndRest(text, '--spawn');
  const words = splitWords(command);
  if (words === null || !command.includes('{port}')) {
    throw new UsageError(`Expected \`--spawn\` to be name=command with {port} in it, got '${text}'.`);
  }
  return program(name, command, (port) => words.map((word) => word.replaceAll('{port}', String(port))), always);
}
