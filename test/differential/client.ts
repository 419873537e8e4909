/** A client that tells what a server does with a command: its reply, byte for byte, or the end. */
import { encodeCommand, quote } from '../support/resp';
import { RawClient, type Target } from '../support/wire-client';

/** What a reply ends with when the server closed the connection instead of completing it. */
export const CLOSED = '<closed>';

const PATIENCE_MS = 60_000;

export class ReplyClient {
  readonly #connection: RawClient;

  private constructor(connection: RawClient) {
    this.#connection = connection;
  }

  /** Connects, and switches to RESP3 when asked. */
  static async connect(target: Target, protocol: 2 | 3 = 2): Promise<ReplyClient> {
    const client = new ReplyClient(await RawClient.connect(target));
    if (protocol === 3) await client.run(['HELLO', '3']);
    return client;
  }

  /** Sends one command and waits for its reply. */
  run(argv: readonly (string | Buffer)[]): Promise<Buffer> {
    return this.exchange(encodeCommand(argv));
  }

  /** Sends bytes and waits for one reply; a connection that ends gives what there is, then {@link CLOSED}. */
  async exchange(bytes: Buffer): Promise<Buffer> {
    if (!this.#connection.closed) this.#connection.send(bytes);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no reply to ${quote(bytes.subarray(0, 200))}`)), PATIENCE_MS);
    });
    try {
      return await Promise.race([this.#replyOrEnd(), tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #replyOrEnd(): Promise<Buffer> {
    try {
      return await this.#connection.replyBytes();
    } catch {
      return Buffer.concat([await this.#connection.readToEnd(), Buffer.from(CLOSED)]);
    }
  }

  /** Ends the connection at once. */
  close(): void {
    this.#connection.close();
  }
}
