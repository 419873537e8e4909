/** A client that shows the very bytes: raw sockets, RESP2, RESP3 and plain lines. */
import { connect, type Socket } from 'node:net';

/** Where to connect to: a TCP port of this machine, a host's, or a Unix socket. */
export type Target = number | string | { readonly host: string; readonly port: number };

/** One command as RESP writes it. */
export function encode(...args: readonly (string | Buffer)[]): Buffer {
  const parts = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.from(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'));
  }
  return Buffer.concat(parts);
}

/** Lines that say how many elements follow, and how many replies an element is. */
const AGGREGATES: ReadonlyMap<string, number> = new Map([
  ['*', 1],
  ['~', 1],
  ['>', 1],
  ['%', 2],
  ['|', 2],
]);
const BULKS: ReadonlySet<string> = new Set(['$', '=', '!']);

/** Finds the ends of replies in bytes that come in pieces; never looks at a byte twice. */
class ReplyScanner {
  #open = 1;
  #position = 0;
  #searched = 0;

  /** The length of the first whole reply, or -1; the bytes so far must be passed again with more behind them. */
  scan(bytes: Buffer): number {
    while (this.#open > 0) {
      const end = bytes.indexOf('\r\n', Math.max(this.#position, this.#searched - 1), 'latin1');
      if (end < 0) {
        this.#searched = bytes.length;
        return -1;
      }
      const head = String.fromCharCode(bytes[this.#position] ?? 0);
      const count = Number(bytes.toString('latin1', this.#position + 1, end));
      const next = BULKS.has(head) && count >= 0 ? end + 2 + count + 2 : end + 2;
      if (next > bytes.length) return -1;
      const each = AGGREGATES.get(head) ?? 0;
      // An attribute (|) comes before the reply that it belongs to.
      this.#open += (count > 0 ? count * each : 0) - (head === '|' ? 0 : 1);
      this.#position = next;
    }
    return this.#position;
  }
}

/** Waits and looks again whenever something has come. */
type Attempt = (bytes: Buffer) => number;

/** One connection; its reads are taken in the order in which they are asked for, one at a time. */
export class RawClient {
  readonly socket: Socket;
  #chunks: Buffer[] = [];
  #size = 0;
  #ended = false;
  #error: Error | null = null;
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.#wakeAll();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#ended = true;
      this.#wakeAll();
    });
    socket.on('end', () => {
      this.#ended = true;
      this.#wakeAll();
    });
  }

  /** Connects; `allowHalfOpen` lets the client go on reading after its own end. */
  static connect(target: Target, options: { readonly allowHalfOpen?: boolean } = {}): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const where =
        typeof target === 'number'
          ? { host: '127.0.0.1', port: target }
          : typeof target === 'string'
            ? { path: target }
            : target;
      const socket = connect({ ...where, noDelay: true, ...options });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawClient(socket));
      });
    });
  }

  /** True when the other side has closed, or the connection broke. */
  get closed(): boolean {
    return this.#ended;
  }

  /** How the connection broke, or null. */
  get error(): Error | null {
    return this.#error;
  }

  /** Bytes that have come and were not read. */
  get unread(): number {
    return this.#size;
  }

  /** Hands bytes to the system; resolves when it has taken them all. */
  write(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      this.socket.write(data, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Hands bytes to the system, whatever becomes of them. */
  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => undefined);
  }

  /** Exactly `count` bytes. */
  read(count: number): Promise<Buffer> {
    return this.#take((bytes) => (bytes.length >= count ? count : -1), count);
  }

  /** A line with its line end, as latin1. */
  async readLine(): Promise<string> {
    const line = await this.#take((bytes) => bytes.indexOf('\n') + 1 || -1);
    return line.toString('latin1');
  }

  /** One whole reply as it came, as latin1. */
  async reply(): Promise<string> {
    return (await this.replyBytes()).toString('latin1');
  }

  /** One whole reply as it came. */
  replyBytes(): Promise<Buffer> {
    const scanner = new ReplyScanner();
    return this.#take((bytes) => scanner.scan(bytes));
  }

  /** Sends one command and gives its reply as it came. */
  async call(...args: readonly (string | Buffer)[]): Promise<string> {
    this.send(encode(...args));
    return this.reply();
  }

  /** Everything up to the end of the connection. */
  async readToEnd(): Promise<Buffer> {
    while (!this.#ended) await this.#more();
    return this.#cut(this.#size);
  }

  /** True when nothing comes within `ms`, neither bytes nor the end. */
  async isSilent(ms: number): Promise<boolean> {
    const until = Date.now() + ms;
    while (this.#size === 0 && !this.#ended && Date.now() < until) {
      await new Promise((done) => setTimeout(done, 5));
    }
    return this.#size === 0 && !this.#ended;
  }

  /** No more reading: what the other side sends stays with the system. */
  pause(): void {
    this.socket.pause();
  }

  /** Reads on. */
  resume(): void {
    this.socket.resume();
  }

  /** Ends politely (FIN) and waits for the other side. */
  async end(): Promise<void> {
    this.socket.end();
    this.socket.resume();
    while (!this.#ended) await this.#more();
    this.socket.destroy();
  }

  /** Breaks the connection (RST), as a pulled cable would look in the end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Lets go at once. */
  close(): void {
    this.socket.destroy();
  }

  async #take(attempt: Attempt, least = 1): Promise<Buffer> {
    for (;;) {
      if (this.#size >= least) {
        const count = attempt(this.#joined());
        if (count >= 0) return this.#cut(count);
      }
      if (this.#ended) {
        const rest = this.#joined().toString('latin1', 0, 200);
        throw new Error(`the connection ended (${this.#error?.message ?? 'closed'}), left: ${JSON.stringify(rest)}`);
      }
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) {
      this.#chunks = [Buffer.concat(this.#chunks)];
    }
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #cut(count: number): Buffer {
    const all = this.#joined();
    this.#chunks = count < all.length ? [all.subarray(count)] : [];
    this.#size = all.length - count;
    return all.subarray(0, count);
  }
}
