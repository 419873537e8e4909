/** A server that accepts connections and never says anything. */
import { createServer, type Server, type Socket } from 'node:net';

export class SilentServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      this.#onData(socket);
    });
  }

  static start(answers: readonly string[] = []): Promise<SilentServer> {
    return new Promise((done) => {
      const server = createServer();
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        const silent = new SilentServer(server, typeof address === 'object' && address !== null ? address.port : 0);
        silent.#answers.push(...answers);
        done(silent);
      });
    });
  }

  /** What it says to the first pieces that come, one after the other, before it falls silent. */
  readonly #answers: string[] = [];

  #onData(socket: Socket): void {
    socket.on('data', () => {
      const answer = this.#answers.shift();
      if (answer !== undefined) socket.write(answer);
    });
  }

  /** How many have connected. */
  get connections(): number {
    return this.#sockets.size;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((done) => this.#server.close(done));
  }
}
