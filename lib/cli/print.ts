/** Replies as text for people, as plain lines for programs, and as JSON. */

import { ReplyError } from '../errors';
import { Push, type RespValue, Status } from './resp';
import type { Painter } from './style';

function quoted(bytes: Buffer | string): string {
  const text = typeof bytes === 'string' ? bytes : bytes.toString('utf8');
  // Bytes that are no UTF-8 are shown as they are, not as replacement characters.
  if (typeof bytes !== 'string' && !Buffer.from(text).equals(bytes)) {
    return `"${[...bytes].map(escapedByte).join('')}"`;
  }
  return JSON.stringify(text);
}

function escapedByte(byte: number): string {
  const char = String.fromCharCode(byte);
  if (char === '"' || char === '\\') {
    return `\\${char}`;
  }
  return byte >= 32 && byte < 127 ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
}

function items(lines: readonly (readonly [string, RespValue])[], indent: string, paint: Painter): string {
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines
    .map(([label, value], index) => {
      const head = `${label.padStart(width)} `;
      return `${index === 0 ? '' : indent}${head}${pretty(value, paint, indent + ' '.repeat(head.length))}`;
    })
    .join('\n');
}

function list(values: readonly RespValue[], empty: string, mark: string, indent: string, paint: Painter): string {
  if (values.length === 0) {
    return paint('dim', empty);
  }
  return items(
    values.map((value, index) => [`${index + 1}${mark}`, value]),
    indent,
    paint,
  );
}

function map(value: ReadonlyMap<RespValue, RespValue>, indent: string, paint: Painter): string {
  if (value.size === 0) {
    return paint('dim', '(empty hash)');
  }
  return [...value]
    .map(([key, entry], index) => {
      const head = `${index + 1}# ${pretty(key, paint, '')} => `;
      return `${index === 0 ? '' : indent}${head}${pretty(entry, paint, `${indent}   `)}`;
    })
    .join('\n');
}

/** A reply as redis-cli shows it on a terminal; texts of several lines are shown as they are. */
export function pretty(value: RespValue, paint: Painter, indent = ''): string {
  if (value === null) {
    return paint('dim', '(nil)');
  }
  if (value instanceof ReplyError) {
    return paint('red', `(error) ${value.message}`);
  }
  if (value instanceof Status) {
    return paint('green', value.text);
  }
  if (Buffer.isBuffer(value)) {
    return paint('yellow', quoted(value));
  }
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return paint('cyan', `(${value})`);
    case 'bigint':
      return paint('cyan', `(integer) ${value}`);
    case 'number':
      return paint('cyan', `(${Number.isInteger(value) ? 'integer' : 'double'}) ${value}`);
    default:
      return prettyAggregate(value, indent, paint);
  }
}

function prettyAggregate(
  value: Push | readonly RespValue[] | ReadonlyMap<RespValue, RespValue> | ReadonlySet<RespValue>,
  indent: string,
  paint: Painter,
): string {
  if (value instanceof Map) {
    return map(value, indent, paint);
  }
  if (value instanceof Set) {
    return list([...value], '(empty set)', '~', indent, paint);
  }
  const values = value instanceof Push ? value.items : [...(value as readonly RespValue[])];
  return list(values, '(empty array)', ')', indent, paint);
}

/** A reply without decoration, for pipes: one line for each value. */
export function plain(value: RespValue): string {
  if (value === null) {
    return '';
  }
  if (value instanceof ReplyError) {
    return value.message;
  }
  if (value instanceof Status) {
    return value.text;
  }
  if (Buffer.isBuffer(value) || typeof value !== 'object') {
    return value.toString();
  }
  if (value instanceof Map) {
    return [...value].flat().map(plain).join('\n');
  }
  return [...(value instanceof Push ? value.items : (value as Iterable<RespValue>))].map(plain).join('\n');
}

/** A reply as what JSON.stringify() takes. */
export function jsonOf(value: RespValue): unknown {
  if (value instanceof ReplyError) {
    return { error: value.message };
  }
  if (value instanceof Status) {
    return value.text;
  }
  if (Buffer.isBuffer(value) || typeof value === 'bigint') {
    return value.toString();
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, entry]) => [plain(key), jsonOf(entry)]));
  }
  if (value instanceof Push) {
    return value.items.map(jsonOf);
  }
  return typeof value === 'object' && value !== null ? [...(value as Iterable<RespValue>)].map(jsonOf) : value;
}
