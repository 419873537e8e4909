/** `cli`: a small client, for one command, for a script on standard input, or for a person. */

import readline from 'node:readline';
import { splitWords } from '../config/words';
import { ReplyError } from '../errors';
import { Connection, type ConnectionTarget } from './connection';
import { jsonOf, plain, pretty } from './print';
import { Push, type RespValue } from './resp';
import { painterFor } from './style';

/** What `cli` was asked for. */
export interface ClientRequest {
  readonly target: ConnectionTarget;
  readonly database: number;
  readonly resp: 2 | 3;
  readonly json: boolean;
  /** Replies as lines without decoration. */
  readonly raw: boolean;
  /** One command, or nothing. */
  readonly words: readonly string[];
}

/** After these the server speaks and the client listens. */
const LISTENING = new Set(['monitor', 'subscribe', 'psubscribe', 'ssubscribe']);

/** Sends commands and prints what comes back. */
export class Client {
  readonly request: ClientRequest;
  database: number;
  #connection: Connection | undefined;

  constructor(request: ClientRequest) {
    this.request = request;
    this.database = request.database;
  }

  /** The open connection; connects again when the last one has ended. */
  async connection(): Promise<Connection> {
    if (this.#connection === undefined || this.#connection.closed) {
      const connection = await Connection.open(this.request.target);
      connection.onUnasked = (value) => this.print(value);
      if (this.request.resp === 3) {
        await connection.send(['HELLO', '3']);
      }
      if (this.database !== 0) {
        await connection.call(['SELECT', String(this.database)]);
      }
      this.#connection = connection;
    }
    return this.#connection;
  }

  /** Runs one command; false when it is answered with an error. */
  async run(words: readonly string[]): Promise<boolean> {
    const connection = await this.connection();
    const name = words[0]?.toLowerCase() ?? '';
    if (LISTENING.has(name)) {
      await this.#listen(connection, words);
      return true;
    }
    const reply = await connection.send(words);
    if (name === 'select' && !(reply instanceof ReplyError)) {
      this.database = Number(words[1]);
    }
    this.print(reply);
    return !(reply instanceof ReplyError);
  }

  /** Prints one reply in the form that was asked for. */
  print(value: RespValue): void {
    const shown = value instanceof Push ? value.items : value;
    if (this.request.json) {
      process.stdout.write(`${JSON.stringify(jsonOf(shown))}\n`);
    } else if (this.request.raw) {
      process.stdout.write(`${plain(shown)}\n`);
    } else {
      process.stdout.write(`${pretty(shown, painterFor(process.stdout))}\n`);
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#connection?.close();
  }

  #listen(connection: Connection, words: readonly string[]): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      connection.onClose = resolve;
    });
    connection.post(words);
    return closed;
  }
}

/** Runs each line of standard input as a command. */
async function runScript(client: Client): Promise<boolean> {
  let allRight = true;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const words = splitWords(line);
    if (words === null) {
      process.stderr.write(`redis-lite-native: expected a closing quote in: ${line}\n`);
      allRight = false;
    } else if (words.length > 0) {
      allRight = (await client.run(words)) && allRight;
    }
  }
  return allRight;
}

/** Runs `cli`; resolves with the exit code. */
export async function cli(request: ClientRequest): Promise<number> {
  const client = new Client(request);
  try {
    if (request.words.length > 0) {
      return (await client.run(request.words)) ? 0 : 1;
    }
    if (process.stdin.isTTY !== true) {
      return (await runScript(client)) ? 0 : 1;
    }
    // Required here: line editing is for people only.
    const { converse } = require('./converse') as typeof import('./converse');
    await converse(client);
    return 0;
  } finally {
    client.close();
  }
}
