/** `stop`: ends a server gracefully, found by its pidfile or its address. */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseInfo } from '../info';
import { Connection, type ConnectionTarget, describeTarget } from './connection';
import { CommandError } from './exit';
import { isOurs } from './ours';
import { isServerProcess, readPidfile } from './pidfile';

/** How the server is found. */
export interface StopRequest {
  /** A pidfile to look at first, or null. */
  readonly pidfile: string | null;
  readonly target: ConnectionTarget;
  readonly timeoutMs: number;
  readonly json: boolean;
}

async function waitUntil(gone: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await gone())) {
    if (Date.now() > deadline) {
      throw new CommandError(`the server has not stopped after ${timeoutMs / 1000} seconds`);
    }
    await sleep(20);
  }
}

async function stopProcess(pid: number, timeoutMs: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await waitUntil(() => !isServerProcess(pid), timeoutMs);
}

/** SHUTDOWN ends any Redis server: only one of ours may get it from us. */
async function requireOurs(connection: Connection, target: ConnectionTarget): Promise<void> {
  const info = parseInfo(String(await connection.call(['INFO', 'server'])));
  if (!isOurs(info)) {
    throw new CommandError(`the server at ${describeTarget(target)} is not redis-lite-native: it was left alone`);
  }
}

async function stopAt(target: ConnectionTarget, timeoutMs: number): Promise<void> {
  const connection = await Connection.open(target);
  try {
    await requireOurs(connection, target);
    // The reply to SHUTDOWN is the end of the connection, or an error.
    await connection.call(['SHUTDOWN']).catch((error: unknown) => {
      if (!connection.closed) {
        throw error;
      }
    });
    await waitUntil(() => connection.closed, timeoutMs);
  } finally {
    connection.close();
  }
}

/** Stops the server and says so. */
export async function stop(request: StopRequest): Promise<void> {
  const pid = request.pidfile === null ? null : readPidfile(request.pidfile);
  let what: string;
  if (pid !== null && isServerProcess(pid)) {
    await stopProcess(pid, request.timeoutMs);
    what = `process ${pid}`;
  } else {
    await stopAt(request.target, request.timeoutMs);
    what = describeTarget(request.target);
  }
  process.stdout.write(request.json ? `${JSON.stringify({ stopped: what })}\n` : `Stopped ${what}\n`);
}
