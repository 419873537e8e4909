/**
 * A RESP server in JavaScript alone, as tight as its author could make it: one thread, a
 * Map, and all replies to what one read brought in one write.  It is what the native
 * server is measured against.
 *
 *     node dist/bench/pure-js-server.js <port>
 */

import net from 'node:net';
import { CommandParser } from './pure-js-parser';
import { PureJsStore } from './pure-js-store';

function serve(socket: net.Socket, store: PureJsStore): void {
  const parser = new CommandParser();
  let replies = '';
  const run = (args: string[]): void => {
    replies += store.run(args);
  };
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    replies = '';
    try {
      parser.push(chunk, run);
    } catch (error) {
      socket.end(`${replies}-ERR Protocol error: ${error instanceof Error ? error.message : ''}\r\n`, 'latin1');
      return;
    }
    if (replies !== '') {
      socket.write(replies, 'latin1');
    }
  });
}

/** Serves on 127.0.0.1; resolves when it listens. */
export function startPureJsServer(port: number): Promise<net.Server> {
  const store = new PureJsStore();
  const server = net.createServer((socket) => serve(socket, store));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', 1024, () => resolve(server));
  });
}

if (require.main === module) {
  void startPureJsServer(Number(process.argv[2] ?? 0));
}
