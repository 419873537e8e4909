/**
 * The pure-JavaScript server on several threads.
 *
 * Worker threads share neither sockets nor Maps.  So the main thread owns all sockets, reads
 * and writes them, and each worker owns a part of the keys, by their hash.  What one turn of
 * the event loop has read for a worker goes there in one message, and the replies come back
 * in one.  A command with keys of several parts is cut up, so MSET is not atomic here.
 * Whether that is faster than one thread is what the benchmark shows.
 *
 *     node dist/bench/pure-js-workers.js <port> <workers>
 */

import net from 'node:net';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { CommandParser } from './pure-js-parser';
import { PureJsStore } from './pure-js-store';

/** A command's place in the order of its connection's replies. */
interface Slot {
  readonly client: Client;
  /** By part; joined when none is missing. */
  readonly parts: string[];
  missing: number;
  readonly join: (parts: readonly string[]) => string;
}

interface Client {
  readonly socket: net.Socket;
  readonly slots: Slot[];
}

interface Shard {
  readonly worker: Worker;
  batch: (readonly string[])[];
  /** Where the replies go: a slot and the part of it. */
  targets: (readonly [Slot, number])[];
  readonly sent: (readonly [Slot, number])[][];
}

const first = (parts: readonly string[]): string => parts[0] ?? '';
const sum = (parts: readonly string[]): string =>
  `:${parts.reduce((total, part) => total + Number(part.slice(1, -2)), 0)}\r\n`;

function hash(key: string): number {
  let value = 2166136261;
  for (let i = 0; i < key.length; i++) {
    value = Math.imul(value ^ key.charCodeAt(i), 16777619);
  }
  return value >>> 0;
}

class Dispatcher {
  readonly #shards: Shard[];
  readonly #touched = new Set<Client>();
  #scheduled = false;

  constructor(workers: number) {
    this.#shards = Array.from({ length: workers }, () => {
      const shard: Shard = { worker: new Worker(__filename), batch: [], targets: [], sent: [] };
      shard.worker.on('message', (replies: readonly string[]) => this.#receive(shard, replies));
      return shard;
    });
  }

  /** Hands a command over. */
  run(client: Client, args: readonly string[]): void {
    const name = (args[0] ?? '').toUpperCase();
    const pieces = this.#cut(name, args);
    const join =
      name === 'MGET'
        ? (parts: readonly string[]): string => `*${parts.length}\r\n${parts.map((part) => part.slice(4)).join('')}`
        : name === 'DEL' || name === 'EXISTS' || name === 'DBSIZE'
          ? sum
          : first;
    const slot: Slot = { client, parts: [], missing: pieces.length, join };
    client.slots.push(slot);
    pieces.forEach(([shard, piece], part) => {
      shard.batch.push(piece);
      shard.targets.push([slot, part]);
    });
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.#send());
    }
  }

  #shardOf(key: string | undefined): Shard {
    return this.#shards[hash(key ?? '') % this.#shards.length] as Shard;
  }

  /** The pieces of a command and who gets them; as many keys as pieces keep their order. */
  #cut(name: string, args: readonly string[]): (readonly [Shard, readonly string[]])[] {
    if (name === 'FLUSHALL' || name === 'DBSIZE') {
      return this.#shards.map((shard) => [shard, args]);
    }
    const step = name === 'MSET' ? 2 : name === 'MGET' || name === 'DEL' || name === 'EXISTS' ? 1 : 0;
    if (step === 0 || args.length <= 1 + step || (args.length - 1) % step !== 0) {
      return [[this.#shardOf(args[1]), args]];
    }
    const pieces: (readonly [Shard, readonly string[]])[] = [];
    for (let i = 1; i < args.length; i += step) {
      pieces.push([this.#shardOf(args[i]), [args[0] ?? '', ...args.slice(i, i + step)]]);
    }
    return pieces;
  }

  #send(): void {
    this.#scheduled = false;
    for (const shard of this.#shards) {
      if (shard.batch.length > 0) {
        shard.worker.postMessage(shard.batch);
        shard.sent.push(shard.targets);
        shard.batch = [];
        shard.targets = [];
      }
    }
  }

  #receive(shard: Shard, replies: readonly string[]): void {
    shard.sent.shift()?.forEach(([slot, part], i) => {
      slot.parts[part] = replies[i] ?? '';
      slot.missing -= 1;
      if (slot.missing === 0) {
        this.#touched.add(slot.client);
      }
    });
    for (const client of this.#touched) {
      flush(client);
    }
    this.#touched.clear();
  }
}

/** Writes the replies at the head that are complete. */
function flush(client: Client): void {
  let ready = 0;
  let text = '';
  while (client.slots[ready]?.missing === 0) {
    const slot = client.slots[ready] as Slot;
    text += slot.parts.length === 1 ? first(slot.parts) : slot.join(slot.parts);
    ready += 1;
  }
  if (ready > 0) {
    client.slots.splice(0, ready);
    client.socket.write(text, 'latin1');
  }
}

function serve(socket: net.Socket, dispatcher: Dispatcher): void {
  const client: Client = { socket, slots: [] };
  const parser = new CommandParser();
  const run = (args: string[]): void => dispatcher.run(client, args);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    try {
      parser.push(chunk, run);
    } catch {
      socket.destroy();
    }
  });
}

if (!isMainThread) {
  const store = new PureJsStore();
  parentPort?.on('message', (batch: readonly (readonly string[])[]) => {
    parentPort?.postMessage(batch.map((args) => store.run(args)));
  });
} else if (require.main === module) {
  const dispatcher = new Dispatcher(Number(process.argv[3] ?? 2));
  net
    .createServer((socket) => serve(socket, dispatcher))
    .listen({ port: Number(process.argv[2] ?? 0), host: '127.0.0.1', backlog: 1024 });
}
