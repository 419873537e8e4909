/** Strings in a Map: the commands of the pure-JavaScript servers. */

type Handler = (store: PureJsStore, args: readonly string[]) => string;

const OK = '+OK\r\n';
const NULL = '$-1\r\n';
const SYNTAX = '-ERR syntax error\r\n';
const NOT_AN_INTEGER = '-ERR value is not an integer or out of range\r\n';

function bulk(value: string | undefined): string {
  return value === undefined ? NULL : `$${value.length}\r\n${value}\r\n`;
}

function wrongCount(args: readonly string[]): string {
  return `-ERR wrong number of arguments for '${(args[0] ?? '').toLowerCase()}' command\r\n`;
}

/** Keys, values and deadlines; expired keys are dropped when they are looked at. */
export class PureJsStore {
  readonly values: Map<string, string> = new Map();
  readonly deadlines: Map<string, number> = new Map();

  /** The value of a key that has not expired. */
  live(key: string): string | undefined {
    const value = this.values.get(key);
    if (value === undefined || this.deadlines.size === 0) {
      return value;
    }
    const deadline = this.deadlines.get(key);
    if (deadline === undefined || deadline > Date.now()) {
      return value;
    }
    this.remove(key);
    return undefined;
  }

  /** Stores a value without a deadline. */
  put(key: string, value: string): void {
    this.values.set(key, value);
    if (this.deadlines.size > 0) {
      this.deadlines.delete(key);
    }
  }

  /** Removes a key; false when it was not there. */
  remove(key: string): boolean {
    this.deadlines.delete(key);
    return this.values.delete(key);
  }

  /** Runs a command; the reply as RESP2 in latin1. */
  run(args: readonly string[]): string {
    const name = args[0] ?? '';
    const handler = HANDLERS.get(name) ?? HANDLERS.get(name.toUpperCase());
    return handler === undefined ? `-ERR unknown command '${name}'\r\n` : handler(this, args);
  }
}

function set(store: PureJsStore, args: readonly string[]): string {
  const [, key, value, unit, time] = args;
  if (key === undefined || value === undefined) {
    return wrongCount(args);
  }
  if (args.length > 3) {
    const scale = { EX: 1000, PX: 1 }[unit?.toUpperCase() ?? ''];
    const amount = Number(time);
    if (scale === undefined || args.length !== 5) {
      return SYNTAX;
    }
    if (!Number.isSafeInteger(amount) || amount <= 0) {
      return NOT_AN_INTEGER;
    }
    store.values.set(key, value);
    store.deadlines.set(key, Date.now() + amount * scale);
    return OK;
  }
  store.put(key, value);
  return OK;
}

function increment(store: PureJsStore, args: readonly string[]): string {
  const key = args[1];
  if (key === undefined || args.length !== 2) {
    return wrongCount(args);
  }
  const value = store.live(key) ?? '0';
  const next = Number(value) + 1;
  if (!/^-?\d+$/.test(value) || !Number.isSafeInteger(next)) {
    return NOT_AN_INTEGER;
  }
  store.values.set(key, String(next));
  return `:${next}\r\n`;
}

function setMany(store: PureJsStore, args: readonly string[]): string {
  if (args.length < 3 || args.length % 2 === 0) {
    return wrongCount(args);
  }
  for (let i = 1; i + 1 < args.length; i += 2) {
    store.put(args[i] ?? '', args[i + 1] ?? '');
  }
  return OK;
}

function getMany(store: PureJsStore, args: readonly string[]): string {
  let reply = `*${args.length - 1}\r\n`;
  for (let i = 1; i < args.length; i++) {
    reply += bulk(store.live(args[i] ?? ''));
  }
  return reply;
}

function countWhere(args: readonly string[], test: (key: string) => boolean): string {
  return `:${args.slice(1).filter(test).length}\r\n`;
}

function getAndSet(store: PureJsStore, args: readonly string[]): string {
  const [, key, value] = args;
  if (key === undefined || value === undefined || args.length !== 3) {
    return wrongCount(args);
  }
  const before = store.live(key);
  store.put(key, value);
  return bulk(before);
}

function flush(store: PureJsStore): string {
  store.values.clear();
  store.deadlines.clear();
  return OK;
}

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['GET', (store, args) => (args.length === 2 ? bulk(store.live(args[1] ?? '')) : wrongCount(args))],
  ['SET', set],
  ['INCR', increment],
  ['MGET', getMany],
  ['MSET', setMany],
  ['GETSET', getAndSet],
  ['DEL', (store, args) => countWhere(args, (key) => store.live(key) !== undefined && store.remove(key))],
  ['EXISTS', (store, args) => countWhere(args, (key) => store.live(key) !== undefined)],
  ['DBSIZE', (store) => `:${store.values.size}\r\n`],
  ['FLUSHALL', flush],
  ['PING', (_, args) => (args.length > 1 ? bulk(args[1]) : '+PONG\r\n')],
]);
