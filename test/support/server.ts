/** Our server in a process of its own, started as a user starts it, and what the system tells of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { RawClient } from './wire-client';

const PROGRAM = resolve(__dirname, '..', '..', 'dist', 'cli', 'main.js');
const READY_MS = 20_000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How to start, besides directives. */
export interface StartOptions {
  /** The most descriptors that the process may have. */
  readonly openFiles?: number;
}

/** Runs `redis-lite-native <words>`; `openFiles` bounds its descriptors. */
export function spawnProgram(words: readonly string[], options: StartOptions = {}): ChildProcess {
  const own = [PROGRAM, ...words];
  const env = { ...process.env, NO_COLOR: '1' };
  if (options.openFiles === undefined) {
    return spawn(process.execPath, own, { stdio: ['ignore', 'pipe', 'pipe'], env });
  }
  const shell = `ulimit -n ${options.openFiles} && exec "$0" "$@"`;
  return spawn('sh', ['-c', shell, process.execPath, ...own], { stdio: ['ignore', 'pipe', 'pipe'], env });
}

/** A process that runs `start`. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  #output = '';
  #port = 0;

  private constructor(child: ChildProcess) {
    this.child = child;
    // 'close' and not 'exit': all output has been read by then.
    this.exited = new Promise((done) => child.once('close', (code, signal) => done({ code, signal })));
    const read = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  }

  /** Starts on a free port, unless `directives` name another, and waits until it serves. */
  static async start(directives: readonly string[] = [], options: StartOptions = {}): Promise<ServerProcess> {
    const words = ['start', '--port', '0', '--log-format', 'redis', ...directives];
    const server = new ServerProcess(spawnProgram(words, options));
    const ready = new Promise<void>((done) => {
      const look = (): void => {
        const line = /listens on (.*), io model/.exec(server.output);
        if (line === null) return;
        server.#port = Number(/:(\d+)(?:,|$)/.exec(line[1] ?? '')?.[1] ?? 0);
        server.child.stdout?.off('data', look);
        done();
      };
      server.child.stdout?.on('data', look);
    });
    const late = new Promise<'late'>((done) => setTimeout(() => done('late'), READY_MS).unref());
    const first = await Promise.race([ready, server.exited, late]);
    if (first !== undefined) {
      server.child.kill('SIGKILL');
      throw new Error(`the server did not start (${JSON.stringify(first)}):\n${server.output}`);
    }
    return server;
  }

  /** The process; the number belongs to the server itself, not to a shell around it. */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process was not started');
    return this.child.pid;
  }

  /** The TCP port, 0 without one. */
  get port(): number {
    return this.#port;
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  /** A connection to its port. */
  connect(): Promise<RawClient> {
    return RawClient.connect(this.#port);
  }

  /** Runs one command on a connection of its own. */
  async ask(...args: readonly string[]): Promise<string> {
    const client = await this.connect();
    try {
      return await client.call(...args);
    } finally {
      await client.end();
    }
  }

  /** The value of a field of INFO. */
  async info(field: string): Promise<string> {
    const text = await this.ask('INFO', 'everything');
    return new RegExp(`^${field}:(.*)\r$`, 'm').exec(text)?.[1] ?? '';
  }

  /** Sends a signal and waits for the end; kills what does not end within `patienceMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 10_000): Promise<Exit> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill(signal);
      const killer = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
      await this.exited;
      clearTimeout(killer);
    }
    return this.exited;
  }

  /** Descriptors that the process has open. Linux. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Bytes of memory that the process has in use. */
  residentBytes(): number {
    return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(this.pid)], { encoding: 'utf8' })) * 1024;
  }

  /** Processor time that the process has used, in milliseconds. Linux. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  }
}

/** As `describe`, for tests that look into /proc. */
export const describeLinux: jest.Describe = process.platform === 'linux' ? describe : describe.skip;

/** Tries again until `check` holds, and fails with what it gave last. */
export async function eventually<T>(look: () => T | Promise<T>, check: (value: T) => boolean, ms = 10_000): Promise<T> {
  const until = Date.now() + ms;
  for (;;) {
    const value = await look();
    if (check(value)) return value;
    if (Date.now() > until) throw new Error(`still ${String(value)} after ${ms} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

/** Many connections at once, a batch at a time. */
export async function connectMany(port: number, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const batch = Math.min(200, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: batch }, () => RawClient.connect(port)))));
  }
  return clients;
}

/**
 * A server for all tests of a file or a `describe`, whose hooks it adds: started with `directives` before the
 * first test; after the last it must end as it should. It is there in tests and hooks.
 */
export function serverForAll(directives: readonly string[] = []): () => ServerProcess {
  let server: ServerProcess | undefined;
  const running = (): ServerProcess => {
    if (server === undefined) throw new Error('the server does not run');
    return server;
  };

  beforeAll(async () => {
    server = await ServerProcess.start(directives);
  });

  afterAll(async () => {
    expect(await running().stop()).toEqual({ code: 0, signal: null });
  });

  return running;
}
