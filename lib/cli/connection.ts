/** A connection to a server, for the commands that talk to one. */

import net from 'node:net';
import { ReplyError } from '../errors';
import { CommandError } from './exit';
import { encodeCommand, Push, RespDecoder, type RespValue } from './resp';

/** Where a server is, and who asks. */
export interface ConnectionTarget {
  readonly host: string;
  readonly port: number;
  readonly socket?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** The target in one word: a path, or host and port. */
export function describeTarget(target: ConnectionTarget): string {
  return target.socket ?? `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
}

interface Pending {
  resolve(value: RespValue): void;
  reject(error: Error): void;
}

const CONNECT_TIMEOUT_MS = 5000;

/** One connection; calls are answered in the order in which they were made. */
export class Connection {
  readonly #socket: net.Socket;
  readonly #decoder = new RespDecoder();
  #pending: Pending[] = [];
  #closed = false;
  /** Hears what the server sends without having been asked. */
  onUnasked: (value: RespValue) => void = () => undefined;
  /** Hears the end of the connection. */
  onClose: () => void = () => undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new CommandError('the server closed the connection')));
  }

  /** Connects and, when the target says who asks, authenticates. */
  static async open(target: ConnectionTarget): Promise<Connection> {
    const connection = new Connection(await connect(target));
    if (target.password !== undefined) {
      await connection.call(['AUTH', ...(target.user === undefined ? [] : [target.user]), target.password]);
    }
    return connection;
  }

  /** True when the connection has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Sends a command and resolves with its reply, an error reply included. */
  send(args: readonly (string | Buffer)[]): Promise<RespValue> {
    if (this.#closed) {
      return Promise.reject(new CommandError('the server closed the connection'));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ resolve, reject });
      this.#socket.write(encodeCommand(args));
    });
  }

  /** The same as {@link send}, but an error reply rejects. */
  async call(args: readonly (string | Buffer)[]): Promise<RespValue> {
    const reply = await this.send(args);
    if (reply instanceof ReplyError) {
      throw reply;
    }
    return reply;
  }

  /** Sends a command whose replies are all heard by {@link onUnasked}: MONITOR, SUBSCRIBE. */
  post(args: readonly (string | Buffer)[]): void {
    this.#socket.write(encodeCommand(args));
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    try {
      for (const value of this.#decoder.push(chunk)) {
        const pending = value instanceof Push ? undefined : this.#pending.shift();
        if (pending === undefined) {
          this.onUnasked(value);
        } else {
          pending.resolve(value);
        }
      }
    } catch (error) {
      this.#end(new CommandError(error instanceof Error ? error.message : String(error)));
      this.#socket.destroy();
    }
  }

  #end(error: Error): void {
    if (!this.#closed) {
      this.#closed = true;
      for (const pending of this.#pending.splice(0)) {
        pending.reject(error);
      }
      this.onClose();
    }
  }
}

function connect(target: ConnectionTarget): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(
      target.socket === undefined ? { host: target.host, port: target.port } : { path: target.socket },
    );
    const fail = (detail: string): void => {
      socket.destroy();
      reject(new CommandError(`cannot connect to ${describeTarget(target)}: ${detail}`));
    };
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
