/** The options by which commands find a server. */

import { type Command, InvalidArgumentError } from 'commander';
import type { ConnectionTarget } from './connection';

/** What {@link addTargetOptions} parses into. */
export interface TargetOptions {
  readonly host: string;
  readonly port: number;
  readonly socket?: string;
  readonly user?: string;
  readonly password?: string;
}

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > 65535) {
    throw new InvalidArgumentError('Expected a port from 1 to 65535.');
  }
  return value;
}

/** Adds `--host`, `--port`, `--socket`, `--user` and `--password` to `command`. */
export function addTargetOptions(command: Command): Command {
  return command
    .option('--host <host>', 'the host of the server', '127.0.0.1')
    .option('-p, --port <port>', 'the port of the server', port, 6379)
    .option('-s, --socket <path>', 'the Unix socket of the server, instead of host and port')
    .option('--user <name>', 'the user to authenticate as')
    .option('-a, --password <password>', 'the password; REDISCLI_AUTH in the environment keeps it out of sight');
}

/** The target that `options` name. */
export function targetOf(options: TargetOptions): ConnectionTarget {
  const { host, socket, user } = options;
  return { host, port: options.port, socket, user, password: options.password ?? process.env.REDISCLI_AUTH };
}
