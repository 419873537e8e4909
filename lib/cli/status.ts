/** `status`: says whether a server runs, and how it is. */

import { type InfoValue, parseInfo, type ServerInfo } from '../info';
import { Connection, type ConnectionTarget, describeTarget } from './connection';
import { CommandError } from './exit';
import { isServerProcess, readPidfile } from './pidfile';
import { type Painter, painterFor } from './style';

/** What to look at. */
export interface StatusRequest {
  readonly pidfile: string | null;
  readonly target: ConnectionTarget;
  readonly json: boolean;
}

type Fields = { readonly [name: string]: InfoValue };

function keyCount(info: ServerInfo): number {
  const databases = Object.values(info.keyspace ?? {});
  return databases.reduce<number>(
    (sum, database) => sum + (typeof database === 'object' ? Number(database.keys ?? 0) : 0),
    0,
  );
}

function summary(target: ConnectionTarget, info: ServerInfo): Fields {
  const { server = {}, clients = {}, memory = {} } = info;
  return {
    running: 'yes',
    address: describeTarget(target),
    pid: server.process_id ?? 0,
    version: server.redis_lite_native_version ?? server.redis_version ?? '',
    io_model: server.io_model ?? '',
    workers: server.workers ?? server.io_workers ?? '',
    uptime_seconds: server.uptime_in_seconds ?? 0,
    clients: clients.connected_clients ?? 0,
    maxclients: clients.maxclients ?? '',
    used_memory: memory.used_memory_human ?? memory.used_memory ?? '',
    keys: keyCount(info),
  };
}

function show(fields: Fields, paint: Painter): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${paint('dim', name.replaceAll('_', ' ').padEnd(15))} ${String(value)}\n`)
    .join('');
}

/** Prints the state of the server; fails when it does not answer. */
export async function status(request: StatusRequest): Promise<void> {
  const pid = request.pidfile === null ? null : readPidfile(request.pidfile);
  if (request.pidfile !== null && (pid === null || !isServerProcess(pid))) {
    throw new CommandError(`no server runs under ${request.pidfile}`);
  }
  const connection = await Connection.open(request.target);
  try {
    const info = parseInfo(String(await connection.call(['INFO'])));
    const fields = summary(request.target, info);
    if (pid !== null && fields.pid !== pid) {
      throw new CommandError(
        `process ${pid} runs, but ${describeTarget(request.target)} is process ${String(fields.pid)}: ` +
          'say its address with --port or --socket',
      );
    }
    const json = (): string => `${JSON.stringify({ ...fields, running: true })}\n`;
    process.stdout.write(request.json ? json() : show(fields, painterFor(process.stdout)));
  } finally {
    connection.close();
  }
}
