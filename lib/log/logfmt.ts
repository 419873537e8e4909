/** Lines of `name=value` pairs: `time=2026-11-22T14:00:00.000Z level=info pid=1234 msg="Ready ..."`. */

import type { LogLevel } from './logger';

function textOf(value: unknown): string {
  if (value instanceof Error) {
    return value.message;
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

function quoted(value: unknown): string {
  const text = textOf(value);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be quoted.
  return text === '' || /[\s"=\\\u0000-\u001f]/.test(text) ? JSON.stringify(text) : text;
}

/** `fields` as pairs, separated by spaces. */
export function logfmtFields(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(' ');
}

/** Formats one record. */
export function logfmtLine(level: LogLevel, at: Date, fields: object, message: string): string {
  const head = { time: at.toISOString(), level, pid: process.pid, msg: message };
  return `${logfmtFields({ ...head, ...fields })}\n`;
}
