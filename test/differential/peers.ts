/** The two servers that differential tests compare: ours, in this process, and redis-server. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../lib';
import { describeWith, findProgram } from '../support/peers';
import type { Target } from '../support/wire-client';
import { ReplyClient } from './client';

/** A running server that clients can connect to. */
export interface Peer {
  connect(protocol?: 2 | 3): Promise<ReplyClient>;
  close(): Promise<void>;
}

/** The two servers under comparison. */
export interface Pair {
  readonly ours: Peer;
  readonly redis: Peer;
}

const DATABASES = 16;

/**
 * As `describe`, for tests that compare the two: they run from before the first test of `body` until
 * behind its last hook, and `pair` gives them to tests and hooks.
 */
export function describePair(name: string, body: (pair: () => Pair) => void): void {
  describeWith(['redis-server'], name, () => {
    let running: Pair | undefined;

    beforeAll(async () => {
      const [ours, redis] = await Promise.all([startOurs(), startRedis()]);
      running = { ours, redis };
    });

    body(() => {
      if (running === undefined) throw new Error('the two servers do not run');
      return running;
    });

    afterAll(() => Promise.all([running?.ours.close(), running?.redis.close()]));
  });
}

/** Starts our server on a free port. */
async function startOurs(): Promise<Peer> {
  const server = createServer({ port: 0, databases: DATABASES, logLevel: 'warning', enableDebugCommand: 'yes' });
  await server.start();
  const { port } = server;
  return {
    connect: (protocol = 2) => ReplyClient.connect(port, protocol),
    close: () => server.stop(),
  };
}

/** Starts redis-server on a Unix socket of its own, with nothing persisted. */
async function startRedis(): Promise<Peer> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new Error('there is no redis-server on PATH');
  const folder = mkdtempSync(join(tmpdir(), 'rln-redis-'));
  const socket = join(folder, 'redis.sock');
  const directives = {
    port: 0,
    unixsocket: socket,
    dir: folder,
    save: '',
    databases: DATABASES,
    'enable-debug-command': 'yes',
  };
  const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(program, args, { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await untilReachable(socket);
  return {
    connect: (protocol = 2) => ReplyClient.connect(socket, protocol),
    close: async () => {
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function untilReachable(target: Target): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      (await ReplyClient.connect(target)).close();
      return;
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
