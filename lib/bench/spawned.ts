/** Servers that the benchmark starts for itself. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CommandError } from '../cli/exit';

const START_MS = 15_000;
const STOP_MS = 5000;
const RETRY_MS = 25;

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    const end = (fine: boolean): void => {
      socket.destroy();
      resolve(fine);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** A child process in a folder of its own, which goes with it. */
export class Spawned {
  readonly child: ChildProcess;
  readonly #folder: string;
  readonly #exited: Promise<void>;
  #said = '';

  /** Starts `words`; with `ipc` it can be sent messages. */
  constructor(words: readonly string[], ipc = false) {
    const [program = '', ...args] = words;
    this.#folder = mkdtempSync(path.join(tmpdir(), 'redis-lite-native-bench-'));
    this.child = spawn(program, args, {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    });
    const listen = (chunk: Buffer): void => {
      this.#said = `${this.#said}${chunk.toString()}`.slice(-2000);
    };
    this.child.stdout?.on('data', listen);
    this.child.stderr?.on('data', listen);
    this.#exited = new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', (error) => {
        this.#said += error.message;
        resolve();
      });
    });
  }

  /** The process; taskset and sh replace themselves, so it is the server's own. */
  get pid(): number | null {
    return this.child.pid ?? null;
  }

  get #ended(): boolean {
    return this.child.pid === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Why it ended, as far as it said. */
  failure(name: string): CommandError {
    const lines = this.#said.trim().split('\n').slice(-3).join(' / ');
    return new CommandError(`${name} did not start${lines === '' ? '' : `: ${lines}`}`);
  }

  /** Resolves when `port` takes connections. */
  async ready(name: string, port: number): Promise<void> {
    const until = Date.now() + START_MS;
    while (!(await canConnect(port))) {
      if (this.#ended || Date.now() > until) {
        await this.stop();
        throw this.failure(name);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    if (this.#ended) {
      throw this.failure(name);
    }
  }

  /** Ends the process and removes its folder. */
  async stop(): Promise<void> {
    if (!this.#ended) {
      this.child.kill('SIGTERM');
      const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
      await this.#exited;
      clearTimeout(killer);
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The same at once, for an exit that cannot wait. */
  kill(): void {
    if (!this.#ended) {
      this.child.kill('SIGKILL');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
