/** Reads RESP2 and RESP3 from a socket, however the network cuts it. */

import { ReplyError } from '../errors';
import { REPLY_MAKERS } from '../reply';

/** A simple string such as `OK`, which is shown without quotes. */
export class Status {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A message that the server sent by itself. */
export class Push {
  readonly items: readonly RespValue[];

  constructor(items: readonly RespValue[]) {
    this.items = items;
  }
}

/** A value off the wire; bulk strings are Buffers. */
export type RespValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | Status
  | Push
  | ReplyError
  | readonly RespValue[]
  | ReadonlyMap<RespValue, RespValue>
  | ReadonlySet<RespValue>;

/** An aggregate whose items have not all come. */
interface Frame {
  readonly type: string;
  readonly items: RespValue[];
  left: number;
}

const NEWLINE = 10;

/** The value of a line of `type`, or undefined for the types that are more than a line. */
function lineValue(type: string, text: string): RespValue | undefined {
  switch (type) {
    case '+':
      return new Status(text);
    case '-':
      return new ReplyError(text);
    case ':':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case ',':
      return Number(text.replace('inf', 'Infinity'));
    case '#':
      return text === 't';
    case '(':
      return BigInt(text);
    case '_':
      return null;
    default:
      return undefined;
  }
}

function bulkValue(type: string, bytes: Buffer): RespValue {
  if (type === '$') {
    return bytes;
  }
  const text = bytes.toString('utf8');
  return type === '!' ? new ReplyError(text) : text.slice(4);
}

/** The value of a whole aggregate; undefined for attributes, which only say something about the next value. */
function aggregateValue({ type, items }: Frame): RespValue | undefined {
  switch (type) {
    case '>':
      return new Push(items);
    case '~':
      return new Set(items);
    case '%':
      return REPLY_MAKERS.map(items) as Map<RespValue, RespValue>;
    case '|':
      return undefined;
    default:
      return items;
  }
}

/** Collects bytes and gives values as they become complete; each byte is looked at once. */
export class RespDecoder {
  #chunks: Buffer[] = [];
  #waiting = 0;
  /** Bytes that must have come before there is anything new to read. */
  #needed = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #frames: Frame[] = [];

  /** The values that `chunk` completes. */
  push(chunk: Buffer): RespValue[] {
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
    if (this.#waiting < this.#needed) {
      return [];
    }
    this.#bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    this.#at = 0;
    this.#needed = 0;
    const values: RespValue[] = [];
    while (this.#element(values)) {
      // Each round reads one element.
    }
    const rest = this.#bytes.subarray(this.#at);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#waiting = rest.length;
    return values;
  }

  /** Reads one line, with the bulk that it announces; false when it has not all come. */
  #element(values: RespValue[]): boolean {
    const end = this.#bytes.indexOf(NEWLINE, this.#at);
    if (end < 0) {
      return false;
    }
    const type = String.fromCharCode(this.#bytes[this.#at] ?? 0);
    const text = this.#bytes.toString('utf8', this.#at + 1, end - 1);
    const value = lineValue(type, text);
    if (value !== undefined) {
      this.#at = end + 1;
      this.#complete(value, values);
      return true;
    }
    if ('$=!'.includes(type)) {
      return this.#bulk(type, Number(text), end + 1, values);
    }
    if (!'*>~%|'.includes(type)) {
      throw new TypeError(`Expected a RESP reply, got a byte ${JSON.stringify(type)}: is this a Redis server?`);
    }
    this.#at = end + 1;
    this.#open(type, Number(text), values);
    return true;
  }

  #bulk(type: string, length: number, start: number, values: RespValue[]): boolean {
    if (length < 0) {
      this.#at = start;
      this.#complete(null, values);
      return true;
    }
    if (this.#bytes.length < start + length + 2) {
      this.#needed = start - this.#at + length + 2;
      return false;
    }
    this.#at = start + length + 2;
    this.#complete(bulkValue(type, this.#bytes.subarray(start, start + length)), values);
    return true;
  }

  #open(type: string, count: number, values: RespValue[]): void {
    const frame: Frame = { type, items: [], left: type === '%' || type === '|' ? count * 2 : count };
    if (count > 0) {
      this.#frames.push(frame);
    } else {
      this.#complete(count < 0 ? null : aggregateValue(frame), values);
    }
  }

  /** Puts `value` where it belongs, and closes the aggregates that it fills. */
  #complete(value: RespValue | undefined, values: RespValue[]): void {
    let whole = value;
    while (whole !== undefined) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) {
        values.push(whole);
        return;
      }
      frame.items.push(whole);
      frame.left -= 1;
      if (frame.left > 0) {
        return;
      }
      this.#frames.pop();
      whole = aggregateValue(frame);
    }
  }
}

/** `args` as a RESP command. */
export function encodeCommand(args: readonly (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = typeof arg === 'string' ? Buffer.from(arg) : arg;
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}
