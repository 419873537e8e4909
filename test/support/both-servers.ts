/** Tests that real clients run against our server and against redis-server alike: what they assert is Redis's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../lib/bench/spawned';
import { describeWith, findProgram } from './peers';
import { type Exit, ServerProcess } from './server';
import { RawClient } from './wire-client';

const ATTEMPTS = 400;
const RETRY_MS = 25;

/** A server in a process of its own. */
export interface RunningServer {
  readonly port: number;
  stop(): Promise<Exit>;
}

/** Starts a server with `directives`; on a free port unless they name one. */
export type StartServer = (directives?: readonly string[]) => Promise<RunningServer>;

/** The server that a group of tests runs against, and how to start another of its kind. */
export interface TestedServer {
  readonly port: number;
  readonly start: StartServer;
  /** Runs one command on a connection of its own and gives the reply as it came. */
  ask(...words: readonly string[]): Promise<string>;
}

/** redis-server with nothing persisted. */
class RedisProcess implements RunningServer {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<Exit>;
  readonly port: number;

  private constructor(program: string, port: number, directives: readonly string[]) {
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'rln-redis-'));
    const words = ['--port', String(port), '--bind', '127.0.0.1', '--dir', this.#folder, '--save', ''];
    this.#child = spawn(program, [...words, ...directives], { stdio: 'ignore' });
    this.#exited = new Promise((done) => this.#child.once('exit', (code, signal) => done({ code, signal })));
  }

  static async start(directives: readonly string[] = []): Promise<RedisProcess> {
    const program = findProgram('redis-server');
    if (program === undefined) throw new Error('there is no redis-server on PATH');
    const named = directives.indexOf('--port');
    for (let attempt = 0; attempt < 3; attempt++) {
      const port = named >= 0 ? Number(directives[named + 1]) : await freePort();
      const server = new RedisProcess(program, port, directives);
      if (await server.#serves()) return server;
      await server.stop();
    }
    throw new Error('redis-server did not start');
  }

  /** Waits until it answers; false when it has ended, as it does if another took the port. */
  async #serves(): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#child.exitCode !== null) return false;
      try {
        await (await RawClient.connect(this.port)).end();
        return this.#child.exitCode === null;
      } catch {
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
    return false;
  }

  async stop(): Promise<Exit> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGTERM');
      const killer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
      await this.#exited;
      clearTimeout(killer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
    return this.#exited;
  }
}

/** Starts redis-server. */
export const startRedisServer: StartServer = (directives) => RedisProcess.start(directives);

class Tested implements TestedServer {
  readonly start: StartServer;
  #server: RunningServer | undefined;

  constructor(start: StartServer) {
    this.start = start;
  }

  get port(): number {
    if (this.#server === undefined) throw new Error('the server has not been started');
    return this.#server.port;
  }

  async begin(directives: readonly string[]): Promise<void> {
    this.#server = await this.start(directives);
  }

  async end(): Promise<void> {
    expect(await this.#server?.stop()).toEqual({ code: 0, signal: null });
  }

  async ask(...words: readonly string[]): Promise<string> {
    const client = await RawClient.connect(this.port);
    try {
      return await client.call(...words);
    } finally {
      await client.end();
    }
  }
}

/** Runs a group of tests against ours and against redis-server, each started with `directives` for it. */
export function describeServers(
  name: string,
  body: (server: TestedServer) => void,
  directives: readonly string[] = [],
): void {
  const group = (start: StartServer) => (): void => {
    const server = new Tested(start);
    beforeAll(() => server.begin(directives));
    afterAll(() => server.end());
    body(server);
  };
  describe(`${name} with our server`, group(ServerProcess.start));
  describeWith(
    ['redis-server'],
    `${name} with redis-server`,
    group((more) => RedisProcess.start(more)),
  );
}

/** Closes what a test opened, the last first. */
export class Opened {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Gives `it` back, and closes it with the others. */
  keep<T extends { close(): Promise<unknown> }>(it: T): T {
    this.#closers.push(() => it.close());
    return it;
  }

  /** Calls `close` with the others. */
  later(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** A promise, and who settles it. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((done) => {
      this.open = done;
    });
  }
}
