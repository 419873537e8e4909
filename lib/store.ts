/** The store, in the same process and without a socket. */

import type { NativeCall, NativeServer } from './binding';
import { ReplyError } from './errors';
import { REPLY_MAKERS, type Reply } from './reply';

/** An argument of a command.  Numbers are sent as their decimal text. */
export type CommandArgument = string | number | bigint | Uint8Array;

/** When and for how long {@link Store.set} sets. */
export interface SetOptions {
  /** Only when the key does not exist (`nx`) or does (`xx`). */
  readonly when?: 'nx' | 'xx';
  /** Time to live in milliseconds. */
  readonly expireMs?: number;
  /** Keeps the time to live that the key has. */
  readonly keepTtl?: boolean;
}

/**
 * Commands against the server's store, run at once on the calling thread.  It works
 * before the start and after the stop too: the store lives as long as the server object.
 *
 * @example
 * ```ts
 * server.store.set('user:1', 'alice', { expireMs: 60_000 });
 * server.store.get('user:1'); // 'alice'
 * server.store.call('INCRBY', 'visits', 5); // 5
 * ```
 */
export class Store {
  readonly #native: Pick<NativeServer, 'createClient'>;
  #client: NativeCall | undefined;

  /** @internal */
  constructor(native: Pick<NativeServer, 'createClient'>) {
    this.#native = native;
  }

  /** The string at `key`, or null when there is none. */
  get(key: string | Uint8Array): string | null {
    return this.#run(['GET', key], false) as string | null;
  }

  /** The bytes at `key`, or null when there is none. */
  getBuffer(key: string | Uint8Array): Buffer | null {
    return this.#run(['GET', key], true) as Buffer | null;
  }

  /** Stores `value` under `key`; false when `options.when` kept it from doing so. */
  set(key: string | Uint8Array, value: CommandArgument, options: SetOptions = {}): boolean {
    const args: (string | Uint8Array)[] = ['SET', key, argument(value)];
    if (options.when !== undefined) {
      args.push(options.when);
    }
    if (options.expireMs !== undefined) {
      args.push('PX', String(options.expireMs));
    }
    if (options.keepTtl === true) {
      args.push('KEEPTTL');
    }
    return this.#run(args, false) !== null;
  }

  /** Deletes keys and tells how many there were. */
  del(...keys: readonly (string | Uint8Array)[]): number {
    return keys.length === 0 ? 0 : (this.#run(['DEL', ...keys], false) as number);
  }

  /**
   * Runs any command and gives its RESP3 reply.
   *
   * @throws {@link ReplyError} when the reply is an error.  Errors inside an array are values.
   */
  call(...args: readonly [command: string, ...rest: CommandArgument[]]): Reply {
    return this.#run(args.map(argument), false);
  }

  /** The same as {@link call}, with bulk strings as Buffers. */
  callBuffer(...args: readonly [command: string, ...rest: CommandArgument[]]): Reply {
    return this.#run(args.map(argument), true);
  }

  #run(args: readonly (string | Uint8Array)[], buffers: boolean): Reply {
    this.#client ??= this.#native.createClient(REPLY_MAKERS);
    const reply = this.#client(args, buffers) as Reply;
    if (reply instanceof ReplyError) {
      // Made by native code, so its stack starts here for the reader's sake.
      Error.captureStackTrace(reply, this.#run);
      throw reply;
    }
    return reply;
  }
}

function argument(value: CommandArgument): string | Uint8Array {
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
}
