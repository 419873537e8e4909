/** Loggers for the formats of the `log-format` directive. */

import fs from 'node:fs';
import { PermissionDeniedError, StartFailedError } from '../errors';
import { logfmtLine } from './logfmt';
import { type LineWriter, type Logger, lineLogger } from './logger';
import { redisLine } from './redis-format';

/** What `log-format` may be, besides `auto`. */
export type LogFormat = 'redis' | 'json' | 'logfmt';

/** Chooses for `auto`: redis-server's lines for people and for a log file, JSON for a pipe. */
export function chooseFormat(asked: string, toFile: boolean): LogFormat {
  if (asked === 'redis' || asked === 'json' || asked === 'logfmt') {
    return asked;
  }
  return toFile || process.stdout.isTTY ? 'redis' : 'json';
}

/** A writer to standard output. */
export const toStandardOutput: LineWriter = (line) => {
  process.stdout.write(line);
};

/** A writer that appends to the file at `path`. */
export function toFile(path: string): LineWriter {
  try {
    const file = fs.openSync(path, 'a', 0o644);
    return (line) => {
      fs.writeSync(file, line);
    };
  } catch (error) {
    const { code = '', errno = 0, message } = error as NodeJS.ErrnoException;
    throw code === 'EACCES' || code === 'EPERM'
      ? new PermissionDeniedError(`log file: ${message}`)
      : new StartFailedError(code, -errno, `log file: ${message}`);
  }
}

function jsonLogger(write: LineWriter): Logger {
  // Required here, because a daemon with another format does not need it in its memory.
  const { pino } = require('pino') as typeof import('pino');
  return pino({ level: 'trace', base: { pid: process.pid } }, { write });
}

/** A logger that writes lines of `format` to `write`. */
export function createLogger(format: LogFormat, write: LineWriter): Logger {
  switch (format) {
    case 'redis':
      return lineLogger(redisLine, write);
    case 'logfmt':
      return lineLogger(logfmtLine, write);
    case 'json':
      return jsonLogger(write);
  }
}
