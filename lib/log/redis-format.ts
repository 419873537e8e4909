/** Lines as redis-server writes them: `1234:M 22 Nov 2026 14:00:00.000 * Ready to accept connections`. */

import { logfmtFields } from './logfmt';
import type { LogLevel } from './logger';

const MARKS: { readonly [Level in LogLevel]: string } = {
  trace: '.',
  debug: '-',
  info: '*',
  warn: '#',
  error: '#',
  fatal: '#',
};

const MONTHS: readonly string[] = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function timestamp(at: Date): string {
  const day = `${padded(at.getDate(), 2)} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  const time = `${padded(at.getHours(), 2)}:${padded(at.getMinutes(), 2)}:${padded(at.getSeconds(), 2)}`;
  return `${day} ${time}.${padded(at.getMilliseconds(), 3)}`;
}

/** Formats one record; fields, which redis-server does not have, follow the message as `name=value`. */
export function redisLine(level: LogLevel, at: Date, fields: object, message: string): string {
  const extra = logfmtFields(fields);
  const text = [message, extra].filter((part) => part !== '').join(' ');
  return `${process.pid}:M ${timestamp(at)} ${MARKS[level]} ${text}\n`;
}
